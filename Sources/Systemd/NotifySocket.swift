// The one file of this module where raw pointers live; none outlives the call that it was lent to.
import CSystem
import Foundation

/// Where a service manager hears what a service says of itself: a datagram of `NAME=value` lines, as sd_notify(3) has it.
struct NotifySocket: Sendable {
  /// As `$NOTIFY_SOCKET` has it: a path, or `@` and a name that no folder has (unix(7), "abstract").
  let address: String
  /// The name as the kernel takes it.
  private let name: [UInt8]

  /// How long a manager that does not read may hold us up: chosen, far below any watchdog's patience.
  private static let patienceSeconds = 5

  init(_ address: String) throws(NotifyError) {
    self.address = address
    guard address.hasPrefix("/") || address.hasPrefix("@"), address.utf8.count > 1 else {
      throw NotifyError("NOTIFY_SOCKET is neither an absolute path nor an @ with a name, but '\(address)'")
    }
    let bytes = Array(address.utf8)
    name = bytes[0] == UInt8(ascii: "@") ? [0] + bytes.dropFirst() : bytes
    // unix(7): the last byte of a path is for its NUL.
    let bytesMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - (name[0] == 0 ? 0 : 1)
    guard name.count <= bytesMax else {
      throw NotifyError("NOTIFY_SOCKET has \(name.count) bytes; a socket's name has \(bytesMax) at most: '\(address)'")
    }
  }

  /// One datagram from a socket of its own, as there are few of them. (sendto)
  func send(_ lines: [String]) throws(NotifyError) {
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw failure("socket") }
    defer { close(number) }
    var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
    guard unsafe setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size)) == 0 else {
      throw failure("setsockopt")
    }
    var target = sockaddr_un()
    target.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &target.sun_path) { unsafe $0.copyBytes(from: name) }
    // A name without a path's NUL ends where its length says.
    let targetBytes = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let message = Array(lines.joined(separator: "\n").utf8)
    while true {
      let sent = unsafe withUnsafePointer(to: target) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe sendto(number, message, message.count, Int32(MSG_NOSIGNAL), $0, targetBytes)
        }
      }
      if sent == message.count { return }
      if sent >= 0 || errno != EINTR { throw failure("sendto") }
    }
  }

  private func failure(_ operation: String) -> NotifyError {
    unsafe NotifyError("\(operation) NOTIFY_SOCKET \(address): \(String(cString: strerror(errno)))")
  }
}

/// Takes a variable out of this process's environment. (unsetenv)
func forgetVariable(_ name: String) { _ = unsafe unsetenv(name) }

/// CLOCK_MONOTONIC, in microseconds.
func monotonicMicroseconds() -> UInt64 {
  var time = timespec()
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
}

/// Why a service manager can't be told.
struct NotifyError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
