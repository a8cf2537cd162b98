import Datasets
import Files

/// Which examples of a dataset train and which validate.
///
/// An example's side depends on what is in it alone, by a hash: the same example twice is on one side, and stays there whatever else
/// the dataset holds. So no copy of a training example ever validates.
package struct ValidationSplit: Sendable, Equatable {
  /// Numbers of the examples, ascending.
  package let training: [Int]
  package let validation: [Int]
  /// Whether so few examples differ that those that validate are a handful of patterns, of which training sees none.
  package let hasFewPatterns: Bool

  /// - Parameter fraction: 0…1, the expected part that validates; it holds up to chance.
  package init(_ dataset: Dataset, fraction: Double) {
    guard fraction > 0 else {
      training = Array(0..<dataset.count)
      validation = []
      hasFewPatterns = false
      return
    }
    let places = (0..<dataset.count).map { Self.place(ofExample: $0, in: dataset) }
    let border = Self.border(places, fraction: fraction)
    training = places.indices.filter { places[$0] >= border }
    validation = places.indices.filter { places[$0] < border }
    var patterns: Set<Double> = []
    hasFewPatterns = !places.contains { patterns.insert($0).inserted && patterns.count >= Self.patternsMin }
  }

  /// Chosen: of 100 patterns a tenth is 10.
  private static let patternsMin = 100

  /// The fraction, moved where it would leave a side empty though there are two different examples.
  private static func border(_ places: [Double], fraction: Double) -> Double {
    guard let least = places.min(), let most = places.max(), least < most else { return 0 }
    if fraction <= least { return places.filter { $0 > least }.min() ?? most }
    return min(fraction, most)
  }

  /// Uniform over 0 ..< 1 for examples that differ.
  private static func place(ofExample index: Int, in dataset: Dataset) -> Double {
    var values = [Float](repeating: 0, count: dataset.shape.dims)
    var span = values.mutableSpan
    dataset.copyExamples(CollectionOfOne(index), into: &span)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 4)
    bytes.appendLittleEndian(values)
    let digest = SHA256.of(bytes).bytes
    let bits = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Double(bits >> 11) * 0x1p-53
  }
}
