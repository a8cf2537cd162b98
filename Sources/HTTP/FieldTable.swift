import HTTPTypes

/// The fields of a head as offsets into its bytes: no field becomes a string before someone asks for it.
package struct FieldTable: Sendable, Equatable {
  let bytes: [UInt8]
  let lines: [FieldLine]

  init(bytes: [UInt8], lines: [FieldLine]) {
    self.bytes = bytes
    self.lines = lines
  }

  /// A table of given fields, for requests that no socket brought.
  package init(_ fields: HTTPFields = [:]) {
    var bytes: [UInt8] = []
    var lines: [FieldLine] = []
    for field in fields {
      let name = bytes.count
      bytes += Array(field.name.rawName.utf8)
      let value = bytes.count
      bytes += Array(field.value.utf8)
      lines.append(FieldLine(name: name..<value, value: value..<bytes.count))
    }
    self.init(bytes: bytes, lines: lines)
  }

  /// All fields in the order they came.
  package var headers: HTTPFields {
    var headers = HTTPFields()
    for line in lines {
      guard let name = HTTPField.Name(text(line.name)) else { continue }
      headers.append(HTTPField(name: name, value: text(line.value)))
    }
    return headers
  }

  /// The value of the first field of that name, whatever its case.
  package subscript(_ name: HTTPField.Name) -> String? {
    let wanted = Array(name.canonicalName.utf8)
    return lines.first { bytes[$0.name].elementsEqual(wanted) { $0.lowercasedASCII == $1 } }.map { text($0.value) }
  }

  /// The values of all fields of that name as one list (RFC 9110 §5.3); nil where there is none.
  package func list(_ name: HTTPField.Name) -> String? {
    let wanted = Array(name.canonicalName.utf8)
    let values = lines.filter { bytes[$0.name].elementsEqual(wanted) { $0.lowercasedASCII == $1 } }.map { text($0.value) }
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }

  /// How many fields have that name.
  func count(of name: HTTPField.Name) -> Int {
    let wanted = Array(name.canonicalName.utf8)
    return lines.count { bytes[$0.name].elementsEqual(wanted) { $0.lowercasedASCII == $1 } }
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

/// Where a field's name and trimmed value lie in the bytes of their head.
struct FieldLine: Sendable, Equatable {
  let name: Range<Int>
  let value: Range<Int>
}
