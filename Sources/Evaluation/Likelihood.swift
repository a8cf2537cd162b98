import JSON
import Models
import Tensors

/// A way to tell −ln p(x) of one model, with everything found out that does not depend on x.
package protocol Likelihood: Sendable {
  var estimator: LikelihoodEstimator { get }

  /// How the estimate was made, for those who want to judge or repeat it.
  var settings: JSONObject { get }

  /// How far off the nats of all examples may be together, beside what each example's own estimate is off: 0...0 where nothing is shared.
  var shared: ClosedRange<Double> { get }

  /// How many examples are told between two looks for a request to stop.
  var examplesAtOnce: Int { get }

  /// −ln p of each example, or what is told of it, nats.
  /// - Parameters:
  ///   - x: `[examples, dims]`, as in training.
  ///   - examples: their numbers: the address of the randomness that is spent on each.
  func nats(of x: Tensor, examples: [Int]) -> [Double]
}

extension Likelihood {
  package var settings: JSONObject { [:] }
  package var shared: ClosedRange<Double> { 0...0 }
  package var examplesAtOnce: Int { .max }
}

/// Of a family that computes it.
package struct ExactLikelihood: Likelihood {
  private let model: any ScoresLikelihood

  package init(_ model: any ScoresLikelihood) { self.model = model }

  package let estimator = LikelihoodEstimator.exact

  package func nats(of x: Tensor, examples: [Int]) -> [Double] { model.nats(of: x) }
}
