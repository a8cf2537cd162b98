/// A Python literal, as far as the header of an NPY file may hold one. It is read, never evaluated.
indirect enum PythonLiteral: Equatable {
  case none
  case boolean(Bool)
  case integer(Int)
  case string(String)
  case tuple([PythonLiteral])
  case list([PythonLiteral])
  case dictionary([Entry])

  struct Entry: Equatable {
    let key: String
    let value: PythonLiteral
  }

  /// Where a text stops being such a literal, and why.
  struct SyntaxError: Error, Equatable {
    let position: Int
    let detail: String
  }

  /// Reads one literal and nothing but white space after it.
  init(parsing bytes: [UInt8]) throws(SyntaxError) {
    var parser = PythonLiteralParser(bytes: bytes)
    self = try parser.value(depth: 0)
    parser.skipSpace()
    if parser.position < bytes.count { throw parser.error("something follows the dictionary") }
  }
}

private struct PythonLiteralParser {
  let bytes: [UInt8]
  var position = 0

  /// A list of fields in a tuple in a dictionary is 4 deep; chosen with room, so that no nesting exhausts the stack.
  static let depthMax = 16

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  func error(_ detail: String) -> PythonLiteral.SyntaxError { PythonLiteral.SyntaxError(position: position, detail: detail) }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
  }

  private mutating func skip(_ character: Character) -> Bool {
    skipSpace()
    guard next == character.asciiValue else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(PythonLiteral.SyntaxError) -> PythonLiteral {
    guard depth <= Self.depthMax else { throw error("more than \(Self.depthMax) brackets are open") }
    skipSpace()
    guard let next else { throw error("the text ends where a literal must stand") }
    switch next {
    case UInt8(ascii: "{"): return try dictionary(depth: depth)
    case UInt8(ascii: "("): return try parenthesis(depth: depth)
    case UInt8(ascii: "["):
      position += 1
      return .list(try elements(until: "]", depth: depth).values)
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .integer(try integer())
    default: return try word()
    }
  }

  private mutating func dictionary(depth: Int) throws(PythonLiteral.SyntaxError) -> PythonLiteral {
    position += 1
    var entries: [PythonLiteral.Entry] = []
    while !skip("}") {
      skipSpace()
      guard next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") else { throw error("a key in quotes must stand here") }
      let key = try string()
      if entries.contains(where: { $0.key == key }) { throw error("the key '\(key)' comes twice") }
      guard skip(":") else { throw error("a colon must stand here") }
      entries.append(PythonLiteral.Entry(key: key, value: try value(depth: depth + 1)))
      if skip(",") { continue }
      guard skip("}") else { throw error("a comma or '}' must stand here") }
      break
    }
    return .dictionary(entries)
  }

  /// `(1)` is the value 1, `(1,)` and `()` are tuples.
  private mutating func parenthesis(depth: Int) throws(PythonLiteral.SyntaxError) -> PythonLiteral {
    position += 1
    let (values, endsWithComma) = try elements(until: ")", depth: depth)
    return values.count == 1 && !endsWithComma ? values[0] : .tuple(values)
  }

  private mutating func elements(
    until end: Character, depth: Int
  ) throws(PythonLiteral.SyntaxError) -> (values: [PythonLiteral], endsWithComma: Bool) {
    var values: [PythonLiteral] = []
    var endsWithComma = false
    while !skip(end) {
      values.append(try value(depth: depth + 1))
      endsWithComma = skip(",")
      if !endsWithComma {
        guard skip(end) else { throw error("a comma or '\(end)' must stand here") }
        break
      }
    }
    return (values, endsWithComma)
  }

  private mutating func string() throws(PythonLiteral.SyntaxError) -> String {
    let quote = bytes[position]
    let start = position + 1
    position = start
    while let byte = next, byte != quote {
      // Types and keys need no escapes; a name of a field that has one belongs to an array that is refused anyway.
      guard byte != UInt8(ascii: "\\") && byte >= 0x20 else { throw error("an escape or a control character stands in a string") }
      position += 1
    }
    guard next == quote else { throw error("a string does not end") }
    defer { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func integer() throws(PythonLiteral.SyntaxError) -> Int {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      position = start
      throw error("an integer must fit 64 bits")
    }
    // Python 2 wrote long integers as 60000L.
    if next == UInt8(ascii: "L") { position += 1 }
    return value
  }

  private mutating func word() throws(PythonLiteral.SyntaxError) -> PythonLiteral {
    let start = position
    while let byte = next, isLetter(byte), position - start < 8 { position += 1 }
    switch String(decoding: bytes[start..<position], as: UTF8.self) {
    case "True": return .boolean(true)
    case "False": return .boolean(false)
    case "None": return .none
    default:
      position = start
      throw error("a literal must stand here: a string, an integer, True, False, a tuple, a list or a dictionary")
    }
  }

  private func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) }
}
