import CSystem
import Foundation
import Synchronization

/// Where other threads leave what they have for a shard: a locked list, and an eventfd in the shard's set that says it isn't empty.
///
/// A class because it has a lock and a descriptor.
final class Inbox: Sendable {
  /// News of the request `exchange` of a connection.
  struct Message: Sendable {
    enum News: Sendable {
      /// Its answer; nil when its handler let it drop.
      case answer(Response?)
      /// Something waits in its answer's stream.
      case stream
    }

    let token: ConnectionToken
    let exchange: UInt64
    let news: News
  }

  /// What waits for the shard.
  private struct Contents {
    var messages: [Message] = []
    /// Those who want to know that the shard comes round.
    var calls: [@Sendable () -> Void] = []

    var isEmpty: Bool { messages.isEmpty && calls.isEmpty }
  }

  let descriptor: Descriptor
  private let contents = Mutex<Contents?>(Contents())

  init() throws(SystemCallError) {
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard number >= 0 else { throw SystemCallError(operation: "eventfd", subject: "a shard", code: errno) }
    descriptor = Descriptor(number: number)
  }

  deinit { descriptor.close() }

  func post(_ message: Message) { _ = post { $0.messages.append(message) } }

  /// Has the shard call, when it has come to what is in its set by now; a shard that has ended calls at once.
  func post(call: @escaping @Sendable () -> Void) { if !post({ $0.calls.append(call) }) { call() } }

  /// Wakes the shard only for the first that came since it last took them. False: the shard has ended.
  private func post(_ add: (inout Contents) -> Void) -> Bool {
    let (isOpen, wakes) = contents.withLock { contents in
      guard var open = contents else { return (false, false) }
      let wakes = open.isEmpty
      contents = nil  // So that what it holds is not copied.
      add(&open)
      contents = open
      return (true, wakes)
    }
    if wakes { _ = eventfd_write(descriptor.number, 1) }
    return isOpen
  }

  func takeAll() -> (messages: [Message], calls: [@Sendable () -> Void]) {
    var count: UInt64 = 0
    _ = unsafe eventfd_read(descriptor.number, &count)
    return contents.withLock { contents in
      guard let taken = contents else { return ([], []) }
      contents = Contents()
      return (taken.messages, taken.calls)
    }
  }

  /// From now on messages are dropped: the shard has ended.
  func close() {
    let left = contents.withLock { contents in
      defer { contents = nil }
      return contents
    }
    for call in left?.calls ?? [] { call() }
  }
}
