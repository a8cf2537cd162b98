import Foundation
import JSON
import Tensors

/// MADE: an autoencoder whose masks make it a product of conditionals.
/// Germain, Gregor, Murray & Larochelle, ICML 2015 (arXiv:1502.03509), §3 to §5.
///
/// | paper    | here         | shape                 | role                                                         |
/// |----------|--------------|-----------------------|--------------------------------------------------------------|
/// | W^l, b^l | `hidden[l]`  | [width before, width] | a hidden layer; stored transposed                            |
/// | V, c     | `V`, `c`     | [last width, dims]    | the logits                                                   |
/// | A        | `A`          | [dims, dims]          | direct connections from inputs to outputs (§4.1), if wanted  |
/// | m^l(k)   | `degrees`    | [width]               | how many inputs, in their order, a unit may depend on        |
/// | M        | `Masks`      |                       | eqs. 8 and 9                                                 |
///
/// Differs from the paper: degrees are spread evenly rather than drawn, which leaves no conditional without units by chance, and units
/// stand in the order of their degrees, so that masks are staircases and what they kill is never computed.
package struct MADE: ScoresLikelihood {
  private var parameters: Parameters
  private let hidden: [(W: Int, b: Int)]
  private let V: Int
  private let c: Int
  private let A: Int?
  private let masks: Masks
  private let activation: Activation
  /// The shares of inputs and of hidden units that a training step drops.
  private let dropout: (inputs: Float, hidden: Float)
  /// Training takes them in turn, scoring averages over them (§4.2). The first is the data's own; a single one is the usual case.
  private var orderings: [Ordering]
  private let team: ThreadTeam
  private var tape: Tape

  package init(_ configuration: Configuration, dims: Int, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let randomness = Philox(seed: seed)
    let masks = Masks(dims: dims, widths: configuration.integers("hidden_layers"))
    let orderings = (0..<configuration.integer("orderings")).map { number in
      Ordering(number == 0 ? Array(0..<dims) : randomness.permutation(of: dims, .structure, step: number))
    }
    var parameters = Parameters(optimizer)
    func matrix(_ name: String, _ mask: Staircase, bound: Float) -> Int {
      let tensor = Tensor(
        uniformIn: -bound..<bound, shape: [mask.inputs, mask.outputs], .initialization, index: parameters.all.count, using: randomness)
      // With several orderings every weight is alive in some of them.
      return parameters.add(name, tensor, decays: true, mask: orderings.count == 1 ? mask : nil)
    }
    func vector(_ name: String, _ count: Int) -> Int { parameters.add(name, Tensor(repeating: 0, shape: [count]), decays: false) }
    hidden = masks.hidden.enumerated().map { layer, mask in
      (
        W: matrix("hidden.\(layer).weight", mask, bound: Self.bound(mask)),
        b: vector("hidden.\(layer).bias", mask.outputs)
      )
    }
    V = matrix("output.weight", masks.output, bound: Self.bound(masks.output))
    c = vector("output.bias", dims)
    A = configuration.boolean("direct_connections") ? matrix("direct.weight", masks.direct, bound: 0) : nil
    activation = Activation(rawValue: configuration.string("activation")) ?? .relu
    dropout = (Float(configuration.number("input_dropout")), Float(configuration.number("hidden_dropout")))
    self.parameters = parameters
    self.masks = masks
    self.orderings = orderings
    self.team = team
    tape = Tape(team)
  }

  /// Of the uniform weights at the start: Glorot & Bengio 2010, eq. 16.
  private static func bound(_ mask: Staircase) -> Float { (6 / Float(mask.inputs + mask.outputs)).squareRoot() }
}

// MARK: Masks

/// Who may depend on whom, when inputs are numbered in their ordering.
private struct Masks: Sendable {
  let hidden: [Staircase]
  let output: Staircase
  let direct: Staircase

  init(dims: Int, widths: [Int]) {
    // 1...dims − 1, the same share of units each. A single input has no earlier one, and its units see nothing.
    let degrees = widths.map { width in (0..<width).map { dims == 1 ? 0 : 1 + $0 * (dims - 1) / width } }
    // Inputs have the degrees 1...dims. Eq. 8: a unit sees what has at most its own degree.
    let before = [Array(1...dims)] + degrees
    hidden = degrees.indices.map { Self.staircase(from: before[$0], atMost: degrees[$0]) }
    // Eq. 9: the output of degree d sees units of lower degree, at most d − 1.
    output = Self.staircase(from: before[degrees.count], atMost: Array(0..<dims))
    direct = Self.staircase(from: before[0], atMost: Array(0..<dims))
  }

  private static func staircase(from degrees: [Int], atMost bounds: [Int]) -> Staircase {
    var count = 0
    return Staircase(
      inputs: degrees.count,
      live: bounds.map { bound in
        while count < degrees.count, degrees[count] <= bound { count += 1 }
        return count
      })
  }
}

/// An order of the inputs.
private struct Ordering: Sendable {
  /// The dimension of the data at each place of the ordering.
  let dims: [Int]
  /// Nil for the data's own order, in which nothing moves.
  let order: Order?

  init(_ dims: [Int]) {
    self.dims = dims
    order = dims == Array(dims.indices) ? nil : Order(dims, within: dims.count)
  }
}

// MARK: The equations

extension MADE {
  /// The weights with their input and output axes in an ordering.
  private func arranged(_ weights: [Tape.Variable], in ordering: Ordering, on tape: inout Tape) -> [Tape.Variable] {
    guard let order = ordering.order else { return weights }
    var arranged = weights
    arranged[hidden[0].W] = tape.apply(Gather(rows: order), [weights[hidden[0].W]])
    arranged[V] = tape.apply(Gather(columns: order), [weights[V]])
    arranged[c] = tape.apply(Gather(rows: order), [weights[c]])
    if let A { arranged[A] = tape.apply(Gather(rows: order, columns: order), [weights[A]]) }
    return arranged
  }

  private func arranged(_ x: Tape.Variable, in ordering: Ordering, on tape: inout Tape) -> Tape.Variable {
    ordering.order.map { tape.apply(Gather(columns: $0), [x]) } ?? x
  }

  /// Eqs. 10 and 11: the logits of p(x_d = 1 | x_<d), `[batch, dims]`, everything in one ordering.
  /// - Parameter thin: what training makes of the units of a layer, 0 being the inputs.
  private func logits(
    of x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape,
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
    let ordering = orderings[step % orderings.count]
    let dropout = dropout
    // Out of the model while the equations are written down: they read the model, and a copy that they make would share its tensors.
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let x = arranged(tape.constant(x), in: ordering, on: &tape)
    let z = logits(of: x, arranged(weights, in: ordering, on: &tape), on: &tape) { layer, h, tape in
      let dropped = layer == 0 ? dropout.inputs : dropout.hidden
      guard dropped > 0 else { return h }
      return tape.apply(
        Dropout(keep: 1 - dropped, .dropout(layer: layer), step: step, examples: examples, using: randomness), [h])
    }
    let loss = tape.apply(Mean(), [tape.apply(BernoulliNats(), [z, x])])
    let nats = Double(tape.value(loss).scalars[0])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
    return nats
  }

  package var estimator: String { "exact" }

  /// With several orderings, those of the mixture of their distributions, each with the same share.
  package func nats(of x: Tensor) -> [Double] {
    var tape = Tape(team)
    var nats: [Double] = []
    let rowsAtOnce = min(Self.rowsAtOnce, max(1, Self.logitsAtOnce / masks.direct.outputs))
    for start in stride(from: 0, to: x.rows, by: rowsAtOnce) {
      let batch = x.rows(start..<min(start + rowsAtOnce, x.rows))
      let each = orderings.map { ordering in
        tape.begin()
        let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
        let x = arranged(tape.constant(batch), in: ordering, on: &tape)
        let z = logits(of: x, arranged(weights, in: ordering, on: &tape), on: &tape)
        return Kernels.bernoulliNats(logits: tape.value(z), of: tape.value(x), team)
      }
      nats += (0..<batch.rows).map { row in Self.natsOfMixture(each.map { $0[row] }) }
    }
    return nats
  }

  /// 200 rows, which keep activations near the cache, and of many dimensions so few that their logits take 16 MiB; chosen, nothing
  /// depends on it.
  private static let (rowsAtOnce, logitsAtOnce) = (200, 1 << 22)

  private static func natsOfMixture(_ nats: [Double]) -> Double {
    guard nats.count > 1, let least = nats.min(), least.isFinite else { return nats[0] }
    return least - log(nats.reduce(0) { $0 + exp(least - $1) } / Double(nats.count))
  }

  /// The logits of p(x_d = 1 | x_<d), `[batch, dims]`, dimensions in the ordering of that number.
  package func logits(of x: Tensor, ordering number: Int = 0) -> Tensor {
    var tape = Tape(team)
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    let x = arranged(tape.constant(x), in: orderings[number], on: &tape)
    let z = logits(of: x, arranged(weights, in: orderings[number], on: &tape), on: &tape)
    return tape.value(z)
  }
}

// MARK: Sampling

extension MADE {
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    // A sample is one of the mixture's: its ordering is drawn first.
    let numbers = indices.map { randomness.integer(below: orderings.count, .structure, example: $0) }
    let groups: [(ordering: Int, places: [Int])] = orderings.indices.flatMap { number in
      let places = indices.indices.filter { numbers[$0] == number }
      return stride(from: 0, to: places.count, by: Self.samplesAtOnce).map {
        (number, Array(places[$0..<min($0 + Self.samplesAtOnce, places.count)]))
      }
    }
    let arranged = orderings.indices.map { numbers.contains($0) ? settled(in: orderings[$0]) : [] }
    let drawn = team.map(blocks: groups.count) { block in
      let group = groups[block]
      return draw(
        group.places.map { indices[$0] }, orderings[group.ordering], arranged[group.ordering], temperature: temperature, using: randomness
      ).x
    }
    let dims = masks.direct.outputs
    var scalars = [Float](repeating: 0, count: indices.count * dims)
    for (group, x) in zip(groups, drawn) {
      let order = orderings[group.ordering].dims
      for (row, place) in group.places.enumerated() {
        for (position, scalar) in x.row(row).enumerated() { scalars[place * dims + order[position]] = scalar }
      }
    }
    return Tensor(shape: [indices.count, dims], scalars: scalars)
  }

  /// Samples that go through the weights together, so that each row of weights is fetched once for all of them; chosen so that their sums
  /// stay in the cache. Nothing depends on it.
  private static let samplesAtOnce = 16

  private func settled(in ordering: Ordering) -> [Tensor] {
    var tape = Tape(team)
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    return arranged(weights, in: ordering, on: &tape).map { tape.value($0) }
  }

  /// Draws dimension after dimension. Every unit is computed once, when the last of its inputs is known: its sum has grown by one term as
  /// each input came, in the very order in which the product sums, so that the logits are those of scoring, bit for bit.
  /// - Complexity: that of scoring the samples once.
  /// - Returns: samples and logits, `[indices, dims]`, in the ordering.
  package func draw(
    _ indices: [Int], ordering: Int = 0, temperature: Float, using randomness: Philox
  ) -> (x: Tensor, logits: Tensor) {
    draw(indices, orderings[ordering], settled(in: orderings[ordering]), temperature: temperature, using: randomness)
  }

  private func draw(
    _ indices: [Int], _ ordering: Ordering, _ weights: [Tensor], temperature: Float, using randomness: Philox
  ) -> (x: Tensor, logits: Tensor) {
    let (n, dims) = (indices.count, ordering.dims.count)
    let uniforms = Tensor(uniform: dims, .sampling, examples: indices, using: randomness)
    let zero = Tensor(repeating: 0, shape: [n, dims])
    var (x, logits, sumsOfV, sumsOfA) = (zero, zero, zero, zero)
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
      Kernels.finish(sumsOfV, bias: weights[c], .identity, into: &logits, columns: d..<d + 1)
      let z = (0..<n).map { A == nil ? logits.scalars[$0 * dims + d] : logits.scalars[$0 * dims + d] + sumsOfA.scalars[$0 * dims + d] }
      let p = Kernels.sigmoid(z.map { $0 / temperature })
      for row in 0..<n {
        logits[row, d] = z[row]
        x[row, d] = uniforms.scalars[row * dims + ordering.dims[d]] < p[row] ? 1 : 0
      }
      Kernels.addRow(d, of: weights[hidden[0].W], masks.hidden[0], times: x, to: &sums[0])
      if let A { Kernels.addRow(d, of: weights[A], masks.direct, times: x, to: &sumsOfA) }
    }
    return (x, logits)
  }
}

// MARK: Keeping

extension MADE {
  package var weights: [NamedTensor] { parameters.weights + keptOrderings }
  package var trainingState: [NamedTensor] { parameters.state + keptOrderings }

  private var keptOrderings: [NamedTensor] {
    guard orderings.count > 1 else { return [] }
    let dims = orderings.flatMap(\.dims)
    return [NamedTensor("orderings", Tensor(shape: [orderings.count, masks.direct.outputs], scalars: dims.map { Float($0) }))]
  }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    var restored = orderings
    if orderings.count > 1 {
      let expected = [orderings.count, masks.direct.outputs]
      guard let kept = tensors["orderings"] else { throw .missing(name: "orderings") }
      guard kept.shape == expected else { throw .wrongShape(name: "orderings", expected: expected, found: kept.shape) }
      for number in orderings.indices {
        let dims = kept.row(number).compactMap { Int(exactly: $0) }
        guard dims.sorted() == Array(0..<expected[1]) else { throw .wrongValues(name: "orderings", detail: "row \(number) is no ordering") }
        restored[number] = Ordering(dims)
      }
    }
    try parameters.restore(tensors)
    orderings = restored
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let made = ModelFamily(
    name: "made", title: "MADE",
    summary: "A masked autoencoder: every output sees only the inputs before it, so that one pass gives an exact likelihood.",
    paper: "Germain, Gregor, Murray, Larochelle: MADE: Masked Autoencoder for Distribution Estimation, ICML 2015, arXiv:1502.03509",
    taxonomy: ["explicit", "tractable"], abilities: ["score"],
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
        .init("output", .choice(["bernoulli"]), defaultValue: "bernoulli", "The distribution of each dimension.", source: "eq. 3"),
      ],
      presets: [
        .init("small", "Learns within a minute.", ["hidden_layers": [200]]),
        .init(
          "paper", "The paper's best on binarized MNIST, two layers and 32 orderings (Table 6).",
          ["hidden_layers": [8000, 8000], "orderings": 32]),
      ]),
    refusal: { configuration, input in
      guard input.kind == .bits else { return Fault(pointer: "", detail: "MADE learns bits; these examples are \(input.kind.rawValue)") }
      let widths = [input.dims] + configuration.integers("hidden_layers") + [input.dims]
      let direct = configuration.boolean("direct_connections") ? Double(input.dims) * Double(input.dims) : 0
      let count = zip(widths, widths.dropFirst()).reduce(direct) { $0 + Double($1.0) * Double($1.1) }
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
