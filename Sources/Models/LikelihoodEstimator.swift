/// How −ln p(x) is told of a model.
package enum LikelihoodEstimator: String, Sendable, CaseIterable {
  /// As it is: computed, or counted over every state.
  case exact
  /// The evidence lower bound of ln p(x) (Kingma & Welling 2014, eq. 3): nats that are no less than the true ones on the average.
  case elbo
  /// The bound by many draws of the latents (Burda, Grosse & Salakhutdinov 2016, eq. 8), tighter with each.
  case iwae
  /// By an estimate of the constant Z, annealing from a simple distribution (Salakhutdinov & Murray 2008): nats that are too few rather
  /// than too many where chains do not mix.
  case ais
  /// The same backwards, from the examples themselves (Burda, Grosse & Salakhutdinov 2015): nats that are too many on the average.
  case raise
}

extension LikelihoodEstimator {
  /// 2^24 states are counted through within a minute; chosen.
  package static let bitsToCountMax = 24
}
