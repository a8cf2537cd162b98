import Files

/// How many examples are equal to one before them.
enum Duplicates {
  /// Chosen: 8 bytes each are 128 MB; of more examples it is not told.
  private static let examplesMax = 1 << 24

  /// Counts by a 64-bit hash of each example's bytes: of 16 million that differ, two share one with a chance of 1 in 100 000.
  /// - Returns: nil where there are too many examples to count.
  static func count(in file: MappedFile, from start: Int, examples: Int, bytesEach: Int) -> Int? {
    guard examples <= examplesMax else { return nil }
    var hashes = file.withBytes { bytes in
      (0..<examples).map { Numbers.hash(bytes, from: start + $0 * bytesEach, count: bytesEach) }
    }
    hashes.sort()
    return zip(hashes, hashes.dropFirst()).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
  }
}
