import Datasets
import Foundation
import JSON

/// Means and deviations of reals over the training examples: a model sees (value − mean) / deviation, whatever the units.
///
/// A column of a table has its own; the values of pictures have one pair together, so that a pixel that never changes is no fault.
package struct Standardization: Sendable, Equatable {
  /// One for each column, or a single one for all values.
  package let means: [Double]
  /// Finite and above 0.
  package let deviations: [Double]

  /// A column that holds one value alone.
  package struct ConstantColumn: Error, Sendable, Equatable {
    /// Nil where the examples are pictures.
    package let column: Int?
    package let value: Double

    package var detail: String {
      let what = column.map { "column \($0) (counted from 0)" } ?? "every picture"
      return "\(what) is \(value) throughout the training examples: one value alone has no density"
    }
  }

  /// Of these examples.
  /// - Parameter admitsConstants: whether a column of one value gets the deviation 1; else it is an error.
  package init(of examples: [Int], in dataset: Dataset, admitsConstants: Bool) throws(ConstantColumn) {
    let dims = dataset.shape.dims
    let isTable = if case .table = dataset.shape { true } else { false }
    let columns = isTable ? dims : 1
    let count = Double(examples.count * dims / columns)
    // The means first, and then squares of what is left: a far mean costs the deviation no digits.
    var means = [Double](repeating: 0, count: columns)
    Self.forEachValue(of: examples, in: dataset) { means[isTable ? $0 : 0] += $1 / count }
    var squares = [Double](repeating: 0, count: columns)
    Self.forEachValue(of: examples, in: dataset) { column, value in
      let place = isTable ? column : 0
      squares[place] += (value - means[place]) * (value - means[place]) / count
    }
    var ranges = [ClosedRange<Double>?](repeating: nil, count: columns)
    Self.forEachValue(of: examples, in: dataset) { column, value in
      let place = isTable ? column : 0
      ranges[place] = ranges[place].map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
    }
    // Rounding may give a constant a tiny deviation; its range is exact.
    for (column, range) in ranges.enumerated() where range.map({ $0.lowerBound == $0.upperBound }) ?? true {
      guard admitsConstants else { throw ConstantColumn(column: isTable ? column : nil, value: range?.lowerBound ?? 0) }
      squares[column] = 1
    }
    self.means = means
    deviations = squares.map { $0.squareRoot() }
  }

  private static func forEachValue(of examples: [Int], in dataset: Dataset, _ body: (_ column: Int, _ value: Double) -> Void) {
    let dims = dataset.shape.dims
    // Chosen: 4 MiB of examples, and at least one.
    let batch = max(1, (1 << 20) / dims)
    for start in stride(from: 0, to: examples.count, by: batch) {
      let some = examples[start..<min(start + batch, examples.count)]
      var values = [Float](repeating: 0, count: some.count * dims)
      var span = values.mutableSpan
      dataset.copyExamples(some, into: &span)
      for (place, value) in values.enumerated() { body(place % dims, Double(value)) }
    }
  }
}

extension Standardization {
  /// Farther from the mean than so many deviations, a value counts as just so far: no network's sums overflow. Chosen.
  private static let farthest = 1e9

  /// - Parameter dims: numbers of an example.
  func standardize(_ scalars: inout [Float], dims: Int) {
    for place in scalars.indices {
      let column = means.count == 1 ? 0 : place % dims
      let deviations = (Double(scalars[place]) - means[column]) / deviations[column]
      scalars[place] = Float(min(max(deviations, -Self.farthest), Self.farthest))
    }
  }

  /// Back in the data's units.
  func restore(_ scalars: [Float], dims: Int) -> [Float] {
    scalars.enumerated().map { place, scalar in
      let column = means.count == 1 ? 0 : place % dims
      return Float(Double(scalar) * deviations[column] + means[column])
    }
  }

  /// ln of the volume, in the data's units, of a unit cube of what the model sees: so much more are the nats of a density in those units.
  func logVolume(dims: Int) -> Double {
    means.count == 1 ? Double(dims) * log(deviations[0]) : deviations.reduce(0) { $0 + log($1) }
  }
}

extension Standardization {
  package var json: JSONValue {
    ["means": .array(means.map { .number($0) }), "deviations": .array(deviations.map { .number($0) })]
  }

  /// Nil where it is not what `json` writes for examples of so many numbers.
  package init?(json: JSONValue, dims: Int) {
    guard let means = json["means"]?.array?.compactMap(\.number), let deviations = json["deviations"]?.array?.compactMap(\.number),
      means.count == deviations.count, means.count == 1 || means.count == dims, means.allSatisfy(\.isFinite),
      deviations.allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    self.means = means
    self.deviations = deviations
  }
}
