import Tensors

/// Whether samples lie nearer to the training examples than new data does: the mean distance to the nearest training example, of samples
/// over that of held-out examples. 1 where samples are like new data; near 0 where they are copies.
package struct Memorization: Sendable, Equatable {
  package let ratio: Double
  /// 95 %, by the errors of both means.
  package let interval: ClosedRange<Double>
  /// The mean distances, in the features' unit.
  package let samples: MeanEstimate
  package let heldOut: MeanEstimate

  /// - Parameters: features, `[count, features]` each, of the components of the training examples.
  package init(samples: Tensor, heldOut: Tensor, training: Tensor, _ team: ThreadTeam) {
    func distances(_ x: Tensor) -> MeanEstimate {
      MeanEstimate(of: Distances.kthNearestSquares(x, to: training, k: 1, team).map { Double($0).squareRoot() })
    }
    (self.samples, self.heldOut) = (distances(samples), distances(heldOut))
    // Held-out examples that are all in the training set leave nothing to compare with.
    let ratio = self.heldOut.mean > 0 ? self.samples.mean / self.heldOut.mean : .infinity
    func relative(_ mean: MeanEstimate) -> Double { mean.mean > 0 ? mean.standardError / mean.mean : 0 }
    let (a, b) = (relative(self.samples), relative(self.heldOut))
    let reach = ratio.isFinite ? 1.959963984540054 * ratio * (a * a + b * b).squareRoot() : 0
    self.ratio = ratio
    interval = ratio - reach...ratio + reach
  }
}
