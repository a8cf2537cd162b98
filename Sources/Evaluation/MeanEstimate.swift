/// A mean over examples, and how far off the sample of examples may have put it.
package struct MeanEstimate: Sendable, Equatable {
  package let count: Int
  package let mean: Double
  /// Of the mean; 0 for one example, of which nothing can be told.
  package let standardError: Double

  /// - Parameter values: one or more; summed in their order, so that the same values give the same bits.
  package init(of values: [Double]) {
    precondition(!values.isEmpty, "a mean of no values")
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = values.count > 1 ? (squares / Double(values.count - 1) / Double(values.count)).squareRoot() : 0
  }

  /// The 95 % interval of a normal distribution about the mean.
  package var interval: ClosedRange<Double> {
    let reach = 1.959963984540054 * standardError
    return mean - reach...mean + reach
  }
}
