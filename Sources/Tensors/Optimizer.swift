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

/// The factors of one step of Adam over one tensor, the bias corrections of Algorithm 1 taken into two of them.
struct AdamStep: Sendable {
  let beta1: Float
  let beta2: Float
  let epsilon: Float
  let rate: Float
  let rootScale: Float
  let shrink: Float
  let averageDecay: Float

  /// - Parameter step: how many steps came before.
  init(_ settings: OptimizerSettings, learningRate: Float, step: Int, decays: Bool) {
    let correction1 = 1 - Self.power(Double(settings.beta1), step + 1)
    let correction2 = 1 - Self.power(Double(settings.beta2), step + 1)
    beta1 = settings.beta1
    beta2 = settings.beta2
    epsilon = settings.epsilon
    rate = Float(Double(learningRate) / correction1)
    rootScale = Float((1 / correction2).squareRoot())
    shrink = decays ? 1 - learningRate * settings.weightDecay : 1
    // In the beginning the average reaches back over a ninth of the steps so far, so that it soon forgets the random start.
    averageDecay = min(settings.averagingDecay, Float(step) / Float(step + 9))
  }

  /// By squaring: the same bits on every machine, which libm's does not promise.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, left) = (1.0, base, exponent)
    while left > 0 {
      if left % 2 == 1 { result *= square }
      square *= square
      left /= 2
    }
    return result
  }
}
