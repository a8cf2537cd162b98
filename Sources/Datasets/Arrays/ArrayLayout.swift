/// What the header of an array says: everything that reading its numbers needs.
struct ArrayLayout: Equatable {
  let format: UploadFormat
  /// The first is the number of examples.
  let dimensions: [Int]
  let type: NumberType
  let isBigEndian: Bool
  /// Whether the first index runs fastest, as in Fortran, and not the last, as in C.
  let isColumnMajor: Bool
  /// Bytes that follow the numbers, of what else the file holds.
  var bytesAfter = 0

  /// The field that holds the dimensions, for an error.
  var shapeField: String { "\(format.rawValue.uppercased()) header, shape" }

  /// As in `[60000, 28, 28]`.
  var shown: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }

  /// The examples' shape: two dimensions are a table, three grey pictures, four pictures of 1 or 3 channels.
  func exampleShape(_ reader: ByteReader) throws(DecodeError) -> ExampleShape {
    let subject = shapeField
    let allowed = "[count, columns], [count, height, width] or [count, height, width, channels]"
    switch dimensions.count {
    case 0: throw reader.error(.unsupported, subject, "one number alone is no dataset; the shape must be \(allowed)")
    case 1:
      throw reader.error(
        .unsupported, subject, "the shape \(shown) has one dimension, as a list of labels has; the shape must be \(allowed)")
    case 2...4: break
    default: throw reader.error(.unsupported, subject, "\(dimensions.count) dimensions; the shape must be \(allowed)")
    }
    if let zero = dimensions.firstIndex(where: { $0 < 1 }) {
      throw reader.error(.unsupported, "\(subject), dimension \(zero)", "is \(dimensions[zero]); must be 1 or more")
    }
    guard dimensions[0] <= DatasetDescription.countMax else {
      throw reader.error(
        .tooLarge, subject, "the shape \(shown) has \(dimensions[0]) examples; at most \(DatasetDescription.countMax) are allowed")
    }
    if dimensions.count == 4, dimensions[3] != 1 && dimensions[3] != 3 {
      let hint = dimensions[1] == 1 || dimensions[1] == 3 ? "; channels come last here, not first" : ""
      throw reader.error(
        .unsupported, "\(subject), dimension 3", "the shape \(shown) has \(dimensions[3]) channels; 1 (grey) or 3 (RGB) are allowed\(hint)")
    }
    let sides = dimensions.count == 3 ? [dimensions[1], dimensions[2], 1] : Array(dimensions[1...])
    guard let shape = ExampleShape(sides: sides) else {
      throw reader.error(
        .tooLarge, subject, "the shape \(shown) has more numbers in an example than \(ExampleShape.dimsMax), the most that is allowed")
    }
    return shape
  }

  /// A file whose length is known tells at once whether it is as long as its header says.
  /// - Parameter count: of the numbers.
  func checkLength(_ reader: ByteReader, count: Int) throws(DecodeError) {
    guard let remaining = reader.remainingBytes else { return }
    let needed = count * type.bytes + bytesAfter
    if remaining < needed {
      throw reader.error(
        .malformed, "the numbers",
        "the header promises \(needed) bytes and \(remaining) are there: the upload is cut off, or its header lies",
        at: reader.offset + remaining)
    }
    if remaining > needed { throw Self.trailingBytes(reader, at: reader.offset + needed) }
  }

  /// Reads past what follows the numbers; there must be no more than the header promises.
  func finish(_ reader: ByteReader) throws(DecodeError) {
    try reader.skip(bytesAfter, "after the numbers")
    guard try reader.isAtEnd() else { throw Self.trailingBytes(reader, at: reader.offset) }
  }

  private static func trailingBytes(_ reader: ByteReader, at offset: Int) -> DecodeError {
    reader.error(.malformed, "after the numbers", "bytes follow that the header does not promise; none are allowed", at: offset)
  }

  /// Where the number at an index of the file belongs, for an error: as in `example 3, number 17`.
  func place(ofValue index: Int) -> String {
    guard isColumnMajor else {
      let dims = dimensions[1...].reduce(1, *)
      return "example \(index / dims), number \(index % dims)"
    }
    var rest = index
    let places = dimensions.map { side in
      defer { rest /= side }
      return rest % side
    }
    let number = zip(places, dimensions).dropFirst().reduce(0) { $0 * $1.1 + $1.0 }
    return "example \(places[0]), number \(number)"
  }
}
