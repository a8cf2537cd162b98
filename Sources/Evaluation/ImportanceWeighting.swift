import Foundation
import JSON
import Models
import Tensors

/// Bounds of −ln p(x) from above by draws of latents: with each draw by itself the evidence bound (Kingma & Welling 2014, eq. 3), with k of
/// them together the tighter one of importance weighting (Burda, Grosse & Salakhutdinov 2016, eq. 8). Sums are in double precision.
struct ImportanceWeightedLikelihood: Likelihood {
  private let model: any WeighsLatents
  private let draws: Int
  private let randomness: Philox
  let estimator: LikelihoodEstimator

  /// - Parameter estimator: `elbo` or `iwae`.
  init(_ model: any WeighsLatents, _ estimator: LikelihoodEstimator, draws: Int, using randomness: Philox) {
    (self.model, self.estimator, self.draws, self.randomness) = (model, estimator, draws, randomness)
  }

  var settings: JSONObject { ["importance_samples": .integer(draws)] }

  /// A request to stop is seen within seconds; chosen, no result depends on it.
  var examplesAtOnce: Int { max(1, 500_000 / draws) }

  func nats(of x: Tensor, examples: [Int]) -> [Double] {
    var sums = [Double](repeating: 0, count: x.rows)
    var weights = [LogSum](repeating: LogSum(), count: x.rows)
    model.logWeights(of: x, examples, draws: 0..<draws, using: randomness) { _, logs in
      for (row, log) in logs.enumerated() {
        if estimator == .iwae { weights[row].add(log) } else { sums[row] += log }
      }
    }
    return estimator == .iwae ? weights.map { log(Double(draws)) - $0.value } : sums.map { -$0 / Double(draws) }
  }
}
