import Tensors

/// EoNADE: one network that tells any dimension from any others, so that every order of them is a model, and several are mixed.
/// Uria, Murray & Larochelle, ICML 2014 (arXiv:1310.1757); notation of Uria et al., JMLR 2016 (arXiv:1605.02226), §4 and §5.
///
/// | paper     | here           | shape                     | role                                                             |
/// |-----------|----------------|---------------------------|------------------------------------------------------------------|
/// | x_o<d     |                | [batch, 2 · dims]         | inputs, 0 where they are not known yet, then which are known     |
/// | W^l, b^l  | `hidden[l]`    | [width before, width]     | a hidden layer; stored transposed                                |
/// | V, c      | `V`, `c`       | [last width, dims · outputs] | what tells each conditional                                   |
/// | o         | `orderings`    |                           | those that scoring and sampling mix                              |
///
/// Scoring goes through an ordering place after place. The first layer's sums grow by what each newly known input adds; the layers after
/// it are computed anew at each place, so that D dimensions cost D passes.
package struct EoNADE: ScoresLikelihood {
  private var parameters: Parameters
  private let hidden: [(W: Int, b: Int)]
  private let V: Int
  private let c: Int
  private let dims: Int
  private let output: ConditionalOutput
  private var orderings: [Ordering]
  private let team: ThreadTeam
  private var tape: Tape

  package init(_ configuration: Configuration, dims: Int, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let (randomness, output) = (Philox(seed: seed), ConditionalOutput(configuration))
    let widths = [2 * dims] + configuration.integers("hidden_layers")
    var parameters = Parameters(optimizer)
    func matrix(_ name: String, _ inputs: Int, _ outputs: Int, bound: Float) -> Int {
      let tensor = Tensor(
        uniformIn: -bound..<bound, shape: [inputs, outputs], .initialization, index: parameters.all.count, using: randomness)
      return parameters.add(name, tensor, decays: true)
    }
    // Glorot & Bengio 2010, eq. 16; of the outputs each dimension's are a layer of their own.
    func bound(_ inputs: Int, _ outputs: Int) -> Float { (6 / Float(inputs + outputs)).squareRoot() }
    hidden = zip(widths, widths.dropFirst()).enumerated().map { layer, width in
      (
        W: matrix("hidden.\(layer).weight", width.0, width.1, bound: bound(width.0, width.1)),
        b: parameters.add("hidden.\(layer).bias", Tensor(repeating: 0, shape: [width.1]), decays: false)
      )
    }
    let last = widths[widths.count - 1]
    V = matrix("output.weight", last, dims * output.outputs, bound: bound(last, dims))
    c = parameters.add("output.bias", output.biases(dims: dims), decays: false)
    self.parameters = parameters
    self.dims = dims
    self.output = output
    orderings = Ordering.several(
      configuration.integer("orderings"), dims: dims, shufflesFirst: configuration.string("order") == "shuffled", using: randomness)
    self.team = team
    tape = Tape(team)
  }

  /// Of the hidden units (JMLR 2016, §6.1.1: rectified linear units).
  private static let activation = Activation.relu
}

// MARK: Objective

extension EoNADE {
  /// Eq. 23: each example has an order and a place of its own, of which matters only what comes before. What comes from there on is told,
  /// and stands for the whole by its share, so that the loss is the mean over all orders on average.
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    let (inputs, weightsOfNats) = split(x, examples: examples, step: step, using: randomness)
    // Out of the model while the equations are written down: a copy that they make of it would share its tensors.
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    var h = tape.constant(inputs)
    for layer in hidden { h = tape.apply(Dense(Self.activation), [h, weights[layer.W], weights[layer.b]]) }
    let z = tape.apply(Dense(), [h, weights[V], weights[c]])
    let loss = output.loss(z, of: x, weights: weightsOfNats, on: &tape)
    let nats = Double(tape.value(loss).scalars[0])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
    return nats
  }

  /// The inputs of a step, `[batch, 2 · dims]`, and the weights of its nats, `[batch, dims]`.
  ///
  /// How many dimensions an example's network knows is uniform over 0…dims − 1, and which ones is uniform over the sets of so many (Knuth,
  /// The Art of Computer Programming 2, §3.4.2, Algorithm S): the set of the first places of a uniform order. Both depend on the seed, the
  /// step and the example alone.
  private func split(_ x: Tensor, examples: [Int], step: Int, using randomness: Philox) -> (inputs: Tensor, weights: Tensor) {
    let dims = dims
    let uniforms = Tensor(uniform: dims + 1, .noise, step: step, examples: examples, using: randomness).scalars
    let values = x.scalars
    var inputs = [Float](repeating: 0, count: examples.count * 2 * dims)
    var weights = [Float](repeating: 0, count: examples.count * dims)
    for row in examples.indices {
      let (from, known) = (row * (dims + 1), Int(uniforms[row * (dims + 1) + dims] * Float(dims)))
      let weight = Float(dims) / Float(dims - known)
      var wanted = known
      for d in 0..<dims {
        if uniforms[from + d] * Float(dims - d) < Float(wanted) {
          wanted -= 1
          inputs[row * 2 * dims + d] = values[row * dims + d]
          inputs[row * 2 * dims + dims + d] = 1
        } else {
          weights[row * dims + d] = weight
        }
      }
    }
    return (Tensor(shape: [examples.count, 2 * dims], scalars: inputs), Tensor(shape: [examples.count, dims], scalars: weights))
  }
}

// MARK: The conditionals along an ordering

extension EoNADE {
  /// The weights, each dimension's outputs apart.
  private struct Settled: Sendable {
    let hidden: [(W: Tensor, b: Tensor)]
    /// For each dimension `[last width, outputs]` and `[outputs]`.
    let outputs: [(V: Tensor, c: Tensor)]
    /// Of the first layer: every unit sees every input.
    let all: Staircase
  }

  private var settled: Settled {
    let (V, c, count) = (parameters.settled(V), parameters.settled(c), output.outputs)
    let first = parameters.settled(hidden[0].W).shape
    let outputs = (0..<dims).map { d in
      let (from, to) = (d * count, (d + 1) * count)
      var columns: [Float] = []
      for row in 0..<V.rows { columns += V.scalars[row * V.columns + from..<row * V.columns + to] }
      return (V: Tensor(shape: [V.rows, count], scalars: columns), c: Tensor(shape: [count], scalars: Array(c.scalars[from..<to])))
    }
    return Settled(
      hidden: hidden.map { (parameters.settled($0.W), parameters.settled($0.b)) }, outputs: outputs,
      all: Staircase(inputs: first[0], live: [Int](repeating: first[0], count: first[1])))
  }

  /// Goes through an ordering: `visit` is told what the network says of a dimension from those before it, `[rows, outputs]`, and gives its
  /// values, which those after it see.
  private func walk(
    _ rows: Int, _ ordering: Ordering, _ weights: Settled, _ visit: (_ dimension: Int, _ z: Tensor) -> [Float]
  ) {
    var inputs = Tensor(repeating: 0, shape: [rows, 2 * dims])
    var sums = Tensor(repeating: 0, shape: [rows, weights.hidden[0].b.count])
    var h = weights.hidden.map { Tensor(repeating: 0, shape: [rows, $0.b.count]) }
    var z = Tensor(repeating: 0, shape: [rows, output.outputs])
    for d in ordering.dims {
      Kernels.finish(sums, bias: weights.hidden[0].b, Self.activation, into: &h[0], columns: 0..<sums.columns)
      for layer in 1..<h.count {
        Dense(Self.activation).forward([h[layer - 1], weights.hidden[layer].W, weights.hidden[layer].b], into: &h[layer], .alone)
      }
      Dense().forward([h[h.count - 1], weights.outputs[d].V, weights.outputs[d].c], into: &z, .alone)
      for (row, value) in visit(d, z).enumerated() {
        inputs[row, d] = value
        inputs[row, dims + d] = 1
      }
      Kernels.addRow(d, of: weights.hidden[0].W, weights.all, times: inputs, to: &sums)
      Kernels.addRow(dims + d, of: weights.hidden[0].W, weights.all, times: inputs, to: &sums)
    }
  }

  /// Of the mixture of all orderings, each with the same share (JMLR 2016, §4.2).
  /// - Complexity: O(examples · orderings · dims · weights of the layers after the first).
  package func nats(of x: Tensor) -> [Double] {
    let (weights, blocks) = (settled, (x.rows + Self.rowsAtOnce - 1) / Self.rowsAtOnce)
    let each = team.map(blocks: blocks * orderings.count) { block in
      let start = block / orderings.count * Self.rowsAtOnce
      return nats(of: x.rows(start..<min(start + Self.rowsAtOnce, x.rows)), orderings[block % orderings.count], weights)
    }
    return (0..<x.rows).map { row in
      let (block, place) = (row / Self.rowsAtOnce, row % Self.rowsAtOnce)
      return EqualMixture.nats(orderings.indices.map { each[block * orderings.count + $0][place] })
    }
  }

  /// The first ordering alone: the mixture, which costs as many times as much, is better than that on average.
  package var validating: any ScoresLikelihood {
    var one = self
    one.orderings = [orderings[0]]
    return one
  }

  /// Examples that go through the weights together: enough for the product's tiles, few enough that their units stay in the cache. Chosen;
  /// nothing depends on it.
  private static let rowsAtOnce = 60

  private func nats(of x: Tensor, _ ordering: Ordering, _ weights: Settled) -> [Double] {
    var nats = [Double](repeating: 0, count: x.rows)
    walk(x.rows, ordering, weights) { d, z in
      let values = (0..<x.rows).map { x[$0, d] }
      let share = output.nats(z, of: Tensor(shape: [x.rows, 1], scalars: values), .alone)
      for row in 0..<x.rows { nats[row] += share[row] }
      return values
    }
    return nats
  }

  /// What tells p(x_d | those before it in that ordering), `[batch, dims · outputs]`, dimensions in the data's own order.
  package func logits(of x: Tensor, ordering number: Int = 0) -> Tensor {
    var told = Told(rows: x.rows, dims: dims, outputs: output.outputs)
    walk(x.rows, orderings[number], settled) { d, z in
      told.put(z, at: d)
      return (0..<x.rows).map { x[$0, d] }
    }
    return told.logits
  }

  /// The dimension at each place of each ordering.
  package var orders: [[Int]] { orderings.map(\.dims) }
}

/// The outputs of all dimensions, put together one by one.
private struct Told {
  private(set) var logits: Tensor
  private let outputs: Int

  init(rows: Int, dims: Int, outputs: Int) {
    logits = Tensor(repeating: 0, shape: [rows, dims * outputs])
    self.outputs = outputs
  }

  mutating func put(_ z: Tensor, at d: Int) {
    for row in 0..<z.rows {
      for k in 0..<outputs { logits[row, d * outputs + k] = z[row, k] }
    }
  }
}

// MARK: Sampling

extension EoNADE {
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    // A sample is one of the mixture's: its ordering is drawn first.
    let lots = EqualMixture.lots(among: orderings.count, for: indices, atOnce: Self.samplesAtOnce, using: randomness)
    let weights = settled
    let drawn = team.map(blocks: lots.count) { block in
      let lot = lots[block]
      return draw(lot.places.map { indices[$0] }, orderings[lot.number], weights, temperature: temperature, using: randomness).x
    }
    var scalars = [Float](repeating: 0, count: indices.count * dims)
    for (lot, x) in zip(lots, drawn) {
      for (row, place) in lot.places.enumerated() { scalars.replaceSubrange(place * dims..<(place + 1) * dims, with: x.row(row)) }
    }
    return Tensor(shape: [indices.count, dims], scalars: scalars)
  }

  /// Chosen, as `rowsAtOnce`, but that few samples are still work for several threads.
  private static let samplesAtOnce = 12

  /// Samples in one ordering, `[indices, dims]`, and what told their conditionals: `logits(of:)` of them, to the bit.
  package func draw(
    _ indices: [Int], ordering number: Int = 0, temperature: Float, using randomness: Philox
  ) -> (x: Tensor, logits: Tensor) {
    draw(indices, orderings[number], settled, temperature: temperature, using: randomness)
  }

  private func draw(
    _ indices: [Int], _ ordering: Ordering, _ weights: Settled, temperature: Float, using randomness: Philox
  ) -> (x: Tensor, logits: Tensor) {
    let noise = output.noise(dims: dims, indices, using: randomness)
    var x = Tensor(repeating: 0, shape: [indices.count, dims])
    var told = Told(rows: indices.count, dims: dims, outputs: output.outputs)
    walk(indices.count, ordering, weights) { d, z in
      let values = output.draw(z, dimension: d, noise, temperature: temperature)
      for (row, value) in values.enumerated() { x[row, d] = value }
      told.put(z, at: d)
      return values
    }
    return (x, told.logits)
  }
}

// MARK: Keeping

extension EoNADE {
  package var weights: [NamedTensor] { parameters.weights + orderings.kept }
  package var trainingState: [NamedTensor] { parameters.state + orderings.kept }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    let restored = try orderings.restored(from: tensors)
    try parameters.restore(tensors)
    orderings = restored
  }
}
