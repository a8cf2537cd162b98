/// What a head says of the message around it: how long the body is, whether the connection stays, who is addressed.
///
/// A request whose length two readers could understand differently is refused and its connection closed (RFC 9112 §6.3, §11.2).
struct MessageFraming: Equatable {
  enum BodyLength: Equatable {
    case bytes(Int)
    case chunked
  }

  /// Nil when neither `Content-Length` nor `Transfer-Encoding` was given: there is no body.
  var body: BodyLength?
  var keepsAlive: Bool
  var expectsContinue = false
  /// Where the value of `Host` lies.
  var host: Range<Int>?

  init(of line: HeadParser.RequestLine, fields: [FieldLine], in bytes: Span<UInt8>) throws(HTTPFault) {
    keepsAlive = line.minorVersion > 0  // RFC 9112 §9.3
    var closes = false
    for field in fields {
      // The names of interest have 4, 6, 10, 14 and 17 bytes; most fields are passed over by that alone.
      switch field.name.count {
      case 4 where bytes.equals(field.name, lowercased: "host"):
        guard host == nil else { throw .malformed("Host is given twice") }  // RFC 9112 §3.2
        host = field.value
      case 6 where bytes.equals(field.name, lowercased: "expect"):
        try readExpectation(field.value, in: bytes, minorVersion: line.minorVersion)
      case 10 where bytes.equals(field.name, lowercased: "connection"):
        if bytes.lists("close", in: field.value) { closes = true }
        if line.minorVersion == 0, bytes.lists("keep-alive", in: field.value) { keepsAlive = true }
      case 14 where bytes.equals(field.name, lowercased: "content-length"):
        try readLength(field.value, in: bytes)
      case 17 where bytes.equals(field.name, lowercased: "transfer-encoding"):
        try readCoding(field.value, in: bytes, minorVersion: line.minorVersion)
      default: continue
      }
    }
    if closes { keepsAlive = false }
    if host == nil, line.minorVersion > 0 { throw .malformed("Host is missing") }  // RFC 9112 §3.2
  }

  /// RFC 9112 §6.3, RFC 9110 §8.6: digits alone, once, and not beside `Transfer-Encoding`.
  private mutating func readLength(_ value: Range<Int>, in bytes: Span<UInt8>) throws(HTTPFault) {
    switch body {
    case .bytes: throw .malformed("Content-Length is given twice")
    case .chunked: throw .malformed("Content-Length stands beside Transfer-Encoding")
    case nil: break
    }
    guard !value.isEmpty else { throw .malformed("Content-Length is empty") }
    var length = 0
    for index in value {
      guard bytes[index].isDigit else { throw .malformed("Content-Length is not a number: digits alone are allowed") }
      let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(Int(bytes[index] - UInt8(ascii: "0")))
      if overflow || carry { throw HTTPFault(.contentTooLarge, "the Content-Length is beyond any body") }
      length = sum
    }
    body = .bytes(length)
  }

  /// RFC 9112 §6.1: `chunked` once and alone; another coding is a 501, a doubtful list a 400.
  private mutating func readCoding(_ value: Range<Int>, in bytes: Span<UInt8>, minorVersion: Int) throws(HTTPFault) {
    switch body {
    case .bytes: throw .malformed("Content-Length stands beside Transfer-Encoding")
    case .chunked: throw .malformed("Transfer-Encoding is given twice")
    case nil: break
    }
    if minorVersion == 0 { throw .malformed("HTTP/1.0 has no Transfer-Encoding") }
    if bytes.equals(value, lowercased: "chunked") {
      body = .chunked
      return
    }
    let isLast = bytes.equals(value.suffix(7), lowercased: "chunked")
    if value.isEmpty || bytes.lists("chunked", in: isLast ? value.dropLast(7) : value) {
      throw .malformed("chunked is not the last transfer coding, and once")
    }
    throw HTTPFault(.notImplemented, "no transfer coding but chunked is known here: \(bytes.text(value.prefix(64)))")
  }

  /// RFC 9110 §10.1.1: `100-continue` is the one expectation; HTTP/1.0 clients can't have it.
  private mutating func readExpectation(_ value: Range<Int>, in bytes: Span<UInt8>, minorVersion: Int) throws(HTTPFault) {
    guard bytes.equals(value, lowercased: "100-continue") else {
      throw HTTPFault(.expectationFailed, "no expectation but 100-continue can be met")
    }
    if minorVersion > 0 { expectsContinue = true }
  }
}

extension Span<UInt8> {
  /// Whether `word`, in lower case, is a member of the comma-separated list in `range` (RFC 9110 §5.6.1).
  func lists(_ word: String, in range: Range<Int>) -> Bool {
    var start = range.lowerBound
    while start <= range.upperBound {
      var end = start
      while end < range.upperBound, self[end] != UInt8(ascii: ",") { end += 1 }
      var item = start..<end
      while let first = item.first, self[first].isBlank { item = first + 1..<item.upperBound }
      while let last = item.last, self[last].isBlank { item = item.lowerBound..<last }
      if equals(item, lowercased: word) { return true }
      start = end + 1
    }
    return false
  }
}
