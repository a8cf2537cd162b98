import Files

/// The `examples.npy` that a decoder writes: examples one after another, then their labels where there are any.
///
/// Dropped before `finish`, nothing of it stays.
struct ExampleFile: ~Copyable {
  var statistics = Statistics()
  private let count: Int
  private let shape: ExampleShape
  private let element: Element
  private let path: String
  private let header: [UInt8]
  private var file: StagedFile

  init(_ path: String, count: Int, _ shape: ExampleShape, _ element: Element) throws(DecodeError) {
    self.path = path
    self.count = count
    self.shape = shape
    self.element = element
    header = NPY.header(dimensions: [count] + shape.sides, element: element)
    file = try Self.stagedFile(path, header)
  }

  private static func stagedFile(_ path: String, _ header: [UInt8]) throws(DecodeError) -> StagedFile {
    try DecodeError.onDisk { () throws(Errno) in
      let file = try StagedFile(for: path)
      try file.write(header.span)
      return file
    }
  }

  /// Numbers as they are stored, of which the caller keeps the statistics.
  func write(_ numbers: Span<UInt8>) throws(DecodeError) {
    try DecodeError.onDisk { () throws(Errno) in try file.write(numbers) }
  }

  /// Bytes of examples.
  mutating func append(_ bytes: [UInt8]) throws(DecodeError) {
    precondition(element == .uint8, "bytes as \(element)")
    var histogram = [Int](repeating: 0, count: 256)
    Numbers.count(bytes, bytes.count, into: &histogram)
    statistics.add(histogram)
    try write(bytes.span)
  }

  /// Numbers that were written with the first index fastest are put with the last index fastest.
  mutating func transpose() throws(DecodeError) {
    let inOrder = try Self.stagedFile(path, header)
    let transposition = Transposition(count: count, shape: shape, elementBytes: element.bytes, start: header.count)
    try DecodeError.onDisk { () throws(Errno) in try transposition.run(from: file, to: inOrder) }
    file = inOrder
  }

  /// Puts the file on the disk under its name, and looks through it once for examples that come again.
  consuming func finish(format: UploadFormat, labels: Labels?) throws(DecodeError) -> DatasetDescription {
    if let labels {
      precondition(labels.values.count == count, "\(labels.values.count) labels of \(count) examples")
      let (encoded, end) = (labels.encoded, header.count + count * shape.dims * element.bytes)
      try DecodeError.onDisk { () throws(Errno) in try file.write(encoded.span, at: end) }
    }
    try DecodeError.onDisk { () throws(Errno) in try file.commit() }
    let (path, start, bytes) = (path, header.count, shape.dims * element.bytes)
    let count = count
    let duplicates = try DecodeError.onDisk { () throws(Errno) in
      try Duplicates.count(in: path, from: start, examples: count, bytesEach: bytes)
    }
    return DatasetDescription(
      count: count, shape: shape, element: element, format: format.rawValue, minimum: statistics.minimum, maximum: statistics.maximum,
      mean: statistics.mean, bits: statistics.bits, duplicates: duplicates, classes: labels?.classes)
  }
}
