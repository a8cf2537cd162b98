/// Reading the header of an NPY file (numpy.lib.format, versions 1.0 to 3.0).
extension NPY {
  /// The most that a header may take. NumPy itself reads 10 000 characters unless told otherwise.
  static let headerBytesMax = 1 << 16

  static func isMagic(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  static func readLayout(_ reader: ByteReader) throws(DecodeError) -> ArrayLayout {
    let version = try reader.take(magic.count + 2, "NPY header, version")
    let (major, minor) = (version[magic.count], version[magic.count + 1])
    guard (1...3).contains(major), minor == 0 else {
      throw reader.error(.unsupported, "NPY header, version", "is \(major).\(minor); 1.0, 2.0 and 3.0 are allowed", at: magic.count)
    }
    let lengthField = try reader.take(major == 1 ? 2 : 4, "NPY header, length")
    let length = lengthField.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard (1...headerBytesMax).contains(length) else {
      throw reader.error(
        .malformed, "NPY header, length", "is \(length); 1 to \(headerBytesMax) bytes are allowed", at: magic.count + 2)
    }
    let start = reader.offset
    let text = try reader.take(length, "NPY header, dictionary")
    let header: PythonLiteral
    do {
      header = try PythonLiteral(parsing: text)
    } catch {
      throw reader.error(.malformed, "NPY header, dictionary", error.detail, at: start + error.position)
    }
    return try layout(header, reader, at: start)
  }

  private static func layout(_ header: PythonLiteral, _ reader: ByteReader, at start: Int) throws(DecodeError) -> ArrayLayout {
    let subject = "NPY header"
    guard case .dictionary(let entries) = header else {
      throw reader.error(.malformed, subject, "is no dictionary", at: start)
    }
    let known = ["descr", "fortran_order", "shape"]
    guard entries.map(\.key).sorted() == known else {
      let found = entries.map { "'\($0.key)'" }.joined(separator: ", ")
      throw reader.error(
        .malformed, subject, "has the keys \(found.prefix(200)); exactly 'descr', 'fortran_order' and 'shape' are allowed", at: start)
    }
    var fields: [String: PythonLiteral] = [:]
    for entry in entries { fields[entry.key] = entry.value }
    guard case .boolean(let isColumnMajor)? = fields["fortran_order"] else {
      throw reader.error(.malformed, "\(subject), fortran_order", "must be True or False", at: start)
    }
    guard case .tuple(let sides)? = fields["shape"] else {
      throw reader.error(.malformed, "\(subject), shape", "must be a tuple of integers", at: start)
    }
    var dimensions: [Int] = []
    for (index, side) in sides.enumerated() {
      guard case .integer(let value) = side, value >= 0 else {
        throw reader.error(.malformed, "\(subject), shape, dimension \(index)", "must be an integer of 0 or more", at: start)
      }
      dimensions.append(value)
    }
    let (type, isBigEndian) = try numberType(fields["descr"] ?? .none, reader, at: start)
    return ArrayLayout(format: .npy, dimensions: dimensions, type: type, isBigEndian: isBigEndian, isColumnMajor: isColumnMajor)
  }

  private static let types: [String: NumberType] = [
    "b1": .bool, "u1": .uint8, "i1": .int8, "u2": .uint16, "i2": .int16, "u4": .uint32, "i4": .int32, "u8": .uint64, "i8": .int64,
    "f2": .float16, "f4": .float32, "f8": .float64,
  ]

  /// The kinds of NumPy's type strings that no dataset is made of, each by its name.
  private static let refusedKinds: [Character: String] = [
    "O": "Python objects, which are pickled and never loaded here", "c": "complex numbers", "S": "byte strings", "a": "byte strings",
    "U": "strings", "V": "raw or structured records", "M": "dates", "m": "time spans", "f": "floats of that width",
  ]

  private static func numberType(
    _ descr: PythonLiteral, _ reader: ByteReader, at start: Int
  ) throws(DecodeError) -> (NumberType, isBigEndian: Bool) {
    let subject = "NPY header, descr"
    let allowed = "bool, integers of 8 to 64 bits and floats of 16 to 64 bits are allowed"
    if case .list = descr { throw reader.error(.unsupported, subject, "a structured array, of several fields; \(allowed)", at: start) }
    if case .tuple = descr { throw reader.error(.unsupported, subject, "an array of sub-arrays; \(allowed)", at: start) }
    guard case .string(let text) = descr else { throw reader.error(.malformed, subject, "must be a string", at: start) }
    guard let order = text.first, "<>|".contains(order), text.utf8.count <= 16 else {
      throw reader.error(.malformed, subject, "'\(text.prefix(16))' must begin with '<', '>' or '|'", at: start)
    }
    let name = String(text.dropFirst())
    if let type = types[name] {
      guard order != "|" || type.bytes == 1 else {
        throw reader.error(.malformed, subject, "'\(text)' says no byte order; '<' or '>' must stand before '\(name)'", at: start)
      }
      return (type, order == ">")
    }
    let kind = name.first.flatMap { refusedKinds[$0] } ?? "of an unknown type"
    throw reader.error(.unsupported, subject, "'\(text)' is \(kind); \(allowed)", at: start)
  }
}
