import Files
import Glibc

/// How many examples are equal to one before them.
enum Duplicates {
  /// Chosen: 8 bytes each are 128 MB; of more examples it is not told.
  private static let examplesMax = 1 << 24

  /// Counts by a 64-bit hash of each example's bytes: of 16 million that differ, two share one with a chance of 1 in 100 000. The file is
  /// read and not mapped: mapped pages would count as this process's memory.
  /// - Returns: nil where there are too many examples to count.
  static func count(in path: String, from start: Int, examples: Int, bytesEach: Int) throws(Errno) -> Int? {
    guard examples <= examplesMax else { return nil }
    let file = try OpenFile(reading: path)
    // Chosen: 1 MB, and at least one example.
    let partExamples = max(1, (1 << 20) / bytesEach)
    var part = [UInt8](repeating: 0, count: partExamples * bytesEach)
    var hashes: [UInt64] = []
    hashes.reserveCapacity(examples)
    for first in stride(from: 0, to: examples, by: partExamples) {
      let count = min(partExamples, examples - first)
      var done = 0
      while done < count * bytesEach {
        let read = try file.read(into: &part, done..<count * bytesEach, at: start + first * bytesEach + done)
        guard read > 0 else { throw Errno(code: EIO, operation: "read", path: path) }
        done += read
      }
      for place in 0..<count { hashes.append(Numbers.hash(part.span, from: place * bytesEach, count: bytesEach)) }
    }
    hashes.sort()
    return zip(hashes, hashes.dropFirst()).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
  }
}
