import Files
import Glibc

/// Turns an upload, told by its content and never by its name, into `FOLDER/examples.npy` and `FOLDER/dataset.json`.
///
/// Takes constant memory whatever the upload's size, and reads it once, or twice where wide integers turn out not to fit bytes. Either both
/// files are there, whole and on the disk, or neither; what the folder held under those names before is gone either way.
/// - Parameter folder: is there already.
package func decode(
  upload path: String, into folder: String, limits: DecodeLimits = DecodeLimits()
) throws(DecodeError) -> DatasetDescription {
  let (examples, description) = ("\(folder)/\(DecodedFolder.examplesName)", "\(folder)/\(DecodedFolder.descriptionName)")
  try DecodeError.onDisk { () throws(Errno) in
    try Disk.removeTree(examples)
    try Disk.removeTree(description)
  }
  let decoded = try decodeExamples(upload: path, to: examples, limits)
  do {
    try Disk.replace(description, with: decoded.json.serializedBytes() + [UInt8(ascii: "\n")])
  } catch {
    // Examples without a description are nothing; if they can't be removed, the folder's owner removes them with it.
    try? Disk.removeTree(examples)
    throw DecodeError(disk: error)
  }
  return decoded
}

private func decodeExamples(upload path: String, to examples: String, _ limits: DecodeLimits) throws(DecodeError) -> DatasetDescription {
  let elements = try ArrayDecoder(upload: path, limits).layout.type.elements
  for element in elements {
    if let description = try ArrayDecoder(upload: path, limits).decode(as: element, to: examples) { return description }
  }
  preconditionFailure("numbers that fit none of \(elements)")
}

/// One pass over an array, from its numbers in the upload to examples in a file.
private struct ArrayDecoder {
  let layout: ArrayLayout
  private let reader: ByteReader
  private let limits: DecodeLimits
  private let shape: ExampleShape
  private let valueCount: Int

  /// Numbers converted at a time: at most 1 MB of input. Chosen; nothing depends on it.
  private static let partValues = 1 << 17

  /// Reads the header and checks it against what is there, before anything is written.
  init(upload path: String, _ limits: DecodeLimits) throws(DecodeError) {
    reader = try ByteReader(upload: path, limits: limits)
    self.limits = limits
    layout = try Sniffing.readLayout(reader)
    let subject = "\(layout.format.uppercased()) header, shape"
    shape = try layout.exampleShape(subject, reader)
    let widest = max(layout.type.bytes, layout.type.elements.map(\.bytes).max() ?? 0)
    guard let bytes = Sizes.product(layout.dimensions + [widest]), bytes <= limits.bytesMax else {
      let shown = layout.dimensions.map(String.init).joined(separator: " x ")
      throw reader.error(
        .tooLarge, subject,
        "\(shown) numbers of \(layout.type.rawValue) would be more than \(limits.bytesMax) bytes, the most that is allowed")
    }
    valueCount = bytes / widest
    try checkLength()
  }

  /// A plain upload tells at once whether it is as long as its header says.
  private func checkLength() throws(DecodeError) {
    guard let remaining = reader.remainingBytes else { return }
    let needed = valueCount * layout.type.bytes
    if remaining < needed {
      throw reader.error(
        .malformed, "the numbers",
        "the header promises \(needed) bytes and \(remaining) are there: the upload is cut off, or its header lies",
        at: reader.offset + remaining)
    }
    if remaining > needed { throw trailingBytes(at: reader.offset + needed) }
  }

  private func trailingBytes(at offset: Int) -> DecodeError {
    reader.error(.malformed, "after the numbers", "bytes follow that the header does not promise; none are allowed", at: offset)
  }

  /// - Returns: nil where a number does not fit `element`; then nothing was written.
  func decode(as element: Element, to path: String) throws(DecodeError) -> DatasetDescription? {
    let header = NPY.header(dimensions: [layout.dimensions[0]] + shape.sides, element: element)
    var file = try stagedFile(for: path, header)
    guard let statistics = try writeNumbers(as: element, to: file) else { return nil }
    guard try reader.isAtEnd() else { throw trailingBytes(at: reader.offset) }
    if layout.isColumnMajor {
      let inOrder = try stagedFile(for: path, header)
      let transposition = Transposition(count: layout.dimensions[0], shape: shape, elementBytes: element.bytes, start: header.count)
      try DecodeError.onDisk { () throws(Errno) in try transposition.run(from: file, to: inOrder) }
      file = inOrder
    }
    try DecodeError.onDisk { () throws(Errno) in try file.commit() }
    return DatasetDescription(
      count: layout.dimensions[0], shape: shape, element: element, format: layout.format, minimum: statistics.minimum,
      maximum: statistics.maximum, mean: statistics.mean, bits: statistics.bits)
  }

  private func stagedFile(for path: String, _ header: [UInt8]) throws(DecodeError) -> StagedFile {
    try DecodeError.onDisk { () throws(Errno) in
      let file = try StagedFile(for: path)
      try file.write(header.span)
      return file
    }
  }

  /// Converts the numbers part by part, in the order in which they come.
  private func writeNumbers(as element: Element, to file: borrowing StagedFile) throws(DecodeError) -> Statistics? {
    var statistics = Statistics()
    var input = [UInt8](repeating: 0, count: Self.partValues * layout.type.bytes)
    var output = [UInt8](repeating: 0, count: Self.partValues * element.bytes)
    for start in stride(from: 0, to: valueCount, by: Self.partValues) {
      let count = min(Self.partValues, valueCount - start)
      try reader.take(count * layout.type.bytes, into: &input, "the numbers")
      if let misfit = convert(input, count, as: element, into: &output, &statistics) {
        if layout.type.elements.last != element { return nil }
        throw misfitError(input, at: misfit, of: start)
      }
      try DecodeError.onDisk { () throws(Errno) in try file.write(output.span.extracting(..<(count * element.bytes))) }
      try checkProcessorTime()
    }
    return statistics
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
      case .float16: Self.fault(Double(Numbers.float(halfBits: UInt16(truncatingIfNeeded: bits))))
      case .float32: Self.fault(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
      case .float64: Self.fault(Double(bitPattern: bits))
      default: "is the byte \(bits); a bool must be 0 or 1"
      }
    // Numbers that were read lie before the reader's place.
    let numbersStart = reader.offset - (start * width + min(Self.partValues, valueCount - start) * width)
    return reader.error(.malformed, layout.place(ofValue: start + index), fault, at: numbersStart + (start + index) * width)
  }

  private static func fault(_ value: Double) -> String {
    if value.isNaN { return "is NaN; every number must be finite" }
    if value.isInfinite { return "is \(value < 0 ? "-" : "")infinity; every number must be finite" }
    return "is \(value), too large for the 32-bit floats that datasets are kept in"
  }

  private func checkProcessorTime() throws(DecodeError) {
    guard let most = limits.processorSecondsMax, clock() / Int(CLOCKS_PER_SEC) >= most else { return }
    throw reader.error(.tooLarge, "the upload", "takes more than \(most) seconds to decode, the most that is allowed")
  }
}
