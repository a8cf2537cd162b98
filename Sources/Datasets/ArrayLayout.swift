/// What the header of an array says: everything that reading its numbers needs.
struct ArrayLayout: Equatable {
  /// `idx` or `npy`.
  let format: String
  /// The first is the number of examples.
  let dimensions: [Int]
  let type: NumberType
  let isBigEndian: Bool
  /// Whether the first index runs fastest, as in Fortran, and not the last, as in C.
  let isColumnMajor: Bool

  /// The examples' shape: two dimensions are a table, three grey pictures, four pictures of 1 or 3 channels.
  /// - Parameter subject: the field that holds the dimensions, for an error.
  func exampleShape(_ subject: String, _ reader: ByteReader) throws(DecodeError) -> ExampleShape {
    let shown = "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
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
