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

  let descriptor: Descriptor
  private let messages = Mutex<[Message]?>([])

  init() throws(SystemCallError) {
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard number >= 0 else { throw SystemCallError(operation: "eventfd", subject: "a shard", code: errno) }
    descriptor = Descriptor(number: number)
  }

  deinit { descriptor.close() }

  /// Wakes the shard only for the first message since it last took them.
  func post(_ message: Message) {
    let wakes = messages.withLock { messages in
      defer { messages?.append(message) }
      return messages?.isEmpty ?? false
    }
    if wakes { _ = eventfd_write(descriptor.number, 1) }
  }

  func takeAll() -> [Message] {
    var count: UInt64 = 0
    _ = unsafe eventfd_read(descriptor.number, &count)
    return messages.withLock { messages in
      defer { if messages != nil { messages = [] } }
      return messages ?? []
    }
  }

  /// From now on messages are dropped: the shard has ended.
  func close() { messages.withLock { $0 = nil } }
}
