import HTTPTypes

/// A request's target, checked, decoded once and without dot segments (RFC 9112 §3.2, RFC 3986 §5.2.4, §6.2.2).
struct RequestTarget {
  let path: String
  let segments: [String]
  let query: [(name: String, value: String)]
  /// From the absolute form alone.
  let authority: String?

  init(_ range: Range<Int>, method: HTTPRequest.Method, in bytes: Span<UInt8>) throws(HTTPFault) {
    if range.count == 1, bytes[range.lowerBound] == UInt8(ascii: "*") {
      guard method == .options else { throw .malformed("the target * is for OPTIONS alone") }  // RFC 9112 §3.2.4
      (path, segments, query, authority) = ("*", [], [], nil)
      return
    }
    var rest = range
    if bytes[range.lowerBound] == UInt8(ascii: "/") {
      authority = nil
    } else {
      authority = try Self.takeAuthority(&rest, in: bytes)
    }
    let pathEnd = rest.first { bytes[$0] == UInt8(ascii: "?") } ?? rest.upperBound
    let pathRange = rest.lowerBound..<pathEnd
    segments = try Self.segments(pathRange, in: bytes)
    path = Self.isPlain(pathRange, in: bytes) ? bytes.text(pathRange) : "/" + segments.joined(separator: "/")
    query = pathEnd < rest.upperBound ? try Self.query(pathEnd + 1..<rest.upperBound, in: bytes) : []
  }

  /// The absolute form: `http://host:port/path` (RFC 9112 §3.2.2).
  private static func takeAuthority(_ rest: inout Range<Int>, in bytes: Span<UInt8>) throws(HTTPFault) -> String {
    guard let scheme = ["http://", "https://"].first(where: { bytes.equals(rest.prefix($0.utf8.count), lowercased: $0) }) else {
      throw .malformed("the target is neither a path that begins with a slash nor an http URI")
    }
    let start = rest.lowerBound + scheme.utf8.count
    let end = (start..<rest.upperBound).first { bytes[$0] == UInt8(ascii: "/") || bytes[$0] == UInt8(ascii: "?") } ?? rest.upperBound
    rest = end..<rest.upperBound
    return try HostName.checked(start..<end, in: bytes)
  }

  /// Splits at slashes, decodes each part once, then removes dot segments: so neither `%2e%2e` nor `%252e` climbs.
  private static func segments(_ range: Range<Int>, in bytes: Span<UInt8>) throws(HTTPFault) -> [String] {
    guard !range.isEmpty else { return [""] }
    var segments: [String] = []
    var start = range.lowerBound + 1
    while start <= range.upperBound {
      let end = (start..<range.upperBound).first { bytes[$0] == UInt8(ascii: "/") } ?? range.upperBound
      let isLast = end == range.upperBound
      switch try decoded(start..<end, in: bytes, as: .path) {
      case ".": if isLast { segments.append("") }
      case "..":
        guard segments.popLast() != nil else { throw .malformed("the path climbs above its root") }
        if isLast { segments.append("") }
      case let segment: segments.append(segment)
      }
      start = end + 1
    }
    return segments
  }

  private static func query(_ range: Range<Int>, in bytes: Span<UInt8>) throws(HTTPFault) -> [(name: String, value: String)] {
    var query: [(name: String, value: String)] = []
    var start = range.lowerBound
    while start <= range.upperBound {
      let end = (start..<range.upperBound).first { bytes[$0] == UInt8(ascii: "&") } ?? range.upperBound
      if start < end {
        let equals = (start..<end).first { bytes[$0] == UInt8(ascii: "=") } ?? end
        let value = equals < end ? try decoded(equals + 1..<end, in: bytes, as: .query) : ""
        query.append((name: try decoded(start..<equals, in: bytes, as: .query), value: value))
      }
      start = end + 1
    }
    return query
  }

  /// Whether the path is what it says: nothing in it is encoded, and no segment can be one of dots.
  private static func isPlain(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    if range.isEmpty { return false }
    for index in range where bytes[index] == UInt8(ascii: "%") || bytes[index] == UInt8(ascii: ".") { return false }
    return true
  }

  private enum Component { case path, query }

  private static func decoded(_ range: Range<Int>, in bytes: Span<UInt8>, as component: Component) throws(HTTPFault) -> String {
    if try isLiteral(range, in: bytes, as: component) { return bytes.text(range) }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      var byte = bytes[index]
      if byte == UInt8(ascii: "%") {
        guard index + 2 < range.upperBound, let high = bytes[index + 1].hexadecimalValue, let low = bytes[index + 2].hexadecimalValue else {
          throw .malformed("a percent sign in the target is not followed by two hexadecimal digits")
        }
        byte = high << 4 | low
        try check(decoded: byte, as: component)
        index += 2
      } else if component == .query, byte == UInt8(ascii: "+") {
        byte = .space
      } else {
        try check(raw: byte, as: component)
      }
      decoded.append(byte)
      index += 1
    }
    guard let text = String(validating: decoded, as: UTF8.self) else { throw .malformed("the target is not UTF-8 once decoded") }
    return text
  }

  /// Whether every byte stands for itself. All of them are ASCII then.
  private static func isLiteral(_ range: Range<Int>, in bytes: Span<UInt8>, as component: Component) throws(HTTPFault) -> Bool {
    for index in range {
      if bytes[index] == UInt8(ascii: "%") || component == .query && bytes[index] == UInt8(ascii: "+") { return false }
      try check(raw: bytes[index], as: component)
    }
    return true
  }

  /// A hidden slash would make one segment look like two to whoever joins them again.
  private static func check(decoded byte: UInt8, as component: Component) throws(HTTPFault) {
    if byte == 0 || component == .path && (byte < 0x20 || byte == 0x7F) { throw .malformed("the target hides a control byte") }
    if component == .path, byte == UInt8(ascii: "/") { throw .malformed("the path hides a slash") }
  }

  private static func check(raw byte: UInt8, as component: Component) throws(HTTPFault) {
    guard (component == .path ? ByteClass.path : ByteClass.query).contains(byte) else {
      throw .malformed("the target holds a byte that must be percent-encoded: \(byte)")
    }
  }
}

/// `uri-host [ ":" port ]`, of `Host` and of absolute targets (RFC 9110 §4.2.1, §7.2; RFC 3986 §3.2.2).
enum HostName {
  static func checked(_ range: Range<Int>, in bytes: Span<UInt8>) throws(HTTPFault) -> String {
    let fault = HTTPFault.malformed("the host is not a name or an address with a port at most")
    var index = range.lowerBound
    if index < range.upperBound, bytes[index] == UInt8(ascii: "[") {
      index += 1
      while index < range.upperBound, isAddressByte(bytes[index]) { index += 1 }
      guard index > range.lowerBound + 2, index < range.upperBound, bytes[index] == UInt8(ascii: "]") else { throw fault }
      index += 1
    } else {
      while index < range.upperBound, isNameByte(bytes[index]) { index += 1 }
    }
    guard index > range.lowerBound else { throw fault }
    if index < range.upperBound {
      guard bytes[index] == UInt8(ascii: ":"), isPort(index + 1..<range.upperBound, in: bytes) else { throw fault }
    }
    return bytes.text(range)
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    byte.hexadecimalValue != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
  }

  private static func isNameByte(_ byte: UInt8) -> Bool { ByteClass.hostName.contains(byte) }

  private static func isPort(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    guard range.count <= 5 else { return false }
    var port = 0
    for index in range {
      guard bytes[index].isDigit else { return false }
      port = port * 10 + Int(bytes[index] - UInt8(ascii: "0"))
    }
    return port < 65536
  }
}
