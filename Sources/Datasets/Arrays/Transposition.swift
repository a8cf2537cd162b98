import Files

/// Turns numbers stored with the first index fastest (Fortran's order) into examples with the last index fastest, from file to file.
///
/// Two steps, each in blocks that fit in memory. First `[dims, count]` becomes `[count, dims]`; then, in pictures, the numbers of every
/// example are put from the order `[channels, width, height]` to `[height, width, channels]`.
struct Transposition {
  let count: Int
  let shape: ExampleShape
  let elementBytes: Int
  /// Where the numbers begin, in both files.
  let start: Int

  /// Numbers in a block: at most 16 MB, and any one example fits (`ExampleShape.dimsMax`).
  private static let blockNumbersMax = 1 << 22

  func run(from source: borrowing StagedFile, to destination: borrowing StagedFile) throws(Errno) {
    // Square blocks, so that runs are long on both sides; all of a short side.
    let dims = shape.dims
    var columnsMax = min(dims, 1 << 11)
    let rowsMax = min(count, Self.blockNumbersMax / columnsMax)
    columnsMax = min(dims, Self.blockNumbersMax / rowsMax)
    var block = [UInt8](repeating: 0, count: rowsMax * columnsMax * elementBytes)
    var transposed = block
    for firstRow in stride(from: 0, to: count, by: rowsMax) {
      let rows = firstRow..<min(firstRow + rowsMax, count)
      for firstColumn in stride(from: 0, to: dims, by: columnsMax) {
        let columns = firstColumn..<min(firstColumn + columnsMax, dims)
        try read(rows, columns, of: source, into: &block)
        Numbers.transpose(block, rows: columns.count, columns: rows.count, elementBytes: elementBytes, into: &transposed)
        try write(transposed, rows, columns, to: destination)
      }
    }
    try reorderExamples(of: destination)
  }

  /// Reads `[columns, rows]` of a file that is `[dims, count]`.
  private func read(
    _ rows: Range<Int>, _ columns: Range<Int>, of source: borrowing StagedFile, into block: inout [UInt8]
  ) throws(Errno) {
    if rows.count == count {
      let bytes = 0..<columns.count * count * elementBytes
      return try source.readAll(into: &block, bytes, at: start + columns.lowerBound * count * elementBytes)
    }
    let run = rows.count * elementBytes
    for (place, column) in columns.enumerated() {
      try source.readAll(into: &block, place * run..<(place + 1) * run, at: start + (column * count + rows.lowerBound) * elementBytes)
    }
  }

  /// Writes `[rows, columns]` of a file that is `[count, dims]`.
  private func write(_ block: [UInt8], _ rows: Range<Int>, _ columns: Range<Int>, to destination: borrowing StagedFile) throws(Errno) {
    let dims = shape.dims
    if columns.count == dims {
      let bytes = rows.count * dims * elementBytes
      return try destination.write(block.span.extracting(..<bytes), at: start + rows.lowerBound * dims * elementBytes)
    }
    let run = columns.count * elementBytes
    for (place, row) in rows.enumerated() {
      let bytes = block.span.extracting(place * run..<(place + 1) * run)
      try destination.write(bytes, at: start + (row * dims + columns.lowerBound) * elementBytes)
    }
  }

  private func reorderExamples(of file: borrowing StagedFile) throws(Errno) {
    guard case .image(let height, let width, let channels) = shape, !(height == 1 && width == 1) else { return }
    let bytes = shape.dims * elementBytes
    let examplesMax = max(1, Self.blockNumbersMax / shape.dims)
    var block = [UInt8](repeating: 0, count: examplesMax * bytes)
    var (example, plane, reordered) = ([UInt8](), [UInt8](), [UInt8](repeating: 0, count: bytes))
    for first in stride(from: 0, to: count, by: examplesMax) {
      let examples = min(examplesMax, count - first)
      try file.readAll(into: &block, 0..<examples * bytes, at: start + first * bytes)
      for index in 0..<examples {
        example = Array(block[index * bytes..<(index + 1) * bytes])
        if plane.count != bytes { plane = example }
        // [channels, width, height] to [height, channels, width], and in each row to [width, channels].
        Numbers.transpose(example, rows: channels * width, columns: height, elementBytes: elementBytes, into: &plane)
        if channels == 1 {
          Numbers.copy(plane, from: 0, count: bytes, into: &block, at: index * bytes)
          continue
        }
        let rowBytes = width * channels * elementBytes
        for row in 0..<height {
          let line = Array(plane[row * rowBytes..<(row + 1) * rowBytes])
          Numbers.transpose(line, rows: channels, columns: width, elementBytes: elementBytes, into: &reordered)
          Numbers.copy(reordered, from: 0, count: rowBytes, into: &block, at: index * bytes + row * rowBytes)
        }
      }
      try file.write(block.span.extracting(..<(examples * bytes)), at: start + first * bytes)
    }
  }
}
