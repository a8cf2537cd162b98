import Tensors

/// What every family can do: train by steps, draw samples, and be kept.
package protocol GenerativeModel: Sendable {
  /// One step of training on one batch.
  /// - Parameters:
  ///   - x: `[batch, dims]`, 0…1; reals are standardized: mean 0 and deviation 1 over the training examples.
  ///   - examples: each row's number in its dataset: the address of the randomness that is spent on it.
  ///   - step: how many steps came before.
  /// - Returns: the batch's mean loss before the step, nats an example where the family has a likelihood.
  mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double

  /// Draws the samples with these numbers. Sample i depends on the weights, the seed, i and the temperature alone: not on its neighbours,
  /// their number or the threads.
  /// - Parameter temperature: greater than 0; 1 samples the model itself.
  /// - Returns: `[indices, dims]`, as in training.
  func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor

  /// Whether a step's loss is −ln p(x) or a bound of it.
  var lossIsNats: Bool { get }

  /// What scoring and sampling need.
  var weights: [NamedTensor] { get }

  /// What going on with training needs: `weights` and the optimizer's state.
  var trainingState: [NamedTensor] { get }

  /// Takes `trainingState` back, or `weights` alone, for scoring and sampling. Other tensors are left aside.
  mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError)
}

extension GenerativeModel {
  package var lossIsNats: Bool { false }
}

/// Families that tell −ln p(x) exactly.
package protocol ScoresLikelihood: GenerativeModel {
  /// −ln p of each example, nats.
  /// - Parameter x: `[examples, dims]`, as in training.
  func nats(of x: Tensor) -> [Double]

  /// What validates while it trains: itself, or one of the distributions that it mixes where each of them costs much.
  var validating: any ScoresLikelihood { get }
}

extension ScoresLikelihood {
  package var validating: any ScoresLikelihood { self }
  package var lossIsNats: Bool { true }
}
