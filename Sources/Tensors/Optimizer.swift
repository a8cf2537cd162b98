/// How gradients become steps. The learning rate is told at each step, so that a schedule can change it.
package struct OptimizerSettings: Sendable, Hashable {
  package enum Method: String, Sendable, Hashable, CaseIterable {
    /// Kingma & Ba 2015, Algorithm 1; with `weightDecay` it is AdamW (Loshchilov & Hutter 2019).
    case adam
    /// Tieleman & Hinton 2012.
    case rmsProp
    /// With `momentum` as Polyak 1964: velocity = momentum · velocity + gradient, and a step is learning rate · velocity.
    case sgd
  }

  package var method = Method.adam
  /// Adam's decay of the gradient's mean and of its square, and what is added to the root (Kingma & Ba 2015, Algorithm 1: their defaults).
  package var beta1: Float = 0.9
  package var beta2: Float = 0.999
  package var epsilon: Float = 1e-8
  /// RMSProp's decay of the gradient's square (Hinton's lecture 6e: 0.9; PyTorch: 0.99).
  package var squareDecay: Float = 0.9
  /// SGD's; 0 keeps no velocity.
  package var momentum: Float = 0
  /// Decoupled weight decay (Loshchilov & Hutter 2019): each step takes learning rate · decay of a weight matrix; biases have none.
  package var weightDecay: Float = 0
  /// The decay of the running average of weights that scoring and sampling use (Polyak & Juditsky 1992); 0 uses the weights themselves.
  package var averagingDecay: Float = 0
  /// The largest norm of all gradients together (Pascanu et al. 2013); longer ones are scaled to it.
  package var gradientNormMax = Float.infinity

  package init() {}

  package static let adam = OptimizerSettings()

  /// 0.01 is Loshchilov & Hutter's usual decay.
  package static let adamW: OptimizerSettings = {
    var settings = OptimizerSettings()
    settings.weightDecay = 0.01
    return settings
  }()

  package static let rmsProp: OptimizerSettings = {
    var settings = OptimizerSettings()
    settings.method = .rmsProp
    return settings
  }()

  package static func sgd(momentum: Float = 0) -> OptimizerSettings {
    var settings = OptimizerSettings()
    settings.method = .sgd
    settings.momentum = momentum
    return settings
  }

  var keepsMean: Bool { method == .adam || method == .sgd && momentum > 0 }
  var keepsSquare: Bool { method != .sgd }
}

/// The factors of one step over one tensor; Adam's bias corrections are taken into two of them.
struct DescentStep: Sendable {
  let method: OptimizerSettings.Method
  let beta1: Float
  let beta2: Float
  let epsilon: Float
  let rate: Float
  let rootScale: Float
  let shrink: Float
  let averageDecay: Float
  let gradientScale: Float

  /// - Parameters:
  ///   - step: how many steps came before.
  ///   - gradientScale: what clipping leaves of the gradient.
  init(_ settings: OptimizerSettings, learningRate: Float, step: Int, decays: Bool, gradientScale: Float) {
    let correction1 = 1 - Self.power(Double(settings.beta1), step + 1)
    let correction2 = 1 - Self.power(Double(settings.beta2), step + 1)
    method = settings.method
    beta1 = settings.method == .sgd ? settings.momentum : settings.beta1
    beta2 = settings.method == .rmsProp ? settings.squareDecay : settings.beta2
    epsilon = settings.epsilon
    rate = settings.method == .adam ? Float(Double(learningRate) / correction1) : learningRate
    self.gradientScale = gradientScale
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
