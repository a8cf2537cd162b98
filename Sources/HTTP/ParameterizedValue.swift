/// A field's value with parameters: `form-data; name="file"` (RFC 9110 §5.6.6; RFC 6266 §4.1, RFC 2045 §5.1).
///
/// Read strictly, for two readers must not see two names: each parameter once, blanks only around the semicolons.
struct ParameterizedValue: Equatable {
  /// What stands before the first semicolon, in lower case.
  let value: String
  /// By their names in lower case.
  let parameters: [String: String]

  /// Nil for what the grammar has no place for.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    let valueEnd = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.count
    let value = bytes[..<valueEnd].trimmed
    guard !value.isEmpty, value.allSatisfy({ $0.isToken || $0 == UInt8(ascii: "/") }) else { return nil }
    var parameters: [String: String] = [:]
    var rest = bytes[valueEnd...]
    while rest.popFirst() != nil {  // A semicolon, each time.
      rest = rest.drop { $0.isBlank }
      let name = rest.prefix { $0.isToken }
      rest = rest.dropFirst(name.count)
      if name.isEmpty {
        guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
        continue
      }
      guard rest.popFirst() == UInt8(ascii: "="), let text = Self.takeText(&rest) else { return nil }
      rest = rest.drop { $0.isBlank }
      guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
      guard parameters.updateValue(text, forKey: String(decoding: name.map(\.lowercasedASCII), as: UTF8.self)) == nil else { return nil }
    }
    self.value = String(decoding: value.map(\.lowercasedASCII), as: UTF8.self)
    self.parameters = parameters
  }

  /// A token or a quoted string (RFC 9110 §5.6.4), whose backslashes are taken away.
  private static func takeText(_ rest: inout ArraySlice<UInt8>) -> String? {
    guard rest.first == UInt8(ascii: "\"") else {
      let token = rest.prefix { $0.isToken }
      rest = rest.dropFirst(token.count)
      return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
    }
    rest = rest.dropFirst()
    var text: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst() else { return nil }
        text.append(escaped)
      default: text.append(byte)
      }
    }
    return nil
  }
}

extension ArraySlice<UInt8> {
  fileprivate var trimmed: ArraySlice<UInt8> {
    var slice = drop { $0.isBlank }
    while slice.last?.isBlank == true { slice = slice.dropLast() }
    return slice
  }
}
