import Tensors

/// A path of densities, each known but for a constant, from one at β = 0 whose constant is known to the one at β = 1 that is asked about.
package protocol AnnealedDensity: Sendable {
  /// ln of the constant at β = 0, nats.
  var logConstantAtStart: Double { get }

  /// A draw for each chain from the density at β = 0.
  /// - Returns: `[chains, numbers of a state]`
  func start(_ chains: [Int], using randomness: Philox) -> Tensor

  /// ln p*(x) at `to` less that at `from` for each chain, nats; then a step of a reversible chain that leaves the density at `to` as it is.
  /// - Parameter step: the address of its randomness, another one for each step.
  func anneal(_ x: inout Tensor, from: Float, to: Float, step: Int, _ chains: [Int], using randomness: Philox) -> [Double]

  /// What an example leads a chain from that goes the other way, from β = 1: its own numbers where those are the state.
  /// - Returns: the states, and ln of the ratio by which they are more probable than the example, 0 where they are it.
  func reversedStart(_ x: Tensor, _ chains: [Int], using randomness: Philox) -> (state: Tensor, logRatios: [Double])
}

/// Families that tell −ln p(x) but for ln Z, the constant by which the probabilities of everything sum to 1.
package protocol TellsEnergy: GenerativeModel {
  /// −ln p*(x) of each example, or a bound that is no less, nats.
  /// - Parameter x: `[examples, dims]`, as in training.
  func energies(of x: Tensor) -> [Double]

  /// Whether they are no more than bounds.
  var energiesAreBounds: Bool { get }

  /// How Z is estimated.
  var annealed: any AnnealedDensity { get }

  /// How many bits must be counted through to know Z; nil where counting them does not tell it.
  var bitsToCount: Int? { get }

  /// ln Z by counting through all of them, nats; nil when `isStopped` said so on the way.
  func countedLogPartition(isStopped: () -> Bool) -> Double?
}

extension TellsEnergy {
  package var energiesAreBounds: Bool { false }
}
