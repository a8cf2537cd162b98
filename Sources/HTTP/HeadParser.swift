/// Reads the head of a request line by line, keeping offsets alone and its place between calls.
///
/// Where leniency would let two servers disagree about where a request ends, it refuses (RFC 9112 §2.2, §5.1, §5.2, §11.2):
/// bare CR, bare LF, NUL and other controls, folded lines, a space before the colon.
struct HeadParser {
  enum Progress: Equatable {
    case needsMoreBytes
    case complete(headBytes: Int)
  }

  /// Offsets of a request line's parts, and the minor version of HTTP/1.
  struct RequestLine: Equatable {
    var method = 0..<0
    var target = 0..<0
    var minorVersion = 1
  }

  private(set) var requestLine = RequestLine()
  private(set) var lines: [FieldLine] = []
  private let limits: ServerConfiguration.Limits
  private var stage = Stage.beforeRequestLine
  /// Where the line being read begins; all from there to `position` has been looked at.
  private var lineStart = 0
  private var position = 0

  private enum Stage { case beforeRequestLine, requestLine, fields }

  init(limits: ServerConfiguration.Limits) { self.limits = limits }

  /// Makes it ready for the next head, keeping its memory.
  mutating func reset() {
    requestLine = RequestLine()
    lines.removeAll(keepingCapacity: true)
    stage = .beforeRequestLine
    lineStart = 0
    position = 0
  }

  /// Goes on from where the last call stopped.
  /// - Parameter bytes: all that came since the head's first byte: the same bytes as at the last call, and more.
  mutating func parse(_ bytes: Span<UInt8>) throws(HTTPFault) -> Progress {
    while true {
      position = Self.endOfText(bytes, from: position)
      if position - lineStart > limits.lineBytesMax { throw tooLongLine(bytes) }
      // RFC 6585 §5.
      if position > limits.headBytesMax {
        throw HTTPFault(.requestHeaderFieldsTooLarge, "the head is longer than \(limits.headBytesMax) bytes")
      }
      guard position < bytes.count else { return .needsMoreBytes }
      guard bytes[position] == .carriageReturn else { throw refusal(ofControl: bytes[position]) }
      guard position + 1 < bytes.count else { return .needsMoreBytes }
      guard bytes[position + 1] == .lineFeed else { throw .malformed("a carriage return stands alone in the head") }  // RFC 9112 §2.2
      let line = lineStart..<position
      position += 2
      if try take(line, of: bytes) { return .complete(headBytes: position) }
      lineStart = position
    }
  }

  /// The first byte from `start` on that no line may hold: a control other than the tab.
  private static func endOfText(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if byte < 0x20 && byte != .tab || byte == 0x7F { break }
      index += 1
    }
    return index
  }

  /// Returns whether the head ends with this line.
  private mutating func take(_ line: Range<Int>, of bytes: Span<UInt8>) throws(HTTPFault) -> Bool {
    switch stage {
    case .beforeRequestLine where line.isEmpty:
      stage = .requestLine  // RFC 9112 §2.2: one empty line before the request is passed over.
    case .beforeRequestLine, .requestLine:
      requestLine = try Self.requestLine(line, of: bytes)
      stage = .fields
    case .fields:
      if line.isEmpty { return true }
      guard lines.count < limits.fieldsMax else {
        throw HTTPFault(.requestHeaderFieldsTooLarge, "the head has more than \(limits.fieldsMax) fields")
      }
      lines.append(try Self.field(line, of: bytes))
    }
    return false
  }

  /// `method SP request-target SP HTTP-version`, with exactly those two spaces (RFC 9112 §3).
  private static func requestLine(_ line: Range<Int>, of bytes: Span<UInt8>) throws(HTTPFault) -> RequestLine {
    var methodEnd = line.lowerBound
    while methodEnd < line.upperBound, bytes[methodEnd].isToken { methodEnd += 1 }
    guard methodEnd > line.lowerBound, methodEnd < line.upperBound, bytes[methodEnd] == .space else {
      throw .malformed("the request line does not begin with a method and a space")
    }
    let targetStart = methodEnd + 1
    var targetEnd = targetStart
    while targetEnd < line.upperBound, bytes[targetEnd] > .space { targetEnd += 1 }
    guard targetEnd > targetStart, targetEnd < line.upperBound, bytes[targetEnd] == .space else {
      throw .malformed("the request line is not a method, a target and a version with one space between")
    }
    let minor = try minorVersion(targetEnd + 1..<line.upperBound, of: bytes)
    return RequestLine(method: line.lowerBound..<methodEnd, target: targetStart..<targetEnd, minorVersion: minor)
  }

  /// RFC 9112 §2.3: `HTTP/` DIGIT `.` DIGIT, in capitals.
  private static func minorVersion(_ range: Range<Int>, of bytes: Span<UInt8>) throws(HTTPFault) -> Int {
    let start = range.lowerBound
    guard range.count == 8, bytes.matches("HTTP/", at: start), bytes[start + 5].isDigit, bytes[start + 6] == UInt8(ascii: "."),
      bytes[start + 7].isDigit
    else { throw .malformed("the request line does not end with a version such as HTTP/1.1") }
    guard bytes[start + 5] == UInt8(ascii: "1") else {
      throw HTTPFault(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")  // RFC 9110 §15.6.6
    }
    return Int(bytes[start + 7] - UInt8(ascii: "0"))
  }

  /// `field-name ":" OWS field-value OWS` (RFC 9112 §5).
  static func field(_ line: Range<Int>, of bytes: Span<UInt8>) throws(HTTPFault) -> FieldLine {
    var nameEnd = line.lowerBound
    while nameEnd < line.upperBound, bytes[nameEnd].isToken { nameEnd += 1 }
    guard nameEnd < line.upperBound, bytes[nameEnd] == UInt8(ascii: ":"), nameEnd > line.lowerBound else {
      throw .malformed(complaint(aboutFieldLine: line, nameEnd: nameEnd, of: bytes))
    }
    var value = nameEnd + 1..<line.upperBound
    while let first = value.first, bytes[first].isBlank { value = first + 1..<value.upperBound }
    while let last = value.last, bytes[last].isBlank { value = value.lowerBound..<last }
    return FieldLine(name: line.lowerBound..<nameEnd, value: value)
  }

  private static func complaint(aboutFieldLine line: Range<Int>, nameEnd: Int, of bytes: Span<UInt8>) -> String {
    if bytes[line.lowerBound].isBlank { return "a field line begins with a blank; folded lines are refused" }  // RFC 9112 §5.2
    if nameEnd < line.upperBound, bytes[nameEnd].isBlank { return "a blank stands before a field's colon" }  // RFC 9112 §5.1
    return "a field line is not a name, a colon and a value"
  }

  private func refusal(ofControl byte: UInt8) -> HTTPFault {
    if byte == .lineFeed { return .malformed("a line of the head ends without a carriage return") }  // RFC 9112 §2.2
    return .malformed("the head holds the control byte \(byte)")  // RFC 9110 §5.5
  }

  /// RFC 9112 §3: a method longer than any is a 501, a target longer than we read a 414.
  private func tooLongLine(_ bytes: Span<UInt8>) -> HTTPFault {
    if stage == .fields {
      return HTTPFault(.requestHeaderFieldsTooLarge, "a field is longer than \(limits.lineBytesMax) bytes")
    }
    for index in lineStart..<position where bytes[index] == .space {
      return HTTPFault(.uriTooLong, "the request line is longer than \(limits.lineBytesMax) bytes")
    }
    return HTTPFault(.notImplemented, "no method is that long")
  }
}
