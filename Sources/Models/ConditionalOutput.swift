import JSON
import Tensors

/// What a family says of one number given those before it: which distribution, and how many outputs of the network tell it.
///
/// A dimension's outputs stand beside each other: a network's result is `[batch, dims · outputs]`.
enum ConditionalOutput: Sendable, Hashable {
  /// Of a bit; the output is its logit.
  case bernoulli
  /// Over the 256 levels of 8-bit grey, 0…1 in steps of 1/255; the outputs are their logits.
  case categorical
  /// The density of a real number (RNADE: Uria, Murray & Larochelle 2013, eqs. 9 to 13); the outputs are logits of the shares, means, and
  /// logarithms of the deviations.
  case gaussianMixture(components: Int)

  private static let levels = 256

  var outputs: Int {
    switch self {
    case .bernoulli: 1
    case .categorical: Self.levels
    case .gaussianMixture(let components): 3 * components
    }
  }

  var drawn: Kernels.Drawn {
    switch self {
    case .bernoulli: .bits
    case .categorical: .levels
    case .gaussianMixture: .gaussians
    }
  }

  /// The biases at the start, `[dims · outputs]`: 0, but for means, which lie evenly over two deviations to each side of the data's mean,
  /// so that no two components are alike (chosen; training moves them).
  func biases(dims: Int) -> Tensor {
    var biases = Tensor(repeating: 0, shape: [dims, outputs])
    if case .gaussianMixture(let components) = self, components > 1 {
      for d in 0..<dims {
        for k in 0..<components { biases[d, components + k] = 4 * Float(k) / Float(components - 1) - 2 }
      }
    }
    return Tensor(shape: [dims * outputs], scalars: biases.scalars)
  }
}

// MARK: Likelihoods

extension ConditionalOutput {
  /// The batch's mean of Σ weight · −ln p over dimensions, nats an example.
  /// - Parameters:
  ///   - z: the outputs, `[batch, dims · outputs]`.
  ///   - x: `[batch, dims]`.
  ///   - weights: of each dimension's nats, `[batch, dims]`; nil is 1 throughout.
  func loss(_ z: Tape.Variable, of x: Tensor, weights: Tensor? = nil, on tape: inout Tape) -> Tape.Variable {
    let (batch, dims) = (x.rows, x.columns)
    if weights == nil {
      switch self {
      case .bernoulli: return tape.apply(Mean(), [tape.apply(BernoulliNats(), [z, tape.constant(x)])])
      case .gaussianMixture(let components):
        return tape.apply(Mean(), [tape.apply(GaussiansNats(components: components), [z, tape.constant(x)])])
      case .categorical: break
      }
    }
    let nats = natsOfDimensions(z, of: x, on: &tape)
    // The mean is over dimensions, too.
    let factors = weights?.scalars.map { $0 * Float(dims) } ?? [Float](repeating: Float(dims), count: batch * dims)
    let weighted = tape.apply(Multiply(), [nats, tape.constant(Tensor(shape: [batch * dims], scalars: factors))])
    return tape.apply(Mean(), [weighted])
  }

  /// −ln p of each number, `[batch · dims]`.
  private func natsOfDimensions(_ z: Tape.Variable, of x: Tensor, on tape: inout Tape) -> Tape.Variable {
    switch self {
    case .bernoulli:
      // ln(1 + e^z) for a 0, ln(1 + e^−z) for a 1.
      let signs = tape.constant(Tensor(shape: x.shape, scalars: x.scalars.map { 1 - 2 * $0 }))
      return tape.apply(Reshape([x.count]), [tape.apply(Map(.softplus), [tape.apply(Multiply(), [z, signs])])])
    case .categorical:
      return tape.apply(SoftmaxNats(), [tape.apply(Reshape([x.count, outputs]), [z]), tape.constant(Self.classes(x))])
    case .gaussianMixture(let components):
      return tape.apply(GaussiansNats(components: components), [z, tape.constant(Tensor(shape: [x.count], scalars: x.scalars))])
    }
  }

  /// −ln p of each row, nats.
  /// - Parameters:
  ///   - z: the outputs, `[batch, dims · outputs]`.
  ///   - x: `[batch, dims]`.
  func nats(_ z: Tensor, of x: Tensor, _ team: ThreadTeam) -> [Double] {
    switch self {
    case .bernoulli: return Kernels.bernoulliNats(logits: z, of: x, team)
    case .gaussianMixture(let components): return Kernels.gaussiansNats(z, components: components, of: x, team)
    case .categorical:
      var each = Tensor(repeating: 0, shape: [x.count])
      SoftmaxNats().forward([Tensor(shape: [x.count, outputs], scalars: z.scalars), Self.classes(x)], into: &each, team)
      let dims = x.columns
      return (0..<x.rows).map { row in each.scalars[row * dims..<(row + 1) * dims].reduce(0) { $0 + Double($1) } }
    }
  }

  private static func classes(_ x: Tensor) -> Tensor {
    let most = Float(levels - 1)
    return Tensor(shape: [x.count], scalars: x.scalars.map { min(max(($0 * most).rounded(), 0), most) })
  }
}

// MARK: Draws

extension ConditionalOutput {
  /// The random numbers of samples, one or two for each dimension.
  struct Noise: Sendable {
    /// `[indices, dims]`
    let uniforms: Tensor
    /// The same; nil where none are needed.
    let normals: Tensor?
  }

  func noise(dims: Int, _ indices: [Int], using randomness: Philox) -> Noise {
    var normals: Tensor?
    if case .gaussianMixture = self { normals = Tensor(normal: dims, .sampling, step: 1, examples: indices, using: randomness) }
    return Noise(uniforms: Tensor(uniform: dims, .sampling, examples: indices, using: randomness), normals: normals)
  }

  /// Draws one dimension of every sample.
  /// - Parameter z: its outputs, `[samples, outputs]`.
  func draw(_ z: Tensor, dimension d: Int, _ noise: Noise, temperature: Float) -> [Float] {
    func column(_ numbers: Tensor) -> [Float] { (0..<z.rows).map { numbers[$0, d] } }
    let uniforms = column(noise.uniforms)
    switch self {
    case .bernoulli: return zip(Kernels.sigmoid(z.scalars.map { $0 / temperature }), uniforms).map { $1 < $0 ? 1 : 0 }
    case .categorical:
      let scaled = Tensor(shape: z.shape, scalars: z.scalars.map { $0 / temperature })
      let classes = Kernels.categorical(logits: scaled, uniforms: Tensor(shape: [z.rows], scalars: uniforms), .alone)
      return classes.scalars.map { $0 * (1 / Float(Self.levels - 1)) }
    case .gaussianMixture(let components):
      return Kernels.drawGaussians(
        z, components: components, uniforms: Tensor(shape: [z.rows], scalars: uniforms),
        normals: Tensor(shape: [z.rows], scalars: noise.normals.map(column) ?? []), temperature: temperature)
    }
  }
}

// MARK: Configuration

extension ConditionalOutput {
  init(_ configuration: Configuration) {
    switch configuration.string("output") {
    case "categorical": self = .categorical
    case "gaussian_mixture": self = .gaussianMixture(components: configuration.integer("components"))
    default: self = .bernoulli
    }
  }

  /// The fields of a family's configuration that choose one.
  static let fields: [ConfigurationSchema.Field] = [
    .init(
      "output", .choice(["bernoulli", "categorical", "gaussian_mixture"]), defaultValue: "bernoulli",
      "The distribution of each dimension: of bits, of the 256 levels of 8-bit grey, or the density of a real number.",
      source: "bits are what the paper is about"),
    .init(
      "components", .integer(1...Kernels.gaussiansMax), defaultValue: 10, "How many Gaussians each dimension's mixture has.",
      source: "chosen for tables of some dozen columns"),
  ]

  /// Why it can't be the distribution of such examples.
  func refusal(of input: ModelInput, title: String) -> Fault? {
    switch (self, input.kind) {
    case (.bernoulli, .bits), (.categorical, .grey256): nil
    case (.gaussianMixture, .real): input.dims <= Self.realsMax ? nil : Fault(pointer: "", detail: "at most \(Self.realsMax) reals")
    case (.bernoulli, .grey256):
      Fault(pointer: "", detail: "\(title) learns bits; these examples are grey256, which \"output\": \"categorical\" learns")
    case (.bernoulli, .real):
      Fault(pointer: "", detail: "\(title) learns bits; these examples are real, which \"output\": \"gaussian_mixture\" learns")
    case (.categorical, let kind): Fault(pointer: "/output", detail: "is of 8-bit levels; these examples are \(kind.rawValue)")
    case (.gaussianMixture, let kind): Fault(pointer: "/output", detail: "is the density of reals; these examples are \(kind.rawValue)")
    }
  }

  /// Each real column's mean and deviation are kept with the weights as text. Chosen.
  private static let realsMax = 16_384
}
