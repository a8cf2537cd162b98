import Files

/// One pass over an array, from its numbers in the upload to examples in a file.
struct ArrayDecoder {
  let layout: ArrayLayout
  private let reader: ByteReader
  private let limits: DecodeLimits
  private let shape: ExampleShape
  private let valueCount: Int

  /// Numbers converted at a time: at most 1 MB of input. Chosen; nothing depends on it.
  private static let partValues = 1 << 17

  /// Decodes the array into `path`: bytes where every number fits, else floats.
  /// - Parameter format: of the upload that the array is in.
  static func decode(
    _ source: ArraySource, as format: UploadFormat, labels: Labels?, to path: String
  ) throws(DecodeError) -> DatasetDescription {
    let elements = try ArrayDecoder(source).layout.type.elements
    for element in elements {
      if let description = try ArrayDecoder(source).decode(as: element, format, labels, to: path) { return description }
    }
    preconditionFailure("numbers that fit none of \(elements)")
  }

  /// Reads the header and checks it against what is there, before anything is written.
  private init(_ source: ArraySource) throws(DecodeError) {
    (reader, layout) = try source.open()
    limits = source.upload.limits
    shape = try layout.exampleShape(reader)
    let widest = max(layout.type.bytes, layout.type.elements.map(\.bytes).max() ?? 0)
    guard let bytes = Sizes.product(layout.dimensions + [widest]), bytes <= limits.bytesMax else {
      let shown = layout.dimensions.map(String.init).joined(separator: " x ")
      throw reader.error(
        .tooLarge, layout.shapeField,
        "\(shown) numbers of \(layout.type.rawValue) would be more than \(limits.bytesMax) bytes, the most that is allowed")
    }
    valueCount = bytes / widest
    try layout.checkLength(reader, count: valueCount)
  }

  /// - Returns: nil where a number does not fit `element`; then nothing was written.
  private func decode(as element: Element, _ format: UploadFormat, _ labels: Labels?, to path: String) throws(DecodeError)
    -> DatasetDescription?
  {
    var examples = try ExampleFile(path, count: layout.dimensions[0], shape, element)
    guard try writeNumbers(as: element, to: &examples) else { return nil }
    try layout.finish(reader)
    if layout.isColumnMajor { try examples.transpose() }
    return try examples.finish(format: format, labels: labels)
  }

  /// Converts the numbers part by part, in the order in which they come; false where one does not fit `element` and may fit another.
  private func writeNumbers(as element: Element, to examples: inout ExampleFile) throws(DecodeError) -> Bool {
    var input = [UInt8](repeating: 0, count: Self.partValues * layout.type.bytes)
    var output = [UInt8](repeating: 0, count: Self.partValues * element.bytes)
    for start in stride(from: 0, to: valueCount, by: Self.partValues) {
      let count = min(Self.partValues, valueCount - start)
      try reader.take(count * layout.type.bytes, into: &input, "the numbers")
      if let misfit = convert(input, count, as: element, into: &output, &examples.statistics) {
        if layout.type.elements.last != element { return false }
        throw misfitError(input, at: misfit, of: start)
      }
      try examples.write(output.span.extracting(..<(count * element.bytes)))
      try limits.checkProcessorTime(reader.place)
    }
    return true
  }

  private func convert(
    _ input: [UInt8], _ count: Int, as element: Element, into output: inout [UInt8], _ statistics: inout Statistics
  ) -> Int? {
    switch element {
    case .uint8:
      var histogram = [Int](repeating: 0, count: 256)
      let misfit = Numbers.convert(input, count: count, layout.type, isBigEndian: layout.isBigEndian, toBytes: &output, &histogram)
      statistics.add(histogram)
      return misfit
    case .float32:
      var part = Statistics.Part()
      let misfit = Numbers.convert(input, count: count, layout.type, isBigEndian: layout.isBigEndian, toFloats: &output, &part)
      statistics.add(part)
      return misfit
    }
  }

  /// What is wrong with a number that fits no element.
  private func misfitError(_ input: [UInt8], at index: Int, of start: Int) -> DecodeError {
    let width = layout.type.bytes
    let bytes = input[index * width..<(index + 1) * width]
    let bits = (layout.isBigEndian ? Array(bytes) : bytes.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let fault =
      switch layout.type {
      case .float16: NumberFault.detail(Double(Numbers.float(halfBits: UInt16(truncatingIfNeeded: bits))))
      case .bfloat16: NumberFault.detail(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16)))
      case .float32: NumberFault.detail(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
      case .float64: NumberFault.detail(Double(bitPattern: bits))
      default: "is the byte \(bits); a bool must be 0 or 1"
      }
    // Numbers that were read lie before the reader's place.
    let numbersStart = reader.offset - (start * width + min(Self.partValues, valueCount - start) * width)
    return reader.error(.malformed, layout.place(ofValue: start + index), fault, at: numbersStart + (start + index) * width)
  }
}

/// What is wrong with a number that is no finite float32.
enum NumberFault {
  static func detail(_ value: Double) -> String {
    if value.isNaN { return "is NaN; every number must be finite" }
    if value.isInfinite { return "is \(value < 0 ? "-" : "")infinity; every number must be finite" }
    return "is \(value), too large for the 32-bit floats that datasets are kept in"
  }
}
