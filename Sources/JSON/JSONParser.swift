/// Where and why a text is not JSON. Lines and columns count from 1; columns count bytes.
package struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
  package let line: Int
  package let column: Int
  /// The value in which reading stopped, as a JSON Pointer (RFC 6901).
  package let pointer: String
  package let detail: String

  package var description: String { "line \(line), column \(column)\(pointer.isEmpty ? "" : " (\(pointer))"): \(detail)" }
}

extension JSONValue {
  /// Objects and arrays may be nested so deep; chosen, far past what any request needs and far short of the stack's end.
  package static let depthMax = 64

  /// Reads one JSON text by the letter of RFC 8259: UTF-8 without a byte order mark, no duplicate names, no trailing commas, no
  /// comments, bounded depth.
  package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.parseText()
  }

  package init(parsing text: String) throws(JSONSyntaxError) { try self.init(parsing: Array(text.utf8)) }
}

/// A recursive-descent reader over bytes. It indexes only behind its own bounds check, and knows the pointer of the value it is in.
private struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var path: [String] = []

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func parseText() throws(JSONSyntaxError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw fault("a byte order mark is not allowed") }  // RFC 8259 §8.1
    skipSpace()
    if next == nil { throw fault("the text is empty; a JSON value is needed") }
    let value = try parseValue()
    skipSpace()
    guard next == nil else { throw fault("nothing may follow the value, but \(shown) does") }
    return value
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private var shown: String {
    guard let next else { return "the end" }
    return next > 0x20 && next < 0x7F ? "'\(Character(UnicodeScalar(next)))'" : "byte 0x" + String(next, radix: 16)
  }

  private func fault(_ detail: String, at place: Int? = nil) -> JSONSyntaxError {
    let read = bytes[..<min(place ?? position, bytes.count)]
    let line = read.count { $0 == UInt8(ascii: "\n") } + 1
    let column = read.count - (read.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
    return JSONSyntaxError(line: line, column: column, pointer: path.map(JSONPointer.token).joined(), detail: detail)
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func parseValue() throws(JSONSyntaxError) -> JSONValue {
    if path.count > JSONValue.depthMax { throw fault("nested deeper than \(JSONValue.depthMax) levels") }
    guard let first = next else { throw fault("a value is needed here, but the text ends") }
    switch first {
    case UInt8(ascii: "{"): return try parseObject()
    case UInt8(ascii: "["): return try parseArray()
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    default: throw fault("a value is needed here, not \(shown)")
    }
  }

  private mutating func parseWord(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw fault("a value is needed here; did you mean \(word)?") }
    position += word.utf8.count
    return value
  }

  private mutating func parseObject() throws(JSONSyntaxError) -> JSONValue {
    position += 1
    var object = JSONObject()
    skipSpace()
    if take("}") { return .object(object) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw fault("a name in double quotes is needed here, not \(shown)") }
      let start = position
      let name = try parseString()
      if object[name] != nil { throw fault("the name \"\(name)\" is given twice", at: start) }
      skipSpace()
      guard take(":") else { throw fault("a colon is needed after the name \"\(name)\", not \(shown)") }
      skipSpace()
      path.append(name)
      object[name] = try parseValue()
      path.removeLast()
      skipSpace()
      if take("}") { return .object(object) }
      guard take(",") else { throw fault("a comma or } is needed here, not \(shown)") }
    }
  }

  private mutating func parseArray() throws(JSONSyntaxError) -> JSONValue {
    position += 1
    var array: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(array) }
    while true {
      skipSpace()
      path.append(String(array.count))
      array.append(try parseValue())
      path.removeLast()
      skipSpace()
      if take("]") { return .array(array) }
      guard take(",") else { throw fault("a comma or ] is needed here, not \(shown)") }
    }
  }

  /// RFC 8259 §6: no leading zeros, no plus sign, digits on both sides of the point.
  private mutating func parseNumber() throws(JSONSyntaxError) -> JSONValue {
    let start = position
    var whole = true
    _ = take("-")
    if take("0") {
      if let next, isDigit(next) { throw fault("a number may not start with 0") }
    } else {
      try digits()
    }
    if take(".") {
      whole = false
      try digits()
    }
    if take("e") || take("E") {
      whole = false
      _ = take("+") || take("-")
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if whole, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text) else { throw fault("\(text) is not a number", at: start) }
    return .number(number)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private mutating func digits() throws(JSONSyntaxError) {
    guard let first = next, isDigit(first) else { throw fault("a digit is needed here, not \(shown)") }
    while let byte = next, isDigit(byte) { position += 1 }
  }

  private mutating func parseString() throws(JSONSyntaxError) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw fault("the string is not UTF-8", at: start) }
        return string
      case UInt8(ascii: "\\"): text += Array(String(Character(try parseEscape())).utf8)
      case 0..<0x20: throw fault("a control character in a string must be escaped", at: position - 1)
      default: text.append(byte)
      }
    }
    throw fault("the string that starts here has no end", at: start)
  }

  /// What stands behind a backslash, RFC 8259 §7.
  private mutating func parseEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let byte = next else { throw fault("the text ends in an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try parseUnicodeEscape()
    default: throw fault("\\ may be followed by one of \"\\/bfnrtu", at: position - 1)
    }
  }

  /// One code point, which takes two escapes outside of the basic plane.
  private mutating func parseUnicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let start = position - 2
    let high = try parseHex()
    if let scalar = Unicode.Scalar(high) { return scalar }
    guard high < 0xDC00, take("\\"), take("u") else { throw fault("half of a surrogate pair", at: start) }
    let low = try parseHex()
    guard (0xDC00..<0xE000).contains(low), let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)) else {
      throw fault("half of a surrogate pair", at: start)
    }
    return scalar
  }

  private mutating func parseHex() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw fault("\\u needs four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
