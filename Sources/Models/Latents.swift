import Tensors

/// Families that bound ln p(x) from below by draws of latents given x.
package protocol WeighsLatents: GenerativeModel {
  /// ln p(x, z) − ln q(z | x) of each example for draws z from q, nats: the logarithms of weights whose mean is p(x).
  /// - Parameters:
  ///   - x: `[examples, dims]`, as in training.
  ///   - examples: their numbers; a draw depends on the seed, its number and the example's alone.
  ///   - take: is given each draw's number and its logarithms, `[examples]`, in double precision.
  func logWeights(
    of x: Tensor, _ examples: [Int], draws: Range<Int>, using randomness: Philox, _ take: (_ draw: Int, _ logs: [Double]) -> Void)

  /// How many draws the loss takes, and with it what validates while it trains.
  var drawsOfLoss: Int { get }
}

/// Families whose examples come from latents that can be gone through.
package protocol HasLatents: Encodes {
  /// How many numbers the latents are, each standard normal where nothing is known of an example.
  var latentCount: Int { get }

  /// What is expected of examples with these latents.
  /// - Parameter z: `[examples, latents]`
  /// - Returns: `[examples, dims]`, as in training.
  func expected(_ z: Tensor) -> Tensor

  /// The latents of samples with these numbers, `[indices, latents]`.
  func latents(_ indices: [Int], using randomness: Philox) -> Tensor
}
