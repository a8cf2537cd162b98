import JSON
import ONNX
import Tensors

/// MADE: an autoencoder whose masks make it a product of conditionals.
/// Germain, Gregor, Murray & Larochelle, ICML 2015 (arXiv:1502.03509), §3 to §5.
///
/// | paper    | here         | shape                        | role                                                         |
/// |----------|--------------|------------------------------|--------------------------------------------------------------|
/// | W^l, b^l | `hidden[l]`  | [width before, width]        | a hidden layer; stored transposed                            |
/// | V, c     | `V`, `c`     | [last width, dims · outputs] | what tells the conditionals                                  |
/// | A        | `A`          | [dims, dims · outputs]       | direct connections from inputs to outputs (§4.1), if wanted  |
/// | m^l(k)   | `degrees`    | [width]                      | how many inputs, in their order, a unit may depend on        |
/// | M        | `Masks`      |                              | eqs. 8 and 9                                                 |
///
/// Differs from the paper: where connections are not drawn, degrees are spread evenly, which leaves no conditional without units by chance.
/// Units stand in the order of their degrees, so that masks are staircases and what they kill is never computed.
package struct MADE: ScoresLikelihood {
  private var parameters: Parameters
  private let hidden: [(W: Int, b: Int)]
  private let V: Int
  private let c: Int
  private let A: Int?
  private let dims: Int
  private let output: ConditionalOutput
  private let activation: Activation
  /// The shares of inputs and of hidden units that a training step drops.
  private let dropout: (inputs: Float, hidden: Float)
  /// Training takes them in turn, scoring averages over them (§4.2, §4.3). The first has the data's own ordering; a single one is the
  /// usual case.
  private var connectivities: [Connectivity]
  private let team: ThreadTeam
  private var tape: Tape

  package init(_ configuration: Configuration, dims: Int, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let (randomness, output) = (Philox(seed: seed), ConditionalOutput(configuration))
    let (widths, drawsDegrees) = (configuration.integers("hidden_layers"), configuration.boolean("connectivity_agnostic"))
    let orderings = Ordering.several(configuration.integer("orderings"), dims: dims, using: randomness)
    let count = drawsDegrees ? max(orderings.count, configuration.integer("masks")) : orderings.count
    let connectivities = (0..<count).map { number in
      Connectivity(
        orderings[number % orderings.count],
        degrees: drawsDegrees
          ? Connectivity.drawnDegrees(dims: dims, widths: widths, number: number, using: randomness)
          : Connectivity.evenDegrees(dims: dims, widths: widths), outputs: output.outputs)
    }
    let masks = connectivities[0].masks
    var parameters = Parameters(optimizer)
    func matrix(_ name: String, _ mask: Staircase, bound: Float) -> Int {
      let tensor = Tensor(
        uniformIn: -bound..<bound, shape: [mask.inputs, mask.outputs], .initialization, index: parameters.all.count, using: randomness)
      // With several connectivities every weight is alive in some of them.
      return parameters.add(name, tensor, decays: true, mask: connectivities.allSatisfy(\.isInPlace) ? mask : nil)
    }
    func vector(_ name: String, _ tensor: Tensor) -> Int { parameters.add(name, tensor, decays: false) }
    // Glorot & Bengio 2010, eq. 16; of the outputs each dimension's are a layer of their own.
    func bound(_ inputs: Int, _ outputs: Int) -> Float { (6 / Float(inputs + outputs)).squareRoot() }
    hidden = masks.hidden.enumerated().map { layer, mask in
      (
        W: matrix("hidden.\(layer).weight", mask, bound: bound(mask.inputs, mask.outputs)),
        b: vector("hidden.\(layer).bias", Tensor(repeating: 0, shape: [mask.outputs]))
      )
    }
    V = matrix("output.weight", masks.output, bound: bound(masks.output.inputs, dims))
    c = vector("output.bias", output.biases(dims: dims))
    A = configuration.boolean("direct_connections") ? matrix("direct.weight", masks.direct, bound: 0) : nil
    activation = Activation(rawValue: configuration.string("activation")) ?? .relu
    dropout = (Float(configuration.number("input_dropout")), Float(configuration.number("hidden_dropout")))
    self.parameters = parameters
    self.dims = dims
    self.output = output
    self.connectivities = connectivities
    self.team = team
    tape = Tape(team)
  }
}

// MARK: The equations

extension MADE {
  /// The weights with their axes in a connectivity's order.
  private func arranged(_ weights: [Tape.Variable], in one: Connectivity, on tape: inout Tape) -> [Tape.Variable] {
    guard !one.isInPlace else { return weights }
    var arranged = weights
    func arrange(_ parameter: Int, rows: Order?, columns: Order? = nil, on tape: inout Tape) {
      guard rows != nil || columns != nil else { return }
      arranged[parameter] = tape.apply(Gather(rows: rows, columns: columns), [weights[parameter]])
    }
    let before = [one.ordering.order] + one.units
    for (layer, parameter) in hidden.enumerated() {
      arrange(parameter.W, rows: before[layer], columns: one.units[layer], on: &tape)
      arrange(parameter.b, rows: one.units[layer], on: &tape)
    }
    arrange(V, rows: before[hidden.count], columns: one.outputs, on: &tape)
    arrange(c, rows: one.outputs, on: &tape)
    if let A { arrange(A, rows: one.ordering.order, columns: one.outputs, on: &tape) }
    return arranged
  }

  private func arranged(_ x: Tape.Variable, in ordering: Ordering, on tape: inout Tape) -> Tape.Variable {
    ordering.order.map { tape.apply(Gather(columns: $0), [x]) } ?? x
  }

  /// Eqs. 10 and 11: what tells p(x_d | x_<d), `[batch, dims · outputs]`, everything in one connectivity's order.
  /// - Parameter thin: what training makes of the units of a layer, 0 being the inputs.
  private func logits(
    of x: Tape.Variable, _ weights: [Tape.Variable], _ masks: Masks, on tape: inout Tape,
    thin: (_ layer: Int, Tape.Variable, inout Tape) -> Tape.Variable = { _, h, _ in h }
  ) -> Tape.Variable {
    let x = thin(0, x, &tape)
    var h = x
    for (layer, mask) in masks.hidden.enumerated() {
      h = tape.apply(Dense(activation, mask: mask), [h, weights[hidden[layer].W], weights[hidden[layer].b]])
      h = thin(layer + 1, h, &tape)
    }
    let z = tape.apply(Dense(mask: masks.output), [h, weights[V], weights[c]])
    guard let A else { return z }
    return tape.apply(Add(), [z, tape.apply(Dense(mask: masks.direct), [x, weights[A]])])
  }
}

// MARK: Objective

extension MADE {
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    let one = connectivities[step % connectivities.count]
    let dropout = dropout
    // Out of the model while the equations are written down: they read the model, and a copy that they make would share its tensors.
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let x = arranged(tape.constant(x), in: one.ordering, on: &tape)
    let z = logits(of: x, arranged(weights, in: one, on: &tape), one.masks, on: &tape) { layer, h, tape in
      let dropped = layer == 0 ? dropout.inputs : dropout.hidden
      guard dropped > 0 else { return h }
      return tape.apply(
        Dropout(keep: 1 - dropped, .dropout(layer: layer), step: step, examples: examples, using: randomness), [h])
    }
    let loss = output.loss(z, of: tape.value(x), on: &tape)
    let nats = Double(tape.value(loss).scalars[0])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
    return nats
  }

  /// With several connectivities, those of the mixture of their distributions, each with the same share.
  package func nats(of x: Tensor) -> [Double] {
    var tape = Tape(team)
    var nats: [Double] = []
    let rowsAtOnce = min(Self.rowsAtOnce, max(1, Self.logitsAtOnce / (dims * output.outputs)))
    for start in stride(from: 0, to: x.rows, by: rowsAtOnce) {
      let batch = x.rows(start..<min(start + rowsAtOnce, x.rows))
      let each = connectivities.map { one in
        let (x, z) = logits(of: batch, one, on: &tape)
        return output.nats(tape.value(z), of: tape.value(x), team)
      }
      nats += (0..<batch.rows).map { row in EqualMixture.nats(each.map { $0[row] }) }
    }
    return nats
  }

  /// 200 rows, which keep activations near the cache, and of many dimensions so few that their logits take 16 MiB; chosen, nothing
  /// depends on it.
  private static let (rowsAtOnce, logitsAtOnce) = (200, 1 << 22)

  /// The inputs and the logits of scoring.
  private func logits(of x: Tensor, _ one: Connectivity, on tape: inout Tape) -> (x: Tape.Variable, z: Tape.Variable) {
    tape.begin()
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    let x = arranged(tape.constant(x), in: one.ordering, on: &tape)
    return (x, logits(of: x, arranged(weights, in: one, on: &tape), one.masks, on: &tape))
  }

  /// What tells p(x_d | x_<d), `[batch, dims · outputs]`, dimensions in the ordering of the connectivity of that number.
  package func logits(of x: Tensor, ordering number: Int = 0) -> Tensor {
    var tape = Tape(team)
    let z = logits(of: x, connectivities[number], on: &tape).z
    return tape.value(z)
  }

  /// The dimension at each place of each connectivity's ordering.
  package var orders: [[Int]] { connectivities.map(\.ordering.dims) }
}

// MARK: Sampling

extension MADE {
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    // A sample is one of the mixture's: its connectivity is drawn first.
    let lots = EqualMixture.lots(among: connectivities.count, for: indices, atOnce: Self.samplesAtOnce, using: randomness)
    let drawnFrom = Set(lots.map(\.number))
    let arranged = connectivities.indices.map { drawnFrom.contains($0) ? settled(in: connectivities[$0]) : [] }
    let drawn = team.map(blocks: lots.count) { block in
      let lot = lots[block]
      return draw(
        lot.places.map { indices[$0] }, connectivities[lot.number], arranged[lot.number], temperature: temperature, using: randomness
      ).x
    }
    var scalars = [Float](repeating: 0, count: indices.count * dims)
    for (lot, x) in zip(lots, drawn) {
      let order = connectivities[lot.number].ordering.dims
      for (row, place) in lot.places.enumerated() {
        for (position, scalar) in x.row(row).enumerated() { scalars[place * dims + order[position]] = scalar }
      }
    }
    return Tensor(shape: [indices.count, dims], scalars: scalars)
  }

  /// Samples that go through the weights together, so that each row of weights is fetched once for all of them; chosen so that their sums
  /// stay in the cache. Nothing depends on it.
  private static let samplesAtOnce = 16

  private func settled(in one: Connectivity) -> [Tensor] {
    var tape = Tape(team)
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    return arranged(weights, in: one, on: &tape).map { tape.value($0) }
  }

  /// Draws dimension after dimension. Every unit is computed once, when the last of its inputs is known: its sum has grown by one term as
  /// each input came, in the very order in which the product sums, so that the logits are those of scoring, bit for bit.
  /// - Complexity: that of scoring the samples once.
  /// - Returns: samples `[indices, dims]` and logits `[indices, dims · outputs]`, in the ordering.
  package func draw(
    _ indices: [Int], ordering number: Int = 0, temperature: Float, using randomness: Philox
  ) -> (x: Tensor, logits: Tensor) {
    let one = connectivities[number]
    return draw(indices, one, settled(in: one), temperature: temperature, using: randomness)
  }

  private func draw(
    _ indices: [Int], _ one: Connectivity, _ weights: [Tensor], temperature: Float, using randomness: Philox
  ) -> (x: Tensor, logits: Tensor) {
    let (n, masks, outputs) = (indices.count, one.masks, output.outputs)
    let noise = output.noise(dims: dims, indices, using: randomness)
    var x = Tensor(repeating: 0, shape: [n, dims])
    var logits = Tensor(repeating: 0, shape: [n, dims * outputs])
    var (sumsOfV, sumsOfA) = (logits, logits)
    var sums = masks.hidden.map { Tensor(repeating: 0, shape: [n, $0.outputs]) }
    var h = sums
    /// How many units of each layer are complete.
    var complete = hidden.map { _ in 0 }
    for d in 0..<dims {
      for (layer, mask) in masks.hidden.enumerated() {
        let known = layer == 0 ? d : complete[layer - 1]
        let start = complete[layer]
        while complete[layer] < mask.outputs, mask.live[complete[layer]] <= known { complete[layer] += 1 }
        Kernels.finish(sums[layer], bias: weights[hidden[layer].b], activation, into: &h[layer], columns: start..<complete[layer])
        for k in start..<complete[layer] {
          if layer + 1 < hidden.count {
            Kernels.addRow(k, of: weights[hidden[layer + 1].W], masks.hidden[layer + 1], times: h[layer], to: &sums[layer + 1])
          } else {
            Kernels.addRow(k, of: weights[V], masks.output, times: h[layer], to: &sumsOfV)
          }
        }
      }
      let columns = d * outputs..<(d + 1) * outputs
      Kernels.finish(sumsOfV, bias: weights[c], .identity, into: &logits, columns: columns)
      if A != nil {
        for row in 0..<n {
          for column in columns { logits[row, column] += sumsOfA[row, column] }
        }
      }
      let z = Tensor(shape: [n, outputs], scalars: (0..<n).flatMap { row in columns.map { logits[row, $0] } })
      let values = output.draw(z, dimension: one.ordering.dims[d], noise, temperature: temperature)
      for (row, value) in values.enumerated() { x[row, d] = value }
      Kernels.addRow(d, of: weights[hidden[0].W], masks.hidden[0], times: x, to: &sums[0])
      if let A { Kernels.addRow(d, of: weights[A], masks.direct, times: x, to: &sumsOfA) }
    }
    return (x, logits)
  }
}

// MARK: The graph

extension MADE: WritesGraph {
  /// All conditionals at once: of examples as they are, or of those whose first dimensions are drawn, dimension after dimension.
  package func graph() throws(NoGraph) -> Graph {
    guard connectivities.count == 1, connectivities[0].isInPlace else {
      throw NoGraph(detail: "it mixes several orderings or masks; one network with \"orderings\": 1 is one pass")
    }
    let masks = connectivities[0].masks
    var graph = Graph(
      name: "made",
      "What MADE says of each dimension of x given those before it. To draw, start from zeros and take dimension d of the sample in pass d."
    )
    let x = graph.input("x", [.batch, .count(dims)])
    var h = x
    for (layer, mask) in zip(hidden, masks.hidden) {
      h = graph.dense(h, mask.masked(parameters.settled(layer.W)), parameters.settled(layer.b), activation)
    }
    var z = graph.dense(h, masks.output.masked(parameters.settled(V)), parameters.settled(c))
    if let A { z = graph.apply("Add", [z, graph.dense(x, masks.direct.masked(parameters.settled(A)), nil)]) }
    output.close(&graph, z, count: dims)
    return graph
  }
}

// MARK: Keeping

extension MADE {
  package var weights: [NamedTensor] { parameters.weights + connectivities.kept }
  package var trainingState: [NamedTensor] { parameters.state + connectivities.kept }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    let restored = try connectivities.restored(from: tensors, outputs: output.outputs)
    try parameters.restore(tensors)
    connectivities = restored
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let made = ModelFamily(
    name: "made", title: "MADE",
    summary: "A masked autoencoder: every output sees only the inputs before it, so that one pass gives an exact likelihood.",
    paper: "Germain, Gregor, Murray, Larochelle: MADE: Masked Autoencoder for Distribution Estimation, ICML 2015, arXiv:1502.03509",
    taxonomy: ["explicit", "tractable"], abilities: ["score"],
    likelihood: .init(
      .exact, "Exact: one pass through the masked network tells every conditional; several orders are an exact mixture."),
    sampling: "One number after the other, each drawn given those before it; every hidden unit is computed once.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "hidden_layers", .integers(count: 1...8, each: 1...16_384), defaultValue: [500], "How many units each hidden layer has.",
          source: "§6.1, the number of units on the UCI data"),
        .init(
          "orderings", .integer(1...64), defaultValue: 1,
          "How many orderings of the inputs training goes through in turn and scoring averages over; the first is the data's own.",
          source: "a small network learns one ordering best (§6.2 uses up to 32)"),
        .init(
          "connectivity_agnostic", .boolean, defaultValue: false,
          "Whether training also goes through several draws of the units' connections (§4.3), over which scoring averages, too.",
          source: "evenly spread connections learn faster; measured on binarized MNIST"),
        .init(
          "masks", .integer(1...128), defaultValue: 16,
          "How many draws of the connections there are where it is connectivity-agnostic; each has one of the orderings, in turn.",
          source: "half of Table 6's 32, which score in half the time"),
        .init(
          "direct_connections", .boolean, defaultValue: true, "Whether inputs reach the outputs directly too.",
          source: "§4.1; better on validation, measured on binarized MNIST"),
        .init(
          "activation", .choice(["relu", "tanh", "sigmoid"]), defaultValue: "relu", "What a hidden unit does to its sum.", source: "§6"),
        .init(
          "input_dropout", .number(0...0.9), defaultValue: 0, "The share of inputs that a training step hides from each example's network.",
          source: "the paper drops none"),
        .init(
          "hidden_dropout", .number(0...0.9), defaultValue: 0, "The share of hidden units that a training step leaves out of each example.",
          source: "the paper drops none"),
      ] + ConditionalOutput.fields,
      presets: [
        .init("small", "Learns within a minute.", ["hidden_layers": [200]]),
        .init(
          "paper", "The paper's best on binarized MNIST, two layers and 32 orderings (Table 6).",
          ["hidden_layers": [8000, 8000], "orderings": 32]),
      ]),
    refusal: { configuration, input in
      let output = ConditionalOutput(configuration)
      if let fault = output.refusal(of: input, title: "MADE") { return fault }
      let (dims, outputs) = (Double(input.dims), Double(input.dims * output.outputs))
      let widths = [dims] + configuration.integers("hidden_layers").map { Double($0) } + [outputs]
      let direct = configuration.boolean("direct_connections") ? dims * outputs : 0
      let count = zip(widths, widths.dropFirst()).reduce(direct) { $0 + $1.0 * $1.1 }
      guard count <= weightsMax else {
        return Fault(pointer: "/hidden_layers", detail: "makes \(Int(count)) weights with \(input.dims) inputs; at most \(Int(weightsMax))")
      }
      return nil
    },
    make: { configuration, input, optimizer, seed, team in
      MADE(configuration, dims: input.dims, optimizer: optimizer, seed: seed, team: team)
    })

  /// 1 GiB of weights, which training needs some seven times: gradients, the optimizer's state, the best checkpoint so far and the one
  /// on its way to the disk. Chosen.
  private static let weightsMax = 268_435_456.0
}
