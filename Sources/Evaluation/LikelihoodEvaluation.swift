import Tensors

/// −ln p(x) over a whole dataset, batch by batch, whatever its length.
package enum LikelihoodEvaluation {
  /// The nats of examples 0 ..< count, in order; nil when `isStopped` said so between two batches.
  ///
  /// - Parameters:
  ///   - batch: examples scored at once, fewer where they are large; no result depends on it.
  ///   - examples: the examples of a range of numbers, `[range, dims]`, as the model sees them.
  package static func nats(
    of count: Int, dims: Int, by likelihood: any Likelihood, batch: Int, examples: (Range<Int>) -> Tensor,
    isStopped: () -> Bool = { false }
  ) -> [Double]? {
    precondition(batch >= 1 && dims >= 1, "a batch of \(batch) examples of \(dims) numbers")
    let batch = min(batch, max(1, numbersAtOnce / dims), likelihood.examplesAtOnce)
    var nats: [Double] = []
    nats.reserveCapacity(count)
    for start in stride(from: 0, to: count, by: batch) {
      if isStopped() { return nil }
      let range = start..<min(start + batch, count)
      nats += likelihood.nats(of: examples(range), examples: Array(range))
    }
    return nats
  }

  /// 64 MiB of examples: no bound for pictures of usual size, and 4 of the largest that there may be. Chosen.
  private static let numbersAtOnce = 1 << 24

  /// The bits that a coder by the model spends on one number of an example.
  package static func bitsPerDim(nats: Double, dims: Int) -> Double { nats / (Double(dims) * 0.6931471805599453) }
}
