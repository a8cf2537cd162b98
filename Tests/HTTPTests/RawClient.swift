import Foundation

/// A client that sends exactly the bytes it is told to: no library would send what these tests must.
///
/// `@unchecked Sendable`: one thread may send while another reads, and only the reading one has state.
final class RawClient: @unchecked Sendable {
  private let socket: Int32
  private var received: [UInt8] = []

  /// - Parameter receiveBytes: a small receive buffer, for a client that reads slowly.
  init(port: Int, receiveBytes: Int32? = nil) throws {
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var seconds = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &seconds, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &seconds, socklen_t(MemoryLayout<timeval>.size))
    var on: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    if var receiveBytes { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receiveBytes, 4) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard result == 0 else { throw RawClientError("connect: \(String(cString: strerror(errno)))") }
  }

  deinit { close() }

  private var isClosed = false

  func close() {
    if !isClosed { Foundation.close(socket) }
    isClosed = true
  }

  /// Closes so that the server sees a reset.
  func reset() {
    var linger = Foundation.linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Foundation.linger>.size))
    close()
  }

  func shutDownSending() { shutdown(socket, Int32(SHUT_WR)) }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// What can't be sent any more, because the server has closed, is given up in silence: the answer tells.
  func send(_ bytes: some Collection<UInt8>) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if sent <= 0 { return }
      rest = rest.dropFirst(sent)
    }
  }

  /// Sends the bytes in pieces of random lengths, with a pause now and then.
  func sendCut(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let cut = rest.prefix(Int.random(in: 1...max(1, bytes.count / 3)))
      send(cut)
      rest = rest.dropFirst(cut.count)
      if Int.random(in: 0..<4) == 0 { usleep(200) }
    }
  }

  /// The next answer, interim ones among them.
  /// - Parameter hasBody: false for the answer to a HEAD.
  func readAnswer(hasBody: Bool = true) throws -> Answer {
    while true {
      if let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
        var answer = try Answer(head: String(decoding: received[..<end.lowerBound], as: UTF8.self))
        received.removeFirst(end.upperBound)
        let count = hasBody ? Int(answer.fields["content-length"] ?? "0") ?? 0 : 0
        while received.count < count { try receiveMore() }
        answer.body = Array(received[..<count])
        received.removeFirst(count)
        return answer
      }
      try receiveMore()
    }
  }

  /// The next chunk of a body; empty for the last one.
  func readChunk() throws -> [UInt8] {
    let line = try readLine()
    guard let count = Int(line, radix: 16) else { throw RawClientError("no chunk's size: \(line)") }
    while received.count < count + 2 { try receiveMore() }
    defer { received.removeFirst(count + 2) }
    guard Array(received[count..<count + 2]) == [13, 10] else { throw RawClientError("a chunk does not end where it should") }
    return Array(received[..<count])
  }

  /// A chunked body to its end.
  func readChunks() throws -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let chunk = try readChunk()
      if chunk.isEmpty { return body }
      body += chunk
    }
  }

  private func readLine() throws -> String {
    while true {
      if let end = received.firstRange(of: [13, 10]) {
        defer { received.removeFirst(end.upperBound) }
        return String(decoding: received[..<end.lowerBound], as: UTF8.self)
      }
      try receiveMore()
    }
  }

  /// Whether the server ends the connection in good order, with nothing more said.
  func readEnd() -> Bool {
    var byte: UInt8 = 0
    return received.isEmpty && recv(socket, &byte, 1, 0) == 0
  }

  /// All until the end.
  func readAll() throws -> String {
    while (try? receiveMore()) != nil {}
    return String(decoding: received, as: UTF8.self)
  }

  private func receiveMore() throws {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(socket, &buffer, buffer.count, 0)
    guard count > 0 else { throw RawClientError(count == 0 ? "the server closed" : "recv: \(String(cString: strerror(errno)))") }
    received += buffer[..<count]
  }
}

struct RawClientError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// An answer as it came, its field names in lower case.
struct Answer: Equatable, CustomStringConvertible {
  var status: Int
  var fields: [String: String] = [:]
  var body: [UInt8] = []

  init(head: String) throws {
    var lines = head.components(separatedBy: "\r\n")
    let first = lines.removeFirst()
    guard first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else {
      throw RawClientError("no status line: \(first)")
    }
    self.status = status
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { throw RawClientError("no field line: \(line)") }
      fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
  }

  var text: String { String(decoding: body, as: UTF8.self) }
  var closes: Bool { fields["connection"] == "close" }
  var description: String { "\(status) \(fields) \(text.prefix(200))" }

  /// Without what differs between any two answers.
  var withoutTimeAndIdentity: Answer {
    var answer = self
    answer.fields["date"] = nil
    answer.fields["x-request-id"] = nil
    return answer
  }
}
