import CSystem
import Foundation

/// What names a connection in its shard's events, inbox and deadlines: a slot and how often the slot was used.
///
/// A descriptor's number is reused at once after a close; a token never is, so an event or answer for one gone reaches no other.
struct ConnectionToken: Hashable, Sendable {
  let number: UInt64

  init(number: UInt64) { self.number = number }
  init(slot: Int, generation: UInt32) { number = UInt64(generation) << 32 | UInt64(slot) }

  var slot: Int { Int(number & 0xFFFF_FFFF) }
  var generation: UInt32 { UInt32(number >> 32) }

  /// Generations stay below 2^32 − 1, so these two name no connection.
  static let listener = ConnectionToken(number: .max)
  static let inbox = ConnectionToken(number: .max - 1)
}

/// What is asked of, or happened to, a descriptor.
struct EventInterest: OptionSet {
  let rawValue: UInt32

  static let input = EventInterest(rawValue: EPOLLIN.rawValue)
  static let output = EventInterest(rawValue: EPOLLOUT.rawValue)
  /// The peer has shut its sending side.
  static let halfClose = EventInterest(rawValue: EPOLLRDHUP.rawValue)
  /// Reported unasked: both sides are shut, or the connection was reset.
  static let gone = EventInterest(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

/// An epoll set and the buffer its events are fetched into. A class because it owns both; the buffer is never lent out.
@safe final class EventSet {
  let descriptor: Descriptor
  private let events: UnsafeMutableBufferPointer<epoll_event>
  /// At most so many events a round; chosen, nothing depends on it.
  private static let eventsMax = 256

  init() throws(SystemCallError) {
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard number >= 0 else { throw SystemCallError(operation: "epoll_create1", subject: "a shard", code: errno) }
    descriptor = Descriptor(number: number)
    unsafe events = .allocate(capacity: Self.eventsMax)
    unsafe events.initialize(repeating: epoll_event())
  }

  deinit {
    descriptor.close()
    unsafe events.deallocate()
  }

  func add(_ target: Descriptor, _ interest: EventInterest, as token: ConnectionToken) throws(SystemCallError) {
    try control(EPOLL_CTL_ADD, target, interest, token)
  }

  func change(_ target: Descriptor, to interest: EventInterest, as token: ConnectionToken) throws(SystemCallError) {
    try control(EPOLL_CTL_MOD, target, interest, token)
  }

  func remove(_ target: Descriptor) { try? control(EPOLL_CTL_DEL, target, [], .listener) }  // Not in the set: nothing to remove.

  /// epoll_wait(2): how many events came, each for `event(_:)`.
  func wait(milliseconds: Int32) -> Int {
    guard
      case .bytes(let count) = Transfer(calling: {
        unsafe Int(epoll_wait(descriptor.number, events.baseAddress, Int32(events.count), milliseconds))
      })
    else { return 0 }
    return count
  }

  func event(_ index: Int) -> (token: ConnectionToken, what: EventInterest) {
    let event = unsafe events[index]
    return unsafe (ConnectionToken(number: event.data.u64), EventInterest(rawValue: event.events))
  }

  private func control(_ operation: Int32, _ target: Descriptor, _ interest: EventInterest, _ token: ConnectionToken)
    throws(SystemCallError)
  {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = token.number
    guard unsafe epoll_ctl(descriptor.number, operation, target.number, &event) == 0 else {
      throw SystemCallError(operation: "epoll_ctl", subject: "descriptor \(target.number)", code: errno)
    }
  }
}
