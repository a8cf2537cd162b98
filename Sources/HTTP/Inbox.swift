import CSystem
import Foundation
import Synchronization

/// Where other threads leave answers for a shard: a locked list, and an eventfd in the shard's set that says it isn't empty.
///
/// A class because it has a lock and a descriptor.
final class Inbox: Sendable {
  /// An answer to the request `exchange` of a connection; nil when its handler let it drop.
  struct Answer: Sendable {
    let token: ConnectionToken
    let exchange: UInt64
    let response: Response?
  }

  let descriptor: Descriptor
  private let answers = Mutex<[Answer]?>([])

  init() throws(SystemCallError) {
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard number >= 0 else { throw SystemCallError(operation: "eventfd", subject: "a shard", code: errno) }
    descriptor = Descriptor(number: number)
  }

  deinit { descriptor.close() }

  /// Wakes the shard only for the first answer since it last took them.
  func post(_ answer: Answer) {
    let wakes = answers.withLock { answers in
      defer { answers?.append(answer) }
      return answers?.isEmpty ?? false
    }
    if wakes { _ = eventfd_write(descriptor.number, 1) }
  }

  func takeAll() -> [Answer] {
    var count: UInt64 = 0
    _ = unsafe eventfd_read(descriptor.number, &count)
    return answers.withLock { answers in
      defer { if answers != nil { answers = [] } }
      return answers ?? []
    }
  }

  /// From now on answers are dropped: the shard has ended.
  func close() { answers.withLock { $0 = nil } }
}
