import JSON
import ONNX
import Tensors

/// VAE: latents that are drawn given an example by one network and give it back by another, trained on a bound of the likelihood.
/// Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014 (arXiv:1312.6114); with several draws, IWAE: Burda, Grosse & Salakhutdinov,
/// ICLR 2016 (arXiv:1509.00519).
///
/// | paper        | here                 | shape                | role                                                             |
/// |--------------|----------------------|----------------------|------------------------------------------------------------------|
/// | z            | `z`                  | [batch, latent]      | latents, standard normal beforehand                              |
/// | μ, ln σ²     | `moments`            | [batch, 2 · latent]  | of q(z given x), means first                                     |
/// | ε            | in `GaussianDraw`    | [batch, latent]      | z = μ + σε                                                       |
/// | p(x given z) | `output`             | [batch, dims · outputs] | of bits, levels or reals                                      |
/// | k            | `importanceSamples`  |                      | draws of each example in a step                                  |
///
/// The bound's divergence may count `beta` times (Higgins et al., ICLR 2017), rise to that over the first steps (Bowman et al., CoNLL
/// 2016), and leave each latent some nats that cost nothing (Kingma et al., NIPS 2016, appendix C.8).
package struct VAE: GenerativeModel {
  private var parameters: Parameters
  private let network: any VAENetwork
  private let moments: DenseLayer
  private let output: VAEOutput
  private let dims: Int
  private let settings: Settings
  private let team: ThreadTeam
  private var tape: Tape

  private struct Settings: Sendable {
    let latent: Int
    let beta: Double
    let freeNats: Float
    let warmUpSteps: Int
    let importanceSamples: Int

    init(_ configuration: Configuration) {
      latent = configuration.integer("latent")
      beta = configuration.number("beta")
      freeNats = Float(configuration.number("free_nats"))
      warmUpSteps = configuration.integer("warm_up_steps")
      importanceSamples = configuration.integer("importance_samples")
    }

    /// How often the divergence counts at a step.
    func beta(step: Int) -> Float { Float(beta * (step < warmUpSteps ? Double(step + 1) / Double(warmUpSteps + 1) : 1)) }
  }

  package init(_ configuration: Configuration, input: ModelInput, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    var parameters = Parameters(optimizer)
    let output = VAEOutput(configuration)
    if configuration.string("architecture") == "convolutional", let image = input.imageShape {
      network = ConvolutionalVAENetwork(configuration, image: image, outputs: output.outputs, in: &parameters, seed: seed)
    } else {
      network = DenseVAENetwork(configuration, dims: input.dims, outputs: output.outputs, in: &parameters, seed: seed)
    }
    settings = Settings(configuration)
    moments = DenseLayer("moments", network.codeWidth, 2 * settings.latent, in: &parameters, seed: seed)
    self.parameters = parameters
    self.output = output
    self.team = team
    dims = input.dims
    tape = Tape(team)
  }
}

// MARK: The equations

extension VAE {
  /// ln p(x, z) − ln q(z | x) but for −nats(x | z): Σ (ε² − z² + ln σ²)/2, `[batch]`.
  private func latentRatio(_ z: Tape.Variable, noise: Tensor, _ moments: Tape.Variable, on tape: inout Tape) -> Tape.Variable {
    let (batch, latent) = (noise.rows, settings.latent)
    // Sums over columns are products with a column of weights.
    let onVariances = tape.constant(
      Tensor(shape: [2 * latent, 1], scalars: [Float](repeating: 0, count: latent) + [Float](repeating: 0.5, count: latent)))
    let onSquares = tape.constant(Tensor(repeating: -0.5, shape: [latent, 1]))
    let squares = (0..<batch).map { row in noise.row(row).reduce(0) { $0 + 0.5 * $1 * $1 } }
    let constant = tape.constant(Tensor(shape: [batch, 1], scalars: squares))
    let ofZ = tape.apply(Dense(), [tape.apply(Multiply(), [z, z]), onSquares])
    let sum = tape.apply(Add(), [tape.apply(Add(), [ofZ, tape.apply(Dense(), [moments, onVariances])]), constant])
    return tape.apply(Reshape([batch]), [sum])
  }

  /// Each latent's divergence KL(q ‖ N(0, 1)), a mean over the batch, as far as it is more than what is free; summed.
  private func boundedDivergence(_ moments: Tape.Variable, on tape: inout Tape) -> Tape.Variable {
    let (batch, latent) = (tape.value(moments).rows, settings.latent)
    let mean = tape.apply(Gather(columns: Order(Array(0..<latent), within: 2 * latent)), [moments])
    let logVariance = tape.apply(Gather(columns: Order(Array(latent..<2 * latent), within: 2 * latent)), [moments])
    func scaled(_ x: Tape.Variable, _ factor: Float, on tape: inout Tape) -> Tape.Variable {
      tape.apply(Multiply(), [x, tape.constant(Tensor(repeating: factor, shape: [batch, latent]))])
    }
    let squares = tape.apply(Add(), [tape.apply(Multiply(), [mean, mean]), tape.apply(Map(.exp), [logVariance])])
    let each = scaled(tape.apply(Add(), [squares, scaled(logVariance, -1, on: &tape)]), 0.5, on: &tape)
    // The mean over the batch as a product; the bias takes away what is free, and the half that each divergence is too much.
    let average = tape.constant(Tensor(repeating: 1 / Float(batch), shape: [1, batch]))
    let less = tape.constant(Tensor(repeating: -0.5 - settings.freeNats, shape: [latent]))
    let over = tape.apply(Dense(.relu), [average, each, less])
    return tape.apply(Reshape([]), [tape.apply(Dense(), [over, tape.constant(Tensor(repeating: 1, shape: [latent, 1]))])])
  }
}

// MARK: Objective

extension VAE: WeighsLatents {
  package var lossIsNats: Bool { true }
  package var drawsOfLoss: Int { settings.importanceSamples }

  /// - Returns: −(the bound), a mean over the batch, whatever the divergence counted in the loss.
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    // Out of the model while the equations are written down: a copy that they make of it would share its tensors.
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let x = tape.constant(x)
    let moments = moments.apply(to: network.encode(x, weights, on: &tape), weights, on: &tape)
    let (loss, nats) =
      settings.importanceSamples > 1
      ? importanceWeighted(x, moments, weights, step: step, examples, using: randomness, on: &tape)
      : evidenceBound(x, moments, weights, step: step, examples, using: randomness, on: &tape)
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
    return nats
  }

  /// Kingma & Welling 2014, eq. 10 with one draw: −ln p(x | z) + β · KL(q(z | x) ‖ p(z)).
  private func evidenceBound(
    _ x: Tape.Variable, _ moments: Tape.Variable, _ weights: [Tape.Variable], step: Int, _ examples: [Int], using randomness: Philox,
    on tape: inout Tape
  ) -> (loss: Tape.Variable, nats: Double) {
    let z = tape.apply(GaussianDraw(.latents(draw: 0), step: step, examples: examples, using: randomness), [moments])
    let told = tape.apply(
      Mean(), [output.nats(network.decode(z, weights, on: &tape), of: x, dims: dims, on: &tape)])
    let divergence = tape.apply(Mean(), [tape.apply(GaussianDivergence(), [moments])])
    let nats = Double(tape.value(told).scalars[0]) + Double(tape.value(divergence).scalars[0])
    let counted = settings.freeNats > 0 ? boundedDivergence(moments, on: &tape) : divergence
    let beta = tape.constant(Tensor(shape: [], scalars: [settings.beta(step: step)]))
    return (tape.apply(Add(), [told, tape.apply(Multiply(), [counted, beta])]), nats)
  }

  /// Burda et al. 2016, eq. 8: −ln of the mean of k weights.
  private func importanceWeighted(
    _ x: Tape.Variable, _ moments: Tape.Variable, _ weights: [Tape.Variable], step: Int, _ examples: [Int], using randomness: Philox,
    on tape: inout Tape
  ) -> (loss: Tape.Variable, nats: Double) {
    let minus = tape.constant(Tensor(repeating: -1, shape: [examples.count]))
    let logs = (0..<settings.importanceSamples).map { draw in
      let stream = Philox.Stream.latents(draw: draw)
      let z = tape.apply(GaussianDraw(stream, step: step, examples: examples, using: randomness), [moments])
      let noise = Tensor(normal: settings.latent, stream, step: step, examples: examples, using: randomness)
      let told = output.nats(network.decode(z, weights, on: &tape), of: x, dims: dims, on: &tape)
      return tape.apply(
        Add(), [latentRatio(z, noise: noise, moments, on: &tape), tape.apply(Multiply(), [told, minus])])
    }
    let loss = tape.apply(Mean(), [tape.apply(Multiply(), [tape.apply(LogMeanExp(), logs), minus])])
    return (loss, Double(tape.value(loss).scalars[0]))
  }

  package func logWeights(
    of x: Tensor, _ examples: [Int], draws: Range<Int>, using randomness: Philox, _ take: (_ draw: Int, _ logs: [Double]) -> Void
  ) {
    let (moments, latent) = (encodeMoments(x), settings.latent)
    var tape = Tape(team)
    for draw in draws {
      let noise = Tensor(normal: latent, .weighing, step: draw, examples: examples, using: randomness)
      var z = noise
      GaussianDraw(.weighing, step: draw, examples: examples, using: randomness).forward([moments], into: &z, team)
      let nats = output.nats(decode(z, on: &tape), of: x, team)
      take(draw, nats.indices.map { row in Self.latentRatio(z.row(row), noise.row(row), moments.row(row).suffix(latent)) - nats[row] })
    }
  }

  /// Σ (ε² − z² + ln σ²)/2 of one example, in double precision.
  private static func latentRatio(_ z: ArraySlice<Float>, _ noise: ArraySlice<Float>, _ logVariances: ArraySlice<Float>) -> Double {
    var sum = 0.0
    for ((z, noise), logVariance) in zip(zip(z, noise), logVariances) {
      sum += Double(noise) * Double(noise) - Double(z) * Double(z) + Double(logVariance)
    }
    return sum / 2
  }
}

// MARK: Sampling and latents

extension VAE: HasLatents {
  /// What `equations` make of a tensor, with the weights that score and draw.
  private func computed(
    _ x: Tensor, on tape: inout Tape, _ equations: (Tape.Variable, [Tape.Variable], inout Tape) -> Tape.Variable
  ) -> Tensor {
    tape.begin()
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    let x = tape.constant(x)
    let result = equations(x, weights, &tape)
    return tape.value(result)
  }

  private func encodeMoments(_ x: Tensor) -> Tensor {
    var tape = Tape(team)
    return computed(x, on: &tape) { x, weights, tape in moments.apply(to: network.encode(x, weights, on: &tape), weights, on: &tape) }
  }

  private func decode(_ z: Tensor, on tape: inout Tape) -> Tensor {
    computed(z, on: &tape) { z, weights, tape in network.decode(z, weights, on: &tape) }
  }

  package var latentCount: Int { settings.latent }

  /// The means of the latents given each example, `[examples, latent]`.
  package func encode(_ x: Tensor) -> Tensor {
    let moments = encodeMoments(x)
    return Tensor(shape: [x.rows, settings.latent], scalars: (0..<x.rows).flatMap { moments.row($0).prefix(settings.latent) })
  }

  package func expected(_ z: Tensor) -> Tensor {
    var tape = Tape(team)
    return output.means(decode(z, on: &tape))
  }

  package func latents(_ indices: [Int], using randomness: Philox) -> Tensor {
    Tensor(normal: settings.latent, .sampling, step: 2, examples: indices, using: randomness)
  }

  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    guard !indices.isEmpty else { return Tensor(shape: [0, dims], scalars: []) }
    let (z, spread) = (latents(indices, using: randomness), temperature.squareRoot())
    var tape = Tape(team)
    let told = decode(Tensor(shape: z.shape, scalars: z.scalars.map { $0 * spread }), on: &tape)
    return output.draw(told, temperature: temperature, indices, using: randomness)
  }
}

// MARK: The graph

extension VAE: WritesGraph {
  /// The decoder.
  package func graph() throws(NoGraph) -> Graph {
    var graph = Graph(name: "vae", "What a VAE's decoder says of examples given latents, which are standard normal.")
    let z = graph.input("latents", [.batch, .count(settings.latent)])
    output.close(&graph, network.decode(z, parameters.settled, in: &graph), dims: dims)
    return graph
  }
}

// MARK: Keeping

extension VAE {
  package var weights: [NamedTensor] { parameters.weights }
  package var trainingState: [NamedTensor] { parameters.state }
  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) { try parameters.restore(tensors) }
}

// MARK: The registry row

extension ModelFamily {
  package static let vae = ModelFamily(
    name: "vae", title: "VAE",
    summary:
      "Latents that one network reads from an example and another turns back into it: a bound of the likelihood, and codes to go through.",
    paper: "Kingma, Welling: Auto-Encoding Variational Bayes, ICLR 2014, arXiv:1312.6114",
    taxonomy: ["explicit", "approximate", "variational"], abilities: ["score", "encode", "reconstruct", "interpolate"],
    likelihood: .init(
      .bound, "A bound: the truth is never worse than the number told, which draws of the latents, weighted by importance, bring nearer."),
    sampling: "Latents are drawn from a normal distribution, and one pass of the decoder makes an example of them.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "architecture", .choice(["mlp", "convolutional"]), defaultValue: "mlp",
          "Dense layers, or convolutions by strides of 2 and their transposes, for images whose sides are multiples of 4.",
          source: "the paper's networks are dense (appendix C)"),
        .init(
          "hidden_layers", .integers(count: 1...8, each: 1...16_384), defaultValue: [200, 200],
          "Units of the encoder's hidden layers; the decoder has them the other way round. A convolutional one has the first alone.",
          source: "Burda et al. 2016, §5.1"),
        .init(
          "channels", .integer(1...512), defaultValue: 32, "Features of the first convolution; the second has twice as many.",
          source: "chosen for 28x28 pixels"),
        .init("latent", .integer(1...1024), defaultValue: 50, "How many latents there are.", source: "Burda et al. 2016, §5.1"),
        .init(
          "likelihood", .choice(["bernoulli", "discretized_logistic", "gaussian"]), defaultValue: "bernoulli",
          "What is said of each number given the latents: of bits, of the 256 levels of 8-bit grey, or of reals.",
          source: "the paper's of MNIST"),
        .init(
          "activation", .choice(["tanh", "relu"]), defaultValue: "tanh", "Of the dense hidden layers.", source: "Burda et al. 2016, §5.1"),
        .init(
          "beta", .number(0...1000), defaultValue: 1, "How often the divergence from the prior counts in the loss.",
          source: "1 is the bound itself"),
        .init(
          "free_nats", .number(0...10), defaultValue: 0, "Nats of each latent that cost nothing.", source: "none: the loss is the bound"),
        .init(
          "warm_up_steps", .integer(0...10_000_000), defaultValue: 0, "Over how many steps the divergence comes to count.",
          source: "the paper has none"),
        .init(
          "importance_samples", .integer(1...256), defaultValue: 1,
          "k: draws of each example in a training step; more than 1 trains on the importance weighted bound.", source: "the paper's"),
      ],
      presets: [
        .init("small", "Learns within a minute.", ["hidden_layers": [200], "latent": 20]),
        .init("paper", "Burda et al.'s IWAE of MNIST with k = 50 (Table 1).", ["importance_samples": 50]),
      ]),
    refusal: { configuration, input in
      let output = VAEOutput(configuration)
      if let fault = output.refusal(of: input) { return fault }
      let isConvolutional = configuration.string("architecture") == "convolutional"
      if isConvolutional, let fault = ConvolutionalVAENetwork.refusal(of: input) { return fault }
      guard
        configuration.integer("importance_samples") == 1
          || (configuration.number("beta") == 1 && configuration.number("free_nats") == 0 && configuration.integer("warm_up_steps") == 0)
      else {
        return Fault(
          pointer: "/importance_samples", detail: "1 where beta, free_nats or warm_up_steps change the loss, which k draws do not tell")
      }
      let (latent, layers) = (configuration.integer("latent"), configuration.integers("hidden_layers"))
      // Of the convolutional encoder its dense layer, and of the decoder the layer that the latents go into, have the most by far.
      let widths =
        isConvolutional
        ? [latent, input.dims / 8 * configuration.integer("channels"), layers[0]] : [input.dims * output.outputs] + layers + [2 * latent]
      let count = zip(widths, widths.dropFirst()).reduce(0.0) { $0 + 2 * Double($1.0) * Double($1.1) }
      guard count <= weightsMax else {
        return Fault(pointer: "/hidden_layers", detail: "makes \(Int(count)) weights with \(input.dims) inputs; at most \(Int(weightsMax))")
      }
      return nil
    },
    make: { configuration, input, optimizer, seed, team in
      VAE(configuration, input: input, optimizer: optimizer, seed: seed, team: team)
    },
    estimators: { _ in [.iwae, .elbo] })

  /// 1 GiB of weights, which training needs some seven times. Chosen.
  private static let weightsMax = 268_435_456.0
}
