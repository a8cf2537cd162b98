import JSON
import Tensors

/// The distribution of a pixel, told by the numbers that a network gives it.
enum PixelOutput: Sendable, Hashable {
  /// A logit for each channel, whose values are bits.
  case bernoulli
  /// 256 logits for each channel, whose values are levels (van den Oord et al. 2016, §5.3).
  case categorical
  /// A discretized mixture of logistics (Salimans, Karpathy, Chen & Kingma, PixelCNN++, ICLR 2017, arXiv:1701.05517, §2.1 and §2.2): of the
  /// three channels of a pixel at once, green's means depending linearly on red, blue's on red and green.
  case logisticMixture(components: Int)

  /// The fields of a family's configuration that tell it.
  static let fields: [ConfigurationSchema.Field] = [
    .init(
      "output", .choice(["bernoulli", "categorical", "logistic_mixture"]), defaultValue: "bernoulli",
      "The distribution of each pixel: of bits, or of levels as a softmax over 256 or as a mixture of logistics.",
      source: "as the paper has for binary images; for levels it has the softmax (§5.3)"),
    .init(
      "components", .integer(1...64), defaultValue: 5, "Logistics in a mixture.",
      source: "Salimans et al. 2017, §2.1: some 5 are enough"),
  ]

  init(_ configuration: Configuration) {
    switch configuration.string("output") {
    case "categorical": self = .categorical
    case "logistic_mixture": self = .logisticMixture(components: configuration.integer("components"))
    default: self = .bernoulli
    }
  }

  /// How many channels come one after the other, each told by a network that has seen those before.
  func colours(of image: ModelInput.ImageShape) -> Int {
    switch self {
    case .bernoulli, .categorical: image.channels
    case .logisticMixture: 1
    }
  }

  /// How many numbers tell a pixel's distribution.
  func parameterCount(of image: ModelInput.ImageShape) -> Int {
    switch self {
    case .bernoulli: image.channels
    case .categorical: Self.levels * image.channels
    case .logisticMixture(let components): (image.channels == 1 ? 3 : 10) * components
    }
  }

  private static let levels = 256

  /// Why it can't be the distribution of such examples.
  func refusal(of input: ModelInput, _ image: ModelInput.ImageShape) -> Fault? {
    let learns: ModelInput.Kind = self == .bernoulli ? .bits : .grey256
    guard input.kind == learns else {
      let (name, other) = self == .bernoulli ? ("bits", "categorical or logistic_mixture") : ("8-bit levels", "bernoulli")
      return Fault(pointer: "/output", detail: "is of \(name), and these examples are \(input.kind.rawValue): see \(other)")
    }
    if case .logisticMixture = self, image.channels != 1, image.channels != 3 {
      return Fault(pointer: "/output", detail: "is of 1 or 3 channels, and these examples have \(image.channels)")
    }
    return nil
  }

  /// −ln p(x), nats, `[batch]`.
  /// - Parameters:
  ///   - parameters: `[batch, height, width, parameters of a pixel]`
  ///   - x: `[batch, height, width, channels]`
  func nats(_ parameters: Tape.Variable, of x: Tape.Variable, channels: Int, on tape: inout Tape) -> Tape.Variable {
    switch self {
    case .bernoulli: tape.apply(BernoulliNats(), [parameters, x])
    case .categorical: tape.apply(LevelNats(), [parameters, x])
    case .logisticMixture where channels == 1: tape.apply(LogisticsNats(), [parameters, x])
    case .logisticMixture: tape.apply(ColourLogisticsNats(), [parameters, x])
    }
  }

  // MARK: Drawing

  /// How many uniform numbers a pixel takes.
  func uniformCount(of image: ModelInput.ImageShape) -> Int {
    switch self {
    case .bernoulli, .categorical: image.channels
    // One more draws the component.
    case .logisticMixture: 1 + image.channels
    }
  }

  /// Draws one colour of a pixel, or all of it where colours do not come one after the other. A temperature divides logits and multiplies
  /// the scales of logistics.
  /// - Parameters:
  ///   - parameters: `[images, parameters of a pixel]`
  ///   - uniforms: `[images, uniformCount]`
  ///   - pixel: `[images, channels]`, 0…1.
  func draw(colour: Int, _ parameters: Tensor, temperature: Float, uniforms: Tensor, into pixel: inout Tensor) {
    let count = pixel.rows
    switch self {
    case .bernoulli:
      let p = Kernels.sigmoid((0..<count).map { parameters[$0, colour] / temperature })
      for image in 0..<count { pixel[image, colour] = uniforms[image, colour] < p[image] ? 1 : 0 }
    case .categorical:
      let first = colour * Self.levels
      let logits = (0..<count).flatMap { image in (first..<first + Self.levels).map { parameters[image, $0] / temperature } }
      let drawn = Kernels.categorical(
        logits: Tensor(shape: [count, Self.levels], scalars: logits),
        uniforms: Tensor(shape: [count], scalars: (0..<count).map { uniforms[$0, colour] }), .alone)
      // Rounded as a dataset's levels are.
      for image in 0..<count { pixel[image, colour] = drawn.scalars[image] * (1 / 255) }
    case .logisticMixture:
      pixel = Kernels.drawLogistics(parameters: parameters, uniforms: uniforms, depth: pixel.columns, temperature: temperature)
    }
  }
}
