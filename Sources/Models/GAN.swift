import JSON
import ONNX
import Tensors

/// GAN: a generator that learns from a discriminator, which learns to tell its samples from the data.
/// Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville & Bengio, NIPS 2014 (arXiv:1406.2661), Algorithm 1.
///
/// | paper        | here            | shape           | role                                                          |
/// |--------------|-----------------|-----------------|---------------------------------------------------------------|
/// | z            | `z`             | [batch, latent] | standard normal noise                                         |
/// | G(z)         | `generator`     | [batch, dims]   | `GeneratorNetwork`: hidden layers, or DCGAN                   |
/// | logit D(x)   | `discriminator` | [batch, 1]      | `DiscriminatorNetwork`, likewise                              |
/// | k            | `critics`       |                 | steps of the discriminator for each of the generator          |
///
/// Objectives: the paper's with its generator's non-saturating one (§3, the last paragraph); hinge (Lim & Ye 2017, arXiv:1705.02894; as in
/// Miyato et al. 2018, eqs. 16, 17); Wasserstein (Arjovsky, Chintala & Bottou 2017, Algorithm 1), whose critic is kept from stretching by
/// spectral norms (Miyato et al. 2018) and not by a penalty on its gradient: that penalty's own gradient is a second derivative, which the
/// tape does not have.
///
/// Differs from the paper: the discriminator's k steps see k batches of noise and one of data.
///
/// Two time scales: Heusel et al. 2017. One-sided label smoothing: Salimans et al. 2016, §3.4.
package struct GAN: GenerativeModel {
  enum Objective: String, CaseIterable {
    case nonSaturating = "non_saturating"
    case hinge, wasserstein
  }

  private var generator: GeneratorNetwork
  private var discriminator: DiscriminatorNetwork
  private let objective: Objective
  private let latent: Int
  private let critics: Int
  /// The discriminator's learning rate over the generator's.
  private let rateRatio: Float
  private let smoothing: Float
  private let input: ModelInput
  private let team: ThreadTeam
  /// Each network's own, so that a step of one leaves the other's tensors in place.
  private var tapes: (generator: Tape, discriminator: Tape)
  private var course: GANCourse

  package init(_ configuration: Configuration, input: ModelInput, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let randomness = Philox(seed: seed)
    let objective = Objective(rawValue: configuration.string("objective")) ?? .nonSaturating
    var settings = optimizer
    // Radford et al. 2016, §4, and Miyato et al. 2018, Table 1.
    settings.beta1 = 0.5
    generator = GeneratorNetwork(configuration, input: input, settings, using: randomness)
    // What scores nothing needs no average.
    settings.averagingDecay = 0
    discriminator = DiscriminatorNetwork(configuration, input: input, settings, using: randomness)
    self.objective = objective
    latent = configuration.integer("latent")
    critics = configuration.integer("discriminator_steps")
    rateRatio = Float(configuration.number("discriminator_rate"))
    smoothing = Float(configuration.number("label_smoothing"))
    self.input = input
    self.team = team
    tapes = (Tape(team), Tape(team))
    course = GANCourse()
  }
}

// MARK: The objectives

extension GAN.Objective {
  /// What the discriminator goes down: how wrong it is about real and generated examples, `[batch, 1]` logits each.
  fileprivate func discriminatorLoss(
    real: Tape.Variable, fake: Tape.Variable, smoothing: Float, on tape: inout Tape
  ) -> Tape.Variable {
    let (one, other) =
      switch self {
      case .nonSaturating: (nats(of: real, as: 1 - smoothing, on: &tape), nats(of: fake, as: 0, on: &tape))
      // max(0, 1 − D(x)) and max(0, 1 + D(G(z))).
      case .hinge: (affine(real, times: -1, plus: 1, .relu, on: &tape), affine(fake, times: 1, plus: 1, .relu, on: &tape))
      case .wasserstein: (affine(real, times: -1, on: &tape), fake)
      }
    let means = [tape.apply(Mean(), [one]), tape.apply(Mean(), [other])]
    return tape.apply(Add(), means)
  }

  /// What the generator goes down.
  fileprivate func generatorLoss(fake: Tape.Variable, on tape: inout Tape) -> Tape.Variable {
    let each = self == .nonSaturating ? nats(of: fake, as: 1, on: &tape) : affine(fake, times: -1, on: &tape)
    return tape.apply(Mean(), [each])
  }

  /// −ln of what the discriminator gives to the examples' being real with this probability, `[batch]`.
  private func nats(of logits: Tape.Variable, as probability: Float, on tape: inout Tape) -> Tape.Variable {
    let answers = tape.constant(Tensor(repeating: probability, shape: tape.value(logits).shape))
    return tape.apply(BernoulliNats(), [logits, answers])
  }

  private func affine(
    _ logits: Tape.Variable, times scale: Float, plus shift: Float = 0, _ activation: Activation = .identity, on tape: inout Tape
  ) -> Tape.Variable {
    let (w, b) = (tape.constant(Tensor(repeating: scale, shape: [1, 1])), tape.constant(Tensor(repeating: shift, shape: [1])))
    return tape.apply(Dense(activation), [logits, w, b])
  }
}

// MARK: Algorithm 1

extension GAN {
  /// - Returns: the discriminator's loss of its last step.
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    let real = generator.asGenerated(x)
    var (loss, fakes) = (0.0, real)
    for critic in 0..<critics {
      let z = noise(examples, step: step * critics + critic, using: randomness)
      let isLast = critic == critics - 1
      // The generator's last pass is the one that it learns from.
      let (fake, weights, samples) = generated(z)
      fakes = samples
      loss = discriminatorStep(real: real, fake: samples, step: step * critics + critic, learningRate: learningRate * rateRatio)
      if isLast { generatorStep(fake, weights, step: step, learningRate: learningRate) }
    }
    course.note(diversityOf: fakes, among: real, team)
    return loss
  }

  /// Writes G(z) on the generator's tape.
  private mutating func generated(_ z: Tensor) -> (fake: Tape.Variable, weights: [Tape.Variable], samples: Tensor) {
    var tape = Tape(team)
    swap(&tape, &tapes.generator)
    defer { swap(&tape, &tapes.generator) }
    tape.begin()
    let weights = generator.parameters.all.indices.map { tape.parameter(generator.parameters[$0]) }
    let fake = generator.images(of: tape.constant(z), rows: z.rows, weights, on: &tape)
    return (fake, weights, tape.value(fake))
  }

  private mutating func discriminatorStep(real: Tensor, fake: Tensor, step: Int, learningRate: Float) -> Double {
    var tape = Tape(team)
    swap(&tape, &tapes.discriminator)
    defer { swap(&tape, &tapes.discriminator) }
    tape.begin()
    let parameters = discriminator.parameters.all.indices.map { tape.parameter(discriminator.parameters[$0]) }
    let weights = discriminator.normalized(parameters, turns: true, on: &tape, team)
    let ofReal = discriminator.logits(of: tape.constant(real), rows: real.rows, weights, on: &tape)
    let ofFake = discriminator.logits(of: tape.constant(fake), rows: fake.rows, weights, on: &tape)
    let loss = objective.discriminatorLoss(real: ofReal, fake: ofFake, smoothing: smoothing, on: &tape)
    let value = Double(tape.value(loss).scalars[0])
    course.note(discriminatorLoss: value, real: tape.value(ofReal), fake: tape.value(ofFake))
    tape.backward(from: loss)
    tape.release()
    let gradients = parameters.map { tape.gradient($0) }
    discriminator.parameters.descend(learningRate: learningRate, step: step, gradients: gradients, team)
    return value
  }

  /// Goes on with what `generated` wrote, through the discriminator as it is now.
  private mutating func generatorStep(_ fake: Tape.Variable, _ weights: [Tape.Variable], step: Int, learningRate: Float) {
    var tape = Tape(team)
    swap(&tape, &tapes.generator)
    defer { swap(&tape, &tapes.generator) }
    let rows = tape.value(fake).rows
    let constants = discriminator.parameters.all.indices.map { tape.constant(discriminator.parameters[$0]) }
    let judges = discriminator.normalized(constants, turns: false, on: &tape, team)
    let logits = discriminator.logits(of: fake, rows: rows, judges, on: &tape)
    let loss = objective.generatorLoss(fake: logits, on: &tape)
    course.note(generatorLoss: Double(tape.value(loss).scalars[0]))
    generator.noteMoments(on: tape, step: step, team)
    tape.backward(from: loss)
    tape.release()
    generator.parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
  }

  private func noise(_ examples: [Int], step: Int, using randomness: Philox) -> Tensor {
    Tensor(normal: latent, .noise, step: step, examples: examples, using: randomness)
  }
}

// MARK: Sampling

extension GAN {
  /// - Parameter temperature: of the noise: its variance.
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    let z = latents(indices, using: randomness)
    let deviation = temperature.squareRoot()
    return decode(Tensor(shape: z.shape, scalars: z.scalars.map { $0 * deviation }))
  }

  /// The noise of the samples with these numbers, `[indices, latent]`.
  package func latents(_ indices: [Int], using randomness: Philox) -> Tensor {
    Tensor(normal: latent, .sampling, examples: indices, using: randomness)
  }

  /// - Parameter z: `[n, latent]`
  /// - Returns: `[n, dims]`, as in training; bits are those that are more than half.
  package func decode(_ z: Tensor) -> Tensor {
    let images = generator.settledImages(of: z, team)
    switch input.kind {
    case .real: return images
    case .grey256: return Tensor(shape: images.shape, scalars: images.scalars.map { min(max(($0 + 1) * 0.5, 0), 1) })
    case .bits: return Tensor(shape: images.shape, scalars: images.scalars.map { $0 > 0 ? 1 : 0 })
    }
  }
}

// MARK: The graph

extension GAN: WritesGraph {
  /// The generator.
  package func graph() throws(NoGraph) -> Graph {
    var graph = Graph(name: "gan", "A GAN's generator: samples of noise, which is standard normal.")
    let images = generator.images(of: graph.input("latents", [.batch, .count(latent)]), in: &graph)
    let sample =
      switch input.kind {
      case .real: images
      case .grey256: graph.unitInterval(images)
      case .bits: graph.numbers(graph.apply("Greater", [images, graph.constant(0)]))
      }
    graph.output(sample, "sample", [.batch, .count(input.dims)])
    return graph
  }
}

// MARK: Keeping

extension GAN: TellsCourse {
  package var curves: [Curve] { course.curves }
  package var complaint: String? { course.complaint }

  package var weights: [NamedTensor] { generator.weights }
  package var trainingState: [NamedTensor] { generator.state + discriminator.state + [course.kept] }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    try generator.restore(tensors)
    try discriminator.restore(tensors)
    try course.restore(tensors)
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let gan = ModelFamily(
    name: "gan", title: "GAN",
    summary: "A generator of samples that learns from a discriminator; it has no density, so that only its samples can be judged.",
    paper: "Goodfellow et al.: Generative Adversarial Networks, NIPS 2014, arXiv:1406.2661; "
      + "Radford, Metz, Chintala: DCGAN, ICLR 2016, arXiv:1511.06434",
    taxonomy: ["implicit", "direct"], abilities: [],
    likelihood: .init(
      .none, "None: there is no density to tell, so that samples can only be compared with data."),
    sampling: "Noise goes once through the generator.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "architecture", .choice(["mlp", "dcgan"]), defaultValue: "mlp",
          "Hidden layers, for tables and small pictures, or strided and transposed convolutions, for pictures.",
          source: "it fits all data; for pictures of 8x8 to 64x64 dcgan is the better one"),
        .init(
          "hidden_layers", .integers(count: 1...8, each: 1...8192), defaultValue: [256, 256],
          "How many units each hidden layer of generator and discriminator has, where they are not convolutional.",
          source: "chosen for tables and pictures of some hundred numbers"),
        .init(
          "channels", .integer(1...512), defaultValue: 64,
          "Channels of the convolutions nearest to the picture; each layer further in has twice as many.",
          source: "Radford et al. 2016, Figure 1, at half its width"),
        .init(
          "latent", .integer(1...1024), defaultValue: 64, "How many numbers of noise a sample is made of.",
          source: "chosen; Radford et al.: 100"),
        .init(
          "objective", .choice(Self.objectives), defaultValue: "non_saturating", "What generator and discriminator go down.",
          source: "Goodfellow et al. 2014, §3"),
        .init(
          "spectral_norm", .boolean, defaultValue: false,
          "Whether spectral norms keep the discriminator from stretching, in place of batch norm; the Wasserstein objective needs it.",
          source: "Radford et al. 2016 have batch norm; Miyato et al. 2018 recommend spectral norms"),
        .init(
          "discriminator_steps", .integer(1...16), defaultValue: 1, "Steps of the discriminator for each of the generator.",
          source: "Goodfellow et al. 2014, §4; Arjovsky et al. 2017 have 5"),
        .init(
          "discriminator_rate", .number(0.01...100), defaultValue: 1, "The discriminator's learning rate over the generator's.",
          source: "one time scale; Heusel et al. 2017 have two"),
        .init(
          "label_smoothing", .number(0...0.5), defaultValue: 0,
          "How far the non-saturating objective's discriminator is kept from certainty about real examples.",
          source: "none; Salimans et al. 2016, §3.4, have 0.1"),
      ],
      presets: [
        .init("small", "Learns small tables and pictures within a minute.", ["hidden_layers": [128, 128], "latent": 16]),
        .init(
          "paper", "DCGAN at the paper's width.",
          ["architecture": "dcgan", "channels": 128, "latent": 100]),
      ]),
    refusal: { configuration, input in
      if configuration.string("objective") == "wasserstein", !configuration.boolean("spectral_norm") {
        return Fault(
          pointer: "/spectral_norm", detail: "must be true for the Wasserstein objective, whose critic may not stretch; was false")
      }
      return GeneratorNetwork.refusal(of: input, configuration)
    },
    make: { configuration, input, optimizer, seed, team in
      GAN(configuration, input: input, optimizer: optimizer, seed: seed, team: team)
    })

  private static let objectives = GAN.Objective.allCases.map(\.rawValue)
}
