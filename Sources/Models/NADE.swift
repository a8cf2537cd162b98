import JSON
import ONNX
import Tensors

/// NADE: a product of conditionals that share one hidden layer, whose sum grows by one term as each input becomes known.
/// Larochelle & Murray, AISTATS 2011; notation of Uria et al., JMLR 2016 (arXiv:1605.02226), §2. With mixtures of Gaussians it is RNADE
/// (Uria, Murray & Larochelle, NIPS 2013, arXiv:1306.0186).
///
/// | paper   | here     | shape                    | role                                                       |
/// |---------|----------|--------------------------|------------------------------------------------------------|
/// | W, c    | `W`, `c` | [dims, hidden], [hidden] | the hidden layer; stored transposed: `W[d]` is one row     |
/// | V, b    | `V`, `b` | [dims · outputs, hidden] | what tells each conditional, one row an output             |
/// | o       | `orderings[0]` |                    | the order, fixed from the start                            |
///
/// Differs from the papers: RNADE's hidden units are sigmoids too, and their sums are not rescaled by place.
package struct NADE: ScoresLikelihood {
  private var parameters: Parameters
  private let W: Int
  private let c: Int
  private let V: Int
  private let b: Int
  private let dims: Int
  private let output: ConditionalOutput
  /// The one ordering.
  private var orderings: [Ordering]
  private let team: ThreadTeam
  private var tape: Tape

  package init(_ configuration: Configuration, dims: Int, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let randomness = Philox(seed: seed)
    let (hidden, output) = (configuration.integers("hidden_layers")[0], ConditionalOutput(configuration))
    // Glorot & Bengio 2010, eq. 16.
    let bound = (6 / Float(dims + hidden)).squareRoot()
    func matrix(_ rows: Int, _ index: Int) -> Tensor {
      Tensor(uniformIn: -bound..<bound, shape: [rows, hidden], .initialization, index: index, using: randomness)
    }
    var parameters = Parameters(optimizer)
    W = parameters.add("hidden.weight", matrix(dims, 0), decays: true)
    c = parameters.add("hidden.bias", Tensor(repeating: 0, shape: [hidden]), decays: false)
    V = parameters.add("output.weight", matrix(dims * output.outputs, 1), decays: true)
    b = parameters.add("output.bias", output.biases(dims: dims), decays: false)
    self.parameters = parameters
    self.dims = dims
    self.output = output
    orderings = Ordering.several(1, dims: dims, shufflesFirst: configuration.string("order") == "shuffled", using: randomness)
    self.team = team
    tape = Tape(team)
  }

  /// Algorithm 1 of the paper.
  private var runningSum: RunningSum { RunningSum(order: orderings[0].order, outputs: output.outputs) }
}

// MARK: Objective

extension NADE {
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    // Out of the model while the equations are written down: a copy that they make of it would share its tensors.
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let z = tape.apply(runningSum, [tape.constant(x), weights[W], weights[c], weights[V], weights[b]])
    let loss = output.loss(z, of: x, on: &tape)
    let nats = Double(tape.value(loss).scalars[0])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
    return nats
  }

  package func nats(of x: Tensor) -> [Double] {
    let rowsAtOnce = max(1, Self.outputsAtOnce / (dims * output.outputs))
    return stride(from: 0, to: x.rows, by: rowsAtOnce).flatMap { start in
      let batch = x.rows(start..<min(start + rowsAtOnce, x.rows))
      return output.nats(logits(of: batch), of: batch, team)
    }
  }

  /// 16 MiB of outputs; chosen, nothing depends on it.
  private static let outputsAtOnce = 1 << 22

  /// What tells p(x_d | those before it in the ordering), `[batch, dims · outputs]`, dimensions in the data's own order.
  package func logits(of x: Tensor) -> Tensor {
    var z = Tensor(repeating: 0, shape: [x.rows, dims * output.outputs])
    runningSum.forward([x] + [W, c, V, b].map { parameters.settled($0) }, into: &z, team)
    return z
  }

  /// The dimension at each place of the ordering.
  package var ordering: [Int] { orderings[0].dims }
}

// MARK: Sampling

extension NADE {
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    draw(indices, temperature: temperature, using: randomness).x
  }

  /// Samples `[indices, dims]`, and what told their conditionals: `logits(of:)` of them, to the bit.
  /// - Complexity: that of scoring the samples once.
  package func draw(_ indices: [Int], temperature: Float, using randomness: Philox) -> (x: Tensor, logits: Tensor) {
    let weights = Kernels.RunningWeights(
      W: parameters.settled(W), c: parameters.settled(c), V: parameters.settled(V), b: parameters.settled(b))
    return Kernels.draw(output.drawn, weights, runningSum, indices, temperature: temperature, using: randomness, team)
  }
}

// MARK: The graph

extension NADE: WritesGraph {
  /// One step: the conditional of one dimension, which is an input.
  package func graph() throws(NoGraph) -> Graph {
    let (V, hidden) = (parameters.settled(V), parameters.settled(c).count)
    var graph = Graph(
      name: "nade",
      "What NADE says of one dimension given those before it in the ordering; in x those that come after it, and itself, are zeros.")
    let x = graph.input("x", [.batch, .count(dims)])
    let dimension = graph.input("dimension", of: .integer, [])
    let h = graph.dense(x, parameters.settled(W), parameters.settled(c), .sigmoid)
    let rows = graph.apply("Gather", [graph.constant(V, shape: [dims, output.outputs, hidden]), dimension], ("axis", .integer(0)))
    let biases = graph.constant(parameters.settled(b), shape: [dims, output.outputs])
    let product = graph.apply("MatMul", [h, graph.apply("Transpose", [rows], ("perm", .integers([1, 0])))])
    let z = graph.apply("Add", [product, graph.apply("Gather", [biases, dimension], ("axis", .integer(0)))])
    output.close(&graph, z, count: 1)
    return graph
  }
}

// MARK: Keeping

extension NADE {
  package var weights: [NamedTensor] { parameters.weights + orderings.kept }
  package var trainingState: [NamedTensor] { parameters.state + orderings.kept }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    let restored = try orderings.restored(from: tensors)
    try parameters.restore(tensors)
    orderings = restored
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let nade = ModelFamily(
    name: "nade", title: "NADE",
    summary: "A product of conditionals that share one hidden layer, for bits, grey levels or reals; in one order, or agnostic of it.",
    paper: "Uria, Côté, Gregor, Murray, Larochelle: Neural Autoregressive Distribution Estimation, JMLR 17, 2016, arXiv:1605.02226",
    taxonomy: ["explicit", "tractable"], abilities: ["score"],
    likelihood: .init(
      .exact, "Exact: a product of conditionals, each of which the network tells; several orders are an exact mixture."),
    sampling: "One number after the other, each drawn given those before it; together that costs about one pass.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "hidden_layers", .integers(count: 1...8, each: 1...16_384), defaultValue: [500],
          "How many units each hidden layer has; more than one only where it is order-agnostic.",
          source: "§6.1, the number of units on binarized MNIST"),
        .init(
          "order", .choice(["data", "shuffled"]), defaultValue: "data",
          "The ordering of the dimensions, or the first where there are several: the data's own, or one that depends on the seed. An "
            + "order-agnostic model tells shuffled ones better, in which what is unknown has known neighbours on all sides.",
          source: "for one order, in which neighbours that follow each other are the easier to tell; the paper's order is random"),
        .init(
          "order_agnostic", .boolean, defaultValue: false,
          "Whether one network learns every order at once (EoNADE: Uria, Murray & Larochelle 2014), with masks as inputs.",
          source: "§2; the agnostic one is §4"),
        .init(
          "orderings", .integer(1...128), defaultValue: 1,
          "In how many orderings an order-agnostic model scores, whose distributions are mixed with equal shares. Scoring takes as many "
            + "times as long; the first alone validates while it trains.",
          source: "the cheapest; §6.1 mixes up to 128"),
      ] + ConditionalOutput.fields,
      presets: [
        .init("small", "Learns within a minute.", ["hidden_layers": [100]]),
        .init(
          "paper", "The paper's NADE of binarized MNIST, 500 hidden units and one order (§6.1).",
          ["hidden_layers": [500], "order": "shuffled"]),
      ]),
    refusal: { configuration, input in
      let (layers, isAgnostic) = (configuration.integers("hidden_layers"), configuration.boolean("order_agnostic"))
      let output = ConditionalOutput(configuration)
      if let fault = output.refusal(of: input, title: "NADE") { return fault }
      guard isAgnostic || layers.count == 1 else {
        return Fault(pointer: "/hidden_layers", detail: "one layer, or \"order_agnostic\": true, which admits more; was \(layers.count)")
      }
      guard isAgnostic || configuration.integer("orderings") == 1 else {
        let count = configuration.integer("orderings")
        return Fault(pointer: "/orderings", detail: "1, or \"order_agnostic\": true, which learns them all; was \(count)")
      }
      let widths = [isAgnostic ? 2 * input.dims : input.dims] + layers + [input.dims * output.outputs]
      let count = zip(widths, widths.dropFirst()).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      guard count <= weightsMax else {
        return Fault(pointer: "/hidden_layers", detail: "makes \(Int(count)) weights with \(input.dims) inputs; at most \(Int(weightsMax))")
      }
      return nil
    },
    make: { configuration, input, optimizer, seed, team in
      let isAgnostic = configuration.boolean("order_agnostic")
      return isAgnostic
        ? EoNADE(configuration, dims: input.dims, optimizer: optimizer, seed: seed, team: team) as any GenerativeModel
        : NADE(configuration, dims: input.dims, optimizer: optimizer, seed: seed, team: team)
    })

  /// 1 GiB of weights, which training needs some seven times: gradients, the optimizer's state, the best checkpoint so far and the one
  /// on its way to the disk. Chosen.
  private static let weightsMax = 268_435_456.0
}
