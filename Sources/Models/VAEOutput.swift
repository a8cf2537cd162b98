import JSON
import ONNX
import Tensors

/// What a VAE says of an example's numbers given its latents: each by itself.
enum VAEOutput: Sendable, Hashable {
  /// Bits; the output is a logit.
  case bernoulli
  /// Levels of 0…255 as a discretized logistic; the outputs are its mean on −1…1 and the logarithm of its scale.
  case logistic
  /// Reals; the outputs are a Gaussian's mean and the logarithm of its deviation.
  case gaussian

  init(_ configuration: Configuration) {
    switch configuration.string("likelihood") {
    case "discretized_logistic": self = .logistic
    case "gaussian": self = .gaussian
    default: self = .bernoulli
    }
  }

  /// How many outputs of the decoder tell a number; they stand beside each other.
  var outputs: Int { self == .bernoulli ? 1 : 2 }

  /// −ln p(x | z), nats, `[batch]`.
  /// - Parameters:
  ///   - told: `[batch, dims · outputs]`
  ///   - x: `[batch, dims]`
  func nats(_ told: Tape.Variable, of x: Tape.Variable, dims: Int, on tape: inout Tape) -> Tape.Variable {
    switch self {
    case .bernoulli: return tape.apply(BernoulliNats(), [told, x])
    case .logistic: return tape.apply(LogisticsNats(), [mixture(told, dims: dims, on: &tape), x])
    case .gaussian: return tape.apply(GaussiansNats(components: 1), [mixture(told, dims: dims, on: &tape), x])
    }
  }

  /// The same numbers as a mixture of one: its share's logit, which means nothing, is the mean once more.
  private func mixture(_ told: Tape.Variable, dims: Int, on tape: inout Tape) -> Tape.Variable {
    let columns = Order((0..<dims).flatMap { d -> [Int] in [2 * d, 2 * d, 2 * d + 1] }, within: 2 * dims)
    let rows = tape.value(told).rows
    return tape.apply(Reshape([rows, dims, 3]), [tape.apply(Gather(columns: columns), [told])])
  }

  private func mixture(_ told: Tensor) -> Tensor {
    var scalars: [Float] = []
    scalars.reserveCapacity(told.count / 2 * 3)
    for place in stride(from: 0, to: told.count, by: 2) {
      let mean = told.scalars[place]
      scalars += [mean, mean, told.scalars[place + 1]]
    }
    return Tensor(shape: [told.count / 2, 3], scalars: scalars)
  }

  /// The same of numbers, in double precision where the kernels have it.
  func nats(_ told: Tensor, of x: Tensor, _ team: ThreadTeam) -> [Double] {
    switch self {
    case .bernoulli: return Kernels.bernoulliNats(logits: told, of: x, team)
    case .gaussian: return Kernels.gaussiansNats(mixture(told), components: 1, of: x, team)
    case .logistic:
      var nats = Tensor(repeating: 0, shape: [x.rows])
      let parameters = mixture(told)
      LogisticsNats().forward([Tensor(shape: [x.rows, x.columns, 3], scalars: parameters.scalars), x], into: &nats, team)
      return nats.scalars.map { Double($0) }
    }
  }

  /// What is expected, `[batch, dims]`: 0…1 of bits and levels.
  func means(_ told: Tensor) -> Tensor {
    let shape = [told.rows, told.columns / outputs]
    switch self {
    case .bernoulli: return Tensor(shape: shape, scalars: Kernels.sigmoid(told.scalars))
    case .gaussian: return Tensor(shape: shape, scalars: stride(from: 0, to: told.count, by: 2).map { told.scalars[$0] })
    case .logistic:
      let means = stride(from: 0, to: told.count, by: 2).map { told.scalars[$0] }
      return Tensor(shape: shape, scalars: means.map { min(max(($0 + 1) / 2, 0), 1) })
    }
  }

  /// Draws, `[batch, dims]`. A temperature divides logits and multiplies scales; a Gaussian is wider by its root.
  /// - Parameter draws: the numbers of the samples, `[batch]`.
  func draw(_ told: Tensor, temperature: Float, _ draws: [Int], using randomness: Philox) -> Tensor {
    let (shape, dims) = ([told.rows, told.columns / outputs], told.columns / outputs)
    let uniforms = Tensor(uniform: self == .logistic ? 2 * dims : dims, .sampling, examples: draws, using: randomness)
    switch self {
    case .bernoulli:
      let p = Kernels.sigmoid(told.scalars.map { $0 / temperature })
      return Tensor(shape: shape, scalars: zip(uniforms.scalars, p).map { $0 < $1 ? 1 : 0 })
    case .logistic:
      let pairs = Tensor(shape: [told.count / 2, 2], scalars: uniforms.scalars)
      let drawn = Kernels.drawLogistics(parameters: mixture(told), uniforms: pairs, depth: 1, temperature: temperature)
      return Tensor(shape: shape, scalars: drawn.scalars)
    case .gaussian:
      let normals = Tensor(normal: dims, .sampling, step: 1, examples: draws, using: randomness)
      return Tensor(
        shape: shape,
        scalars: Kernels.drawGaussians(
          mixture(told), components: 1, uniforms: Tensor(shape: [uniforms.count], scalars: uniforms.scalars),
          normals: Tensor(shape: [normals.count], scalars: normals.scalars), temperature: temperature))
    }
  }

  /// Gives what is expected to the world, and of bits a draw, else what tells how wide the distribution is.
  /// - Parameter told: `[batch, dims · outputs]`
  func close(_ graph: inout Graph, _ told: Graph.Value, dims: Int) {
    let shape: [Graph.Extent] = [.batch, .count(dims)]
    guard self != .bernoulli else {
      let uniforms = graph.input("uniforms", shape)
      graph.output(graph.apply("Sigmoid", [told]), "mean", shape)
      return graph.output(graph.bits(told, uniforms: uniforms), "sample", shape)
    }
    let pairs = graph.reshape(told, [dims, 2])
    // A single index takes its axis away.
    func part(_ index: Int, in graph: inout Graph) -> Graph.Value {
      graph.apply("Squeeze", [graph.apply("Gather", [pairs, graph.constant([index])], ("axis", .integer(2))), graph.constant([2])])
    }
    let (mean, width) = (part(0, in: &graph), part(1, in: &graph))
    graph.output(self == .gaussian ? mean : graph.unitInterval(mean), "mean", shape)
    graph.output(width, self == .gaussian ? "log_deviation" : "log_scale", shape)
  }

  /// Why it can't be the likelihood of such examples.
  func refusal(of input: ModelInput) -> Fault? {
    switch (self, input.kind) {
    case (.bernoulli, .bits), (.logistic, .grey256), (.gaussian, .real): nil
    case (_, let kind):
      Fault(
        pointer: "/likelihood",
        detail:
          "\"bernoulli\" is of bits, \"discretized_logistic\" of 8-bit levels, \"gaussian\" of reals; these examples are \(kind.rawValue)")
    }
  }
}
