import Foundation

/// What a service manager listens on: a datagram socket of the Unix family, by a path or by an abstract name.
final class DatagramSocket {
  /// As `$NOTIFY_SOCKET` has it.
  let address: String
  private let descriptor: Int32

  struct Failed: Error { let operation: String, code: Int32 }
  struct Silent: Error, CustomStringConvertible { let description: String }

  /// - Parameter address: `/path`, or `@name`.
  init(_ address: String) throws {
    self.address = address
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var target = sockaddr_un()
    target.sun_family = sa_family_t(AF_UNIX)
    var name = Array(address.utf8)
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: name) }
    let count = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let bound = withUnsafePointer(to: &target) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, count) }
    }
    guard bound == 0 else { throw Failed(operation: "bind", code: errno) }
  }

  deinit { close(descriptor) }

  /// The next message, by its lines' names; nil where none comes in time.
  func receive(seconds: Double) throws -> [String: String]? {
    var patience = timeval(tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1e6))
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count < 0, errno == EAGAIN { return nil }
    guard count >= 0 else { throw Failed(operation: "recv", code: errno) }
    var lines: [String: String] = [:]
    for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      lines[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
    }
    return lines
  }

  /// The first message that says so; others are passed over.
  func wait(for name: String, seconds: Double = 30) throws -> [String: String] {
    let end = Date.now + seconds
    while Date.now < end {
      if let message = try receive(seconds: 1), message[name] != nil { return message }
    }
    throw Silent(description: "no \(name) within \(seconds) seconds")
  }

  /// Forgets what has come so far.
  func empty() throws { while try receive(seconds: 0.001) != nil {} }
}
