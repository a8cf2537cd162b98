import HTTPTypes

/// An answer whose head has come; its body is read as it comes. A class because reading changes it.
package final class ClientAnswer {
  package let status: Int
  package let headers: HTTPFields
  private var reader: AnswerReader

  init(_ head: AnswerReader.Head, _ reader: AnswerReader) {
    (status, headers) = (head.status, head.headers)
    self.reader = reader
  }

  /// The next bytes of the body; nil at its end.
  package func next() throws(ClientError) -> ArraySlice<UInt8>? { try reader.next() }

  /// Whether more of the body, or its end, can be read within that time.
  package func hasMore(withinMilliseconds milliseconds: Int32) -> Bool { reader.hasMore(withinMilliseconds: milliseconds) }

  /// What is left of the body, which must be no longer than that.
  package func rest(bytesMax: Int = 1 << 30) throws(ClientError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let more = try next() {
      guard bytes.count + more.count <= bytesMax else { throw .broken("the answer is longer than \(bytesMax) bytes") }
      bytes += more
    }
    return bytes
  }
}

/// Takes an answer off its connection (RFC 9112 §4, §6.3).
struct AnswerReader {
  struct Head {
    var status = 0
    var headers: HTTPFields = [:]
  }

  private enum Framing {
    case none
    case count(Int)
    case chunked(ChunkedDecoder)
    case untilEnd
  }

  private let transport: any ClientTransport
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)
  /// What has come and is not used up.
  private var pending: ArraySlice<UInt8> = []
  private var framing = Framing.none

  private static let headBytesMax = 64 << 10

  init(_ transport: any ClientTransport) { self.transport = transport }

  private mutating func receive() throws(ClientError) -> Bool {
    let count = try transport.receive(into: &buffer)
    pending += buffer[..<count]
    return count > 0
  }

  mutating func readHead(of method: HTTPRequest.Method) throws(ClientError) -> Head {
    let head = try Self.head(try takeHead())
    if method == .head || head.status < 200 || head.status == 204 || head.status == 304 {
      framing = .none
    } else if head.headers[.transferEncoding]?.lowercased() == "chunked" {
      framing = .chunked(ChunkedDecoder(limits: .init()))
    } else if let length = head.headers[.contentLength] {
      guard let count = Int(length), count >= 0 else { throw .broken("the answer's Content-Length is \(length)") }
      framing = .count(count)
    } else {
      framing = .untilEnd
    }
    return head
  }

  /// The bytes before the empty line.
  private mutating func takeHead() throws(ClientError) -> ArraySlice<UInt8> {
    while true {
      if let end = Self.endOfHead(in: pending), end - pending.startIndex <= Self.headBytesMax {
        defer { pending = pending[(end + 4)...] }
        return pending[..<end]
      }
      guard pending.count <= Self.headBytesMax else { throw .broken("the answer's head is longer than \(Self.headBytesMax) bytes") }
      guard try receive() else {
        throw .broken(pending.isEmpty ? "the server closed the connection without an answer" : "the answer ended within its head")
      }
    }
  }

  private static func endOfHead(in bytes: ArraySlice<UInt8>) -> Int? {
    let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
    guard bytes.count >= 4 else { return nil }
    return (bytes.startIndex...bytes.endIndex - 4).first { bytes[$0] == 0x0D && bytes[$0..<$0 + 4].elementsEqual(end) }
  }

  private static func head(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Head {
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    let opening = lines.removeFirst().split(separator: " ", maxSplits: 2)
    guard opening.count >= 2, opening[0].hasPrefix("HTTP/1."), let status = Int(opening[1]), (100...599).contains(status) else {
      throw .broken("what answers there does not speak HTTP/1")
    }
    var head = Head(status: status)
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { throw .broken("the answer has a field without a name") }
      head.headers.append(HTTPField(name: name, value: String(parts[1].drop { $0 == " " || $0 == "\t" })))
    }
    return head
  }

  func hasMore(withinMilliseconds milliseconds: Int32) -> Bool {
    if case .none = framing { return true }
    return !pending.isEmpty || transport.hasInput(withinMilliseconds: milliseconds)
  }

  /// The next bytes of the body; nil at its end.
  mutating func next() throws(ClientError) -> ArraySlice<UInt8>? {
    switch framing {
    case .none: return nil
    case .untilEnd:
      if pending.isEmpty, try !receive() { return nil }
      defer { pending = [] }
      return pending
    case .count(let left):
      guard left > 0 else { return nil }
      if pending.isEmpty, try !receive() { throw .broken("the answer ended \(left) bytes too early") }
      let some = pending.prefix(left)
      pending = pending.dropFirst(some.count)
      framing = .count(left - some.count)
      return some
    case .chunked(var decoder):
      let some = try nextChunk(&decoder)
      framing = some == nil ? .none : .chunked(decoder)
      return some
    }
  }

  private mutating func nextChunk(_ decoder: inout ChunkedDecoder) throws(ClientError) -> ArraySlice<UInt8>? {
    while true {
      if pending.isEmpty, try !receive() { throw .broken("the answer ended within a chunk") }
      let bytes = Array(pending)
      let step: ChunkedDecoder.Step
      do throws(HTTPFault) { step = try decoder.next(bytes.span, from: 0) } catch { throw .broken("the answer: \(error.detail)") }
      switch step {
      case .needsMoreBytes: pending = []
      case .data(let range):
        pending = bytes[range.upperBound...]
        return bytes[range]
      case .finished: return nil
      }
    }
  }
}
