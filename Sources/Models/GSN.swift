import JSON
import Tensors

/// GSN: a Markov chain that is learnt step by step: each spoils an example and restores it, and the chain's stationary distribution is the
/// model.
/// Bengio, Thibodeau-Laufer, Alain & Yosinski: Deep Generative Stochastic Networks Trainable by Backprop, ICML 2014 (arXiv:1306.1091).
///
/// | paper      | here          | shape                  | role                                                                    |
/// |------------|---------------|------------------------|-------------------------------------------------------------------------|
/// | X̃         | `spoilt`      | [batch, dims]          | an example after the corruption C(X̃ ¦ X)                               |
/// | H          | `h[l]`        | [batch, width]         | hidden layers; each sees the layer below and the one above, with noise |
/// | W^l, b^l   | `layers[l]`   | [width before, width]  | upwards; downwards the same weights, transposed                         |
/// | c          | `c`           | [dims]                 | the bias of P(X ¦ H)                                                    |
///
/// Training is walkback (Bengio, Yao, Alain & Vincent 2013, Algorithm 1): the chain starts at an example, and each of its steps
/// must tell that example again, so that modes which the data does not have are unlearnt. One step alone is a denoising autoencoder.
///
/// Bits and levels of grey are independent Bernoullis given H, whose means are what is told of greys; reals have deviation 1.
package struct GSN: GenerativeModel {
  private var parameters: Parameters
  private let layers: [(W: Int, b: Int)]
  private let c: Int
  private let widths: [Int]
  /// Steps of the chain in training; 1 is without walkback.
  private let walkbacks: Int
  /// The share of numbers that the corruption sets to salt or pepper; of reals the deviation of what it adds.
  private let corruption: Float
  /// The deviation of the noise before and after each hidden unit's tanh.
  private let hiddenNoise: Float
  private let input: ModelInput
  /// The mean of the training examples of the last steps, at which chains start.
  private var start: Tensor
  private let team: ThreadTeam
  private var tape: Tape
  /// How the weights of each layer are read downwards.
  private let transposes: [Order]

  package init(_ configuration: Configuration, input: ModelInput, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let randomness = Philox(seed: seed)
    var parameters = Parameters(optimizer)
    widths = [input.dims] + configuration.integers("hidden_layers")
    layers = zip(widths, widths.dropFirst()).enumerated().map { number, sides in
      // Glorot & Bengio 2010, eq. 16.
      let bound = (6 / Float(sides.0 + sides.1)).squareRoot()
      let W = Tensor(
        uniformIn: -bound..<bound, shape: [sides.0, sides.1], .initialization, index: parameters.all.count, using: randomness)
      let place = parameters.add("hidden.\(number).weight", W, decays: true)
      return (place, parameters.add("hidden.\(number).bias", Tensor(repeating: 0, shape: [sides.1]), decays: false))
    }
    c = parameters.add("visible.bias", Tensor(repeating: 0, shape: [input.dims]), decays: false)
    transposes = zip(widths, widths.dropFirst()).map { Self.transpose(rows: $0, columns: $1) }
    walkbacks = configuration.integer("walkbacks")
    corruption = Float(configuration.number("corruption"))
    hiddenNoise = Float(configuration.number("hidden_noise"))
    start = Tensor(repeating: input.kind == .real ? 0 : 0.5, shape: [input.dims])
    self.parameters = parameters
    self.input = input
    self.team = team
    tape = Tape(team)
  }

  /// Where each number of a matrix's transpose comes from.
  private static func transpose(rows: Int, columns: Int) -> Order {
    Order((0..<rows * columns).map { $0 % rows * columns + $0 / rows }, within: rows * columns)
  }
}

// MARK: The equations

extension GSN {
  /// The addresses of a step's noise: the chain's examples, and which of the steps that are ever taken this is.
  private struct Place {
    let examples: [Int]
    let step: Int
    let stream: Philox.Stream
    let randomness: Philox

    /// A number of its own for each thing that is drawn in a step: the corruption, the visible units, and two for each hidden layer.
    func address(_ what: Int) -> Int { step * Self.thingsMax + what }
    static let thingsMax = 32

    func uniform(_ sites: Int, _ what: Int) -> Tensor {
      Tensor(uniform: sites, stream, step: address(what), examples: examples, using: randomness)
    }

    func normal(_ sites: Int, _ what: Int) -> Tensor {
      Tensor(normal: sites, stream, step: address(what), examples: examples, using: randomness)
    }
  }

  /// C(X̃ | X): salt and pepper, or Gaussian noise for reals.
  private func spoilt(_ x: Tensor, at place: Place) -> Tensor {
    guard corruption > 0 else { return x }
    var scalars = x.scalars
    if input.kind == .real {
      let noise = place.normal(x.columns, 0).scalars
      for index in scalars.indices { scalars[index] += corruption * noise[index] }
    } else {
      let uniforms = place.uniform(x.columns, 0).scalars
      for index in scalars.indices where uniforms[index] < corruption { scalars[index] = uniforms[index] < corruption / 2 ? 0 : 1 }
    }
    return Tensor(shape: x.shape, scalars: scalars)
  }

  /// The weights on the tape, upwards and downwards.
  private struct Weights {
    let up: [Tape.Variable]
    let down: [Tape.Variable]
    let b: [Tape.Variable]
    let c: Tape.Variable

    /// The same tensors as constants of another tape.
    func constants(from tape: Tape, on other: inout Tape) -> Weights {
      let (up, down, b) = (up.map(tape.value), down.map(tape.value), b.map(tape.value))
      return Weights(
        up: up.map { other.constant($0) }, down: down.map { other.constant($0) }, b: b.map { other.constant($0) },
        c: other.constant(tape.value(c)))
    }
  }

  private func weights(on tape: inout Tape, _ variables: [Tape.Variable]) -> Weights {
    let up = layers.map { variables[$0.W] }
    let down = up.enumerated().map { number, W in
      let (rows, columns) = (widths[number], widths[number + 1])
      let flat = tape.apply(Reshape([1, rows * columns]), [W])
      let turned = tape.apply(Gather(columns: transposes[number]), [flat])
      return tape.apply(Reshape([columns, rows]), [turned])
    }
    return Weights(up: up, down: down, b: layers.map { variables[$0.b] }, c: variables[c])
  }

  /// One step of the hidden state, H given X̃ and the H before: first the odd layers, each from its two neighbours, then the even ones.
  /// - Parameter h: nil for layers that are not there yet, at the chain's start.
  private func transition(
    _ spoilt: Tape.Variable, _ h: inout [Tape.Variable?], _ weights: Weights, at place: Place, on tape: inout Tape
  ) {
    for parity in 0..<2 {
      for layer in stride(from: parity, to: layers.count, by: 2) {
        let below = layer == 0 ? spoilt : h[layer - 1]
        guard let below else { continue }
        var sum = tape.apply(Dense(), [below, weights.up[layer], weights.b[layer]])
        if layer + 1 < layers.count, let above = h[layer + 1] {
          let fromAbove = tape.apply(Dense(), [above, weights.down[layer + 1]])
          sum = tape.apply(Add(), [sum, fromAbove])
        }
        sum = noised(sum, 2 + 2 * layer, at: place, on: &tape)
        let unit = tape.apply(Activate(.tanh), [sum])
        h[layer] = noised(unit, 3 + 2 * layer, at: place, on: &tape)
      }
    }
  }

  private func noised(_ h: Tape.Variable, _ what: Int, at place: Place, on tape: inout Tape) -> Tape.Variable {
    guard hiddenNoise > 0 else { return h }
    let noise = place.normal(tape.value(h).columns, what)
    let scaled = tape.constant(Tensor(shape: noise.shape, scalars: noise.scalars.map { $0 * hiddenNoise }))
    return tape.apply(Add(), [h, scaled])
  }

  /// What tells P(X | H): logits, or the means of reals; `[batch, dims]`.
  private func told(_ h: [Tape.Variable?], _ weights: Weights, on tape: inout Tape) -> Tape.Variable {
    guard let lowest = h[0] else { preconditionFailure("a chain whose first hidden layer was never computed") }
    return tape.apply(Dense(), [lowest, weights.down[0], weights.c])
  }

  /// X given H.
  private func drawn(_ told: Tensor, temperature: Float, at place: Place) -> Tensor {
    if input.kind == .real {
      let (noise, deviation) = (place.normal(told.columns, 1).scalars, temperature.squareRoot())
      return Tensor(shape: told.shape, scalars: zip(told.scalars, noise).map { $0 + deviation * $1 })
    }
    let means = Kernels.sigmoid(temperature == 1 ? told.scalars : told.scalars.map { $0 / temperature })
    let uniforms = place.uniform(told.columns, 1).scalars
    return Tensor(shape: told.shape, scalars: zip(uniforms, means).map { $0 < $1 ? 1 : 0 })
  }
}

// MARK: Walkback

extension GSN {
  /// - Returns: the mean of −ln P(X | H) over the steps of the chain, nats an example; no likelihood of the model.
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let variables = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let (weights, target) = (weights(on: &tape, variables), tape.constant(x))
    var (chain, h) = (x, [Tape.Variable?](repeating: nil, count: layers.count))
    var loss: Tape.Variable?
    for walk in 0..<walkbacks {
      let place = Place(examples: examples, step: step * walkbacks + walk, stream: .noise, randomness: randomness)
      let spoiltVariable = tape.constant(spoilt(chain, at: place))
      transition(spoiltVariable, &h, weights, at: place, on: &tape)
      let told = told(h, weights, on: &tape)
      let nats = input.kind == .real ? gaussianNats(told, of: target, on: &tape) : tape.apply(BernoulliNats(), [told, target])
      let mean = tape.apply(Mean(), [nats])
      loss = loss.map { tape.apply(Add(), [$0, mean]) } ?? mean
      // Gradients go back through H alone: what is drawn is data.
      if walk + 1 < walkbacks { chain = drawn(tape.value(told), temperature: 1, at: place) }
    }
    guard let loss else { preconditionFailure("a chain without steps") }
    let nats = Double(tape.value(loss).scalars[0]) / Double(walkbacks)
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: variables.map { tape.gradient($0) }, team)
    noteStart(x, step: step)
    return nats
  }

  /// The mean of squares and its constant: −ln of a normal density of deviation 1, `[batch]`, by a Gaussian mixture of one.
  private func gaussianNats(_ told: Tape.Variable, of x: Tape.Variable, on tape: inout Tape) -> Tape.Variable {
    let rows = tape.value(told).rows
    let negative = tape.apply(Multiply(), [x, tape.constant(Tensor(repeating: -1, shape: tape.value(x).shape))])
    let difference = tape.apply(Add(), [told, negative])
    let squares = tape.apply(Multiply(), [difference, difference])
    let half = tape.constant(Tensor(repeating: 0.5, shape: [input.dims, 1]))
    let volume = tape.constant(Tensor(repeating: 0.918_938_5 * Float(input.dims), shape: [1]))
    return tape.apply(Reshape([rows]), [tape.apply(Dense(), [squares, half, volume])])
  }

  private mutating func noteStart(_ x: Tensor, step: Int) {
    Kernels.average(Kernels.columnMoments(x, team).mean, into: &start, decay: min(0.99, Float(step) / Float(step + 9)), team)
  }
}

// MARK: Sampling

extension GSN: DrawsByChains, Completes {
  /// Chosen: a step mixes as well as many of Gibbs sampling, for it spoils a large part of the example.
  private static let burnIn = 100

  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    sample(indices, chain: ChainLength(burnIn: Self.burnIn), temperature: temperature, using: randomness)
  }

  /// Chains start at examples drawn of independent means. Bits and reals are told as drawn, greys by their means.
  package func sample(_ indices: [Int], chain: ChainLength, temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    return walked(indices, chain, temperature: temperature, clamped: nil, using: randomness)
  }

  /// By chains in which what is known stays.
  package func complete(_ x: Tensor, known: [Bool], _ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0 && known.count == x.columns, "temperature \(temperature), \(known.count) of \(x.columns) numbers")
    return walked(indices, ChainLength(burnIn: Self.burnIn), temperature: temperature, clamped: (x.scalars, known), using: randomness)
  }

  /// What chains show when their time has come.
  private func walked(
    _ indices: [Int], _ length: ChainLength, temperature: Float, clamped: (x: [Float], known: [Bool])?, using randomness: Philox
  ) -> Tensor {
    var (settled, tape, hidden) = (Tape(team), Tape(team), [Tensor?](repeating: nil, count: layers.count))
    let variables = parameters.all.indices.map { settled.constant(parameters.settled($0)) }
    let settledWeights = weights(on: &settled, variables)
    var chain = Tensor(repeating: 0, shape: [0, input.dims])
    return walk(indices, length) { chains in
      chain = clamp(beginning(Place(examples: chains, step: 0, stream: .sampling, randomness: randomness)), clamped)
      return chain
    } step: { state, number, chains in
      tape.begin()
      let weights = settledWeights.constants(from: settled, on: &tape)
      let place = Place(examples: chains, step: number, stream: .sampling, randomness: randomness)
      var h = hidden.map { $0.map { tape.constant($0) } }
      transition(tape.constant(spoilt(chain, at: place)), &h, weights, at: place, on: &tape)
      let variable = self.told(h, weights, on: &tape)
      let means = tape.value(variable)
      hidden = h.map { $0.map { tape.value($0) } }
      let x = drawn(means, temperature: temperature, at: place)
      chain = clamp(x, clamped)
      state = clamp(shown(means, drawn: x, temperature: temperature), clamped)
    }
  }

  private func beginning(_ place: Place) -> Tensor {
    let count = place.examples.count
    if input.kind == .real { return place.normal(input.dims, 1) }
    let uniforms = place.uniform(input.dims, 1).scalars
    let means = start.scalars
    return Tensor(shape: [count, input.dims], scalars: uniforms.enumerated().map { $1 < means[$0 % means.count] ? 1 : 0 })
  }

  /// What a person is shown of a step: bits as drawn, greys as their means, reals as drawn.
  private func shown(_ told: Tensor, drawn: Tensor, temperature: Float) -> Tensor {
    guard input.kind == .grey256 else { return drawn }
    return Tensor(shape: told.shape, scalars: Kernels.sigmoid(temperature == 1 ? told.scalars : told.scalars.map { $0 / temperature }))
  }

  private func clamp(_ x: Tensor, _ clamped: (x: [Float], known: [Bool])?) -> Tensor {
    guard let clamped else { return x }
    let dims = input.dims
    return Tensor(shape: x.shape, scalars: x.scalars.enumerated().map { clamped.known[$0 % dims] ? clamped.x[$0 % dims] : $1 })
  }
}

// MARK: Keeping

extension GSN {
  private var keptStart: NamedTensor { NamedTensor("start", start) }

  package var weights: [NamedTensor] { parameters.weights + [keptStart] }
  package var trainingState: [NamedTensor] { parameters.state + [keptStart] }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    try parameters.restore(tensors)
    start = try tensors.tensor("start", like: start)
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let gsn = ModelFamily(
    name: "gsn", title: "GSN",
    summary:
      "A Markov chain whose steps spoil and restore an example; what it comes to rest in is the model, of which only samples are had.",
    paper:
      "Bengio, Thibodeau-Laufer, Alain, Yosinski: Deep Generative Stochastic Networks Trainable by Backprop, ICML 2014, arXiv:1306.1091",
    taxonomy: ["implicit", "markov_chain"], abilities: ["complete"],
    likelihood: .init(
      .none, "None: the chain has a distribution that it comes to rest in, but nobody can tell its density."),
    sampling: "By a chain that spoils an example and restores it, again and again, from noise.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "hidden_layers", .integers(count: 1...8, each: 1...8192), defaultValue: [500], "How many units each hidden layer has.",
          source: "chosen; the paper has 1500 in each of its layers"),
        .init(
          "walkbacks", .integer(1...20), defaultValue: 5, "Steps of the chain in training, each of which must tell the example; 1 is none.",
          source: "chosen: as many as the layers' sides in the paper"),
        .init(
          "corruption", .number(0...1), defaultValue: 0.4,
          "The share of numbers that are set to salt or pepper before each step; of reals the deviation of the noise that they get.",
          source: "the paper's salt and pepper for MNIST"),
        .init(
          "hidden_noise", .number(0...10), defaultValue: 0, "The deviation of Gaussian noise before and after each hidden unit's tanh.",
          source: "a shallow network needs none; the paper's deep ones have 2"),
      ],
      presets: [
        .init("small", "Learns small pictures within a minute.", ["hidden_layers": [200], "walkbacks": 3]),
        .init("paper", "The paper's network for MNIST.", ["hidden_layers": [1500, 1500], "walkbacks": 5, "hidden_noise": 2]),
      ]),
    refusal: { configuration, input in
      let widths = ([input.dims] + configuration.integers("hidden_layers")).map { Double($0) }
      let count = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
      guard count <= weightsMaxOfGSN else {
        let detail = "makes \(Int(count)) weights with \(input.dims) inputs; at most \(Int(weightsMaxOfGSN))"
        return Fault(pointer: "/hidden_layers", detail: detail)
      }
      return nil
    },
    make: { configuration, input, optimizer, seed, team in
      GSN(configuration, input: input, optimizer: optimizer, seed: seed, team: team)
    })

  /// 256 MiB, which training needs some seven times. Chosen.
  private static let weightsMaxOfGSN = 67_108_864.0
}
