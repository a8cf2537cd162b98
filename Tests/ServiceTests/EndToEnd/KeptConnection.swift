import Foundation
import JSON
import Testing

/// One connection that is kept over thousands of requests, where a curl for each would take minutes. Bodies come by Content-Length alone.
final class KeptConnection {
  private let descriptor: Int32
  private var received: [UInt8] = []

  /// The server is gone, or was killed in the middle.
  struct Lost: Error {}

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard connected == 0 else { throw Lost() }
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func ask(_ method: String, _ path: String, headers: [String] = [], body: [UInt8] = []) throws -> Answer {
    let lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1", "Content-Length: \(body.count)"] + headers + ["", ""]
    var rest = (Array(lines.joined(separator: "\r\n").utf8) + body)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Lost() }
      rest = rest.dropFirst(count)
    }
    return try answer()
  }

  func ask(_ method: String, _ path: String, headers: [String] = [], json: JSONValue) throws -> Answer {
    try ask(method, path, headers: headers + ["Content-Type: application/json"], body: json.serializedBytes())
  }

  private func answer() throws -> Answer {
    let end = Array("\r\n\r\n".utf8)
    while received.firstRange(of: end) == nil { try receive() }
    guard let head = received.firstRange(of: end) else { throw Lost() }
    let lines = String(decoding: received[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    let status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    let length = status == 204 || status == 304 ? 0 : Int(headers["content-length"] ?? "") ?? 0
    while received.count < head.upperBound + length { try receive() }
    let body = Data(received[head.upperBound..<head.upperBound + length])
    received.removeSubrange(..<(head.upperBound + length))
    return Answer(status: status, headers: headers, body: body)
  }

  private func receive() throws {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { throw Lost() }
    received += bytes[..<count]
  }
}
