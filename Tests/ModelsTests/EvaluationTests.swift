import Evaluation
import Models
import Tensors
import Testing

/// A model whose nats are the example's first number.
private struct FirstNumber: ScoresLikelihood {
  func nats(of x: Tensor) -> [Double] { (0..<x.rows).map { Double(x[$0, 0]) } }

  let weights: [NamedTensor] = []
  let trainingState: [NamedTensor] = []
  func restore(_ tensors: [String: Tensor]) throws(RestoreError) {}
  func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double { 0 }
  func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor { Tensor(shape: [indices.count, 1]) }
}

@Suite struct `An evaluation` {
  @Test(arguments: [(dims: 784, most: 500), (dims: 1 << 20, most: 16), (dims: 1 << 22, most: 4)])
  func `scores every example in order, and of large ones fewer at once`(dims: Int, most: Int) {
    var ranges: [Range<Int>] = []
    let nats = LikelihoodEvaluation.nats(of: 1100, dims: dims, by: ExactLikelihood(FirstNumber()), batch: 500) { range in
      ranges.append(range)
      return Tensor(shape: [range.count, 1], scalars: range.map { Float($0) })
    }
    #expect(nats == (0..<1100).map { Double($0) })
    #expect(ranges.map(\.count).max() == most)
  }

  @Test func `stops between two batches`() {
    var checks = 0
    let nats = LikelihoodEvaluation.nats(
      of: 100, dims: 1, by: ExactLikelihood(FirstNumber()), batch: 10, examples: { Tensor(shape: [$0.count, 1]) },
      isStopped: {
        checks += 1
        return checks > 3
      })
    #expect(nats == nil && checks == 4)
  }

  @Test func `tells a mean with its standard error`() {
    let estimate = MeanEstimate(of: [1, 2, 3, 6])
    #expect(estimate.mean == 3 && estimate.count == 4)
    // Squares of 4, 1, 0 and 9 over 3 and 4.
    #expect(abs(estimate.standardError - (14.0 / 12).squareRoot()) < 1e-15)
    #expect(abs(estimate.interval.upperBound - 3 - 1.96 * (14.0 / 12).squareRoot()) < 1e-4)
    #expect(MeanEstimate(of: [5]).standardError == 0)
  }
}
