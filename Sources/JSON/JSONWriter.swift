extension JSONValue {
  /// The value as compact JSON text, or, with `pretty`, indented for a person.
  ///
  /// Numbers are written so that they read back as the same double. A number that is not finite is written as null.
  package func serialized(pretty: Bool = false) -> String { String(decoding: serializedBytes(pretty: pretty), as: UTF8.self) }

  package func serializedBytes(pretty: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes, indent: pretty ? 0 : nil)
    return bytes
  }

  private func write(to bytes: inout [UInt8], indent: Int?) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .number(let value): bytes += Self.text(of: value).utf8
    case .string(let value): Self.write(value, to: &bytes)
    case .array(let values):
      Self.writeList(values, "[", "]", to: &bytes, indent: indent) { value, bytes, indent in value.write(to: &bytes, indent: indent) }
    case .object(let object):
      Self.writeList(Array(object), "{", "}", to: &bytes, indent: indent) { member, bytes, indent in
        Self.write(member.key, to: &bytes)
        bytes += (indent == nil ? ":" : ": ").utf8
        member.value.write(to: &bytes, indent: indent)
      }
    }
  }

  private static func text(of value: Double) -> String {
    guard value.isFinite else { return "null" }
    if let integer = Int(exactly: value), abs(value) < 1e15 { return String(integer) }
    return value.description
  }

  private static func writeList<Element>(
    _ elements: [Element], _ open: String, _ close: String, to bytes: inout [UInt8], indent: Int?,
    each: (Element, inout [UInt8], Int?) -> Void
  ) {
    bytes += open.utf8
    let inner = indent.map { $0 + 2 }
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes += ",".utf8 }
      if let inner { bytes += ("\n" + String(repeating: " ", count: inner)).utf8 }
      each(element, &bytes, inner)
    }
    if let indent, !elements.isEmpty { bytes += ("\n" + String(repeating: " ", count: indent)).utf8 }
    bytes += close.utf8
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  private static func write(_ string: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): bytes += "\\n".utf8
      case UInt8(ascii: "\r"): bytes += "\\r".utf8
      case UInt8(ascii: "\t"): bytes += "\\t".utf8
      case 0..<0x20, 0x7F: bytes += "\\u00".utf8 + [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
