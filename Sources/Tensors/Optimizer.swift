/// How gradients become steps. The learning rate is told at each step, so that a schedule can change it.
package struct OptimizerSettings: Sendable, Hashable {
  /// Adam's decay of the gradient's mean and of its square, and what is added to the root (Kingma & Ba 2015, Algorithm 1: their defaults).
  package var beta1: Float = 0.9
  package var beta2: Float = 0.999
  package var epsilon: Float = 1e-8
  /// Decoupled weight decay (Loshchilov & Hutter 2019): each step takes learning rate · decay of a weight matrix; biases have none.
  package var weightDecay: Float = 0
  /// The decay of the running average of weights that scoring and sampling use (Polyak & Juditsky 1992); 0 uses the weights themselves.
  package var averagingDecay: Float = 0

  package init() {}

  package static let adam = OptimizerSettings()
}
