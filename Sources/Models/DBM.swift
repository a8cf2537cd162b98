import JSON
import Tensors

/// DBM: several layers of hidden units, each with weights to its neighbours, trained by mean fields and persistent chains.
/// Salakhutdinov & Hinton, Deep Boltzmann Machines, AISTATS 2009; centred as Montavon & Müller 2012 (Neural Networks: Tricks of the Trade).
///
/// | paper   | here        | shape                       | role                                                                       |
/// |---------|-------------|-----------------------------|----------------------------------------------------------------------------|
/// | W^l     | `W[l - 1]`  | [units below, units above]  | weights                                                                    |
/// | b, a^l  | `b[l]`      | [units of the layer]        | biases, of units less their offsets                                        |
/// |         | `means[l]`  | [units of the layer]        | running means over the data: the offsets, which are 0 where not centred    |
/// |         | `chains[l]` | [chains, units]             | the persistent chains' units                                               |
///
/// In its first steps it trains layer upon layer (§3.1, §3.2), each as a restricted machine whose units count the neighbours that are there
/// twice for those that are not yet. Differs from the paper: the layers below hand up means, and learning rates are the optimizer's.
package struct DBM: GenerativeModel {
  private var parameters: Parameters
  private let W: [Int]
  private let b: [Int]
  private var means: [Tensor]
  private var chains: [Tensor]
  private let settings: Settings
  private let team: ThreadTeam

  private struct Settings: Sendable {
    let gibbsSteps: Int
    let meanFieldSteps: Int
    /// Of each layer.
    let pretrainingSteps: Int
    let isCentred: Bool
  }

  package init(_ configuration: Configuration, dims: Int, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let widths = [dims] + configuration.integers("hidden_layers")
    settings = Settings(
      gibbsSteps: configuration.integer("gibbs_steps"), meanFieldSteps: configuration.integer("mean_field_steps"),
      pretrainingSteps: configuration.integer("pretraining_steps"), isCentred: configuration.boolean("centred"))
    var parameters = Parameters(optimizer)
    var W: [Int] = []
    for (layer, sides) in zip(widths, widths.dropFirst()).enumerated() {
      // Of deviation 0.01 (Hinton 2010, §8).
      let normals = Tensor(normal: sides.1, .initialization, step: layer, examples: Array(0..<sides.0), using: Philox(seed: seed))
      W.append(parameters.add("layer.\(layer + 1).weight", DBMEnergy.scaled(normals, by: 0.01), decays: true))
    }
    self.W = W
    b = widths.enumerated().map { layer, width in
      parameters.add(layer == 0 ? "visible.bias" : "layer.\(layer).bias", Tensor(repeating: 0, shape: [width]), decays: false)
    }
    self.parameters = parameters
    means = widths.map { Tensor(repeating: 0, shape: [$0]) }
    chains = widths.map { Tensor(repeating: 0, shape: [configuration.integer("chains"), $0]) }
    self.team = team
  }

  private var depth: Int { W.count }
  private var dims: Int { means[0].count }
}

// MARK: The equations

extension DBM {
  private func offset(_ layer: Int) -> Tensor { settings.isCentred ? means[layer] : Tensor(repeating: 0, shape: means[layer].shape) }

  /// The same machine with biases of the units themselves: less what the neighbours' offsets give.
  private func energy(_ weight: (Int) -> Tensor) -> DBMEnergy {
    let biases = (0...depth).map { layer in
      settings.isCentred ? Self.difference(weight(b[layer]), neighbours(layer, offset, weight)) : weight(b[layer])
    }
    return DBMEnergy(
      W: W.map(weight), biases: biases, base: RBM.logits(means[0]), meanFieldSteps: settings.meanFieldSteps, team: team)
  }

  /// The machine that scores and draws.
  private var energy: DBMEnergy { energy { parameters.settled($0) } }

  /// What rows of units give to a layer between them.
  private func neighbours(_ layer: Int, _ units: (Int) -> Tensor, _ weight: (Int) -> Tensor) -> Tensor {
    var sums = Tensor(repeating: 0, shape: [1, means[layer].count])
    func row(_ x: Tensor) -> Tensor { Tensor(shape: [1, x.count], scalars: x.scalars) }
    if layer > 0 { Kernels.add(Kernels.sums(row(units(layer - 1)), weight(W[layer - 1]), team), to: &sums, adds: true, team) }
    if layer < depth {
      Kernels.add(Kernels.sums(row(units(layer + 1)), weight(W[layer]), transposed: true, team), to: &sums, adds: true, team)
    }
    return Tensor(shape: [sums.count], scalars: sums.scalars)
  }

  private static func difference(_ x: Tensor, _ y: Tensor) -> Tensor {
    Tensor(shape: x.shape, scalars: zip(x.scalars, y.scalars).map { $0 - $1 })
  }
}

// MARK: Objective

extension DBM {
  /// - Returns: the nats by which the data's reconstructions miss them, a mean over the batch: no likelihood.
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    if step == 0 { begin(with: x, using: randomness) }
    let layer = settings.pretrainingSteps > 0 ? step / settings.pretrainingSteps : depth
    let energy = energy { parameters[$0] }
    let (nats, gradients) =
      layer < depth
      ? pretrain(layer, x, energy, step: step, examples, using: randomness)
      : trainJointly(x, energy, step: step, using: randomness)
    parameters.descend(learningRate: learningRate, step: step, gradients: gradients, team)
    return nats.reduce(0, +) / Double(nats.count)
  }

  /// Before the first step: visible biases that alone give the data's means, and chains that begin there.
  private mutating func begin(with x: Tensor, using randomness: Philox) {
    means[0] = Kernels.meanOfRows(x, team)
    let logits = RBM.logits(means[0])
    parameters.shift(b[0], by: { _ in logits }, team)
    let rows = Array(0..<chains[0].rows)
    chains = energy { parameters[$0] }.beginning(.structure, rows, using: randomness)
  }

  /// Mean fields of the data against chains that go on from step to step (§2.3, Algorithm 1).
  private mutating func trainJointly(
    _ v: Tensor, _ energy: DBMEnergy, step: Int, using randomness: Philox
  ) -> (nats: [Double], gradients: [Tensor]) {
    let fields = energy.meanFields(of: v)
    follow(fields.map { Kernels.meanOfRows($0, team) }, step: step)
    let (rows, depth) = (Array(0..<chains[0].rows), depth)
    for number in 0..<settings.gibbsSteps {
      energy.step(&chains) { layer in
        Kernels.Draw(.gibbs(half: number * (depth + 1) + layer), step: step, examples: rows, using: randomness)
      }
    }
    let nats = Kernels.bernoulliNats(logits: energy.sums(0, fields), of: v, team)
    var gradients = parameters.all.map { Tensor(repeating: 0, shape: $0.tensor.shape) }
    for layer in 0...depth {
      gradients[b[layer]] = Self.difference(Kernels.meanOfRows(chains[layer], team), Kernels.meanOfRows(fields[layer], team))
    }
    for layer in 0..<depth {
      contrast(
        layer, data: (fields[layer], fields[layer + 1]), model: (chains[layer], chains[layer + 1]), into: &gradients)
    }
    return (nats, gradients)
  }

  /// One layer by contrastive divergence with one step, as a machine of its own with the means of the layer below for its data (§3.1).
  private mutating func pretrain(
    _ layer: Int, _ v: Tensor, _ energy: DBMEnergy, step: Int, _ examples: [Int], using randomness: Philox
  ) -> (nats: [Double], gradients: [Tensor]) {
    func draw(_ half: Int) -> Kernels.Draw { Kernels.Draw(.gibbs(half: half), step: step, examples: examples, using: randomness) }
    func up(_ x: Tensor, _ below: Int) -> Tensor {
      let counted = below + 1 < depth ? DBMEnergy.scaled(x, by: 2) : x
      return Kernels.sums(counted, energy.W[below], bias: energy.biases[below + 1], team)
    }
    var x = v
    var batch = [Kernels.meanOfRows(v, team)]
    for below in 0..<layer {
      x = energy.means(of: up(x, below))
      batch.append(Kernels.meanOfRows(x, team))
    }
    let sums = up(x, layer)
    let data = (x, energy.means(of: sums))
    follow(batch + [Kernels.meanOfRows(data.1, team)], step: step)
    let h = energy.bits(of: sums, draw(0))
    let down = Kernels.sums(
      layer > 0 ? DBMEnergy.scaled(h, by: 2) : h, energy.W[layer], transposed: true, bias: energy.biases[layer], team)
    let again = energy.bits(of: down, draw(1))
    let model = (again, energy.means(of: up(again, layer)))
    var gradients = parameters.all.map { Tensor(repeating: 0, shape: $0.tensor.shape) }
    gradients[b[layer]] = Self.difference(Kernels.meanOfRows(model.0, team), Kernels.meanOfRows(data.0, team))
    gradients[b[layer + 1]] = Self.difference(Kernels.meanOfRows(model.1, team), Kernels.meanOfRows(data.1, team))
    contrast(layer, data: data, model: model, into: &gradients)
    return (Kernels.bernoulliNats(logits: down, of: x, team), gradients)
  }

  /// What units on both sides of a layer's weights do together in the model, less in the data, each less its offset. The biases' gradients
  /// are there already.
  private func contrast(
    _ layer: Int, data: (Tensor, Tensor), model: (Tensor, Tensor), into gradients: inout [Tensor]
  ) {
    var dW = Tensor(repeating: 0, shape: parameters[W[layer]].shape)
    Kernels.correlation(data.0, data.1, scale: -1 / Float(data.0.rows), into: &dW, adds: false, team)
    Kernels.correlation(model.0, model.1, scale: 1 / Float(model.0.rows), into: &dW, adds: true, team)
    if settings.isCentred {
      func row(_ x: Tensor) -> Tensor { Tensor(shape: [1, x.count], scalars: x.scalars) }
      Kernels.correlation(row(offset(layer)), row(gradients[b[layer + 1]]), scale: -1, into: &dW, adds: true, team)
      Kernels.correlation(row(gradients[b[layer]]), row(offset(layer + 1)), scale: -1, into: &dW, adds: true, team)
    }
    gradients[W[layer]] = dW
  }

  /// Running means of the layers that are told; where they are offsets, biases move along so that the machine stays the same.
  private mutating func follow(_ batch: [Tensor], step: Int) {
    // As the restricted machine's.
    let share = max(1 / Float(step + 1), 0.01)
    let changes = means.enumerated().map { layer, mean in
      layer < batch.count
        ? Tensor(shape: mean.shape, scalars: zip(mean.scalars, batch[layer].scalars).map { share * ($1 - $0) })
        : Tensor(repeating: 0, shape: mean.shape)
    }
    for layer in means.indices { Kernels.add(changes[layer], to: &means[layer], adds: true, team) }
    guard settings.isCentred else { return }
    for layer in 0...depth {
      let machine = self
      parameters.shift(b[layer], by: { weight in machine.neighbours(layer, { changes[$0] }, weight) }, team)
    }
  }
}

// MARK: What is known of likelihoods

extension DBM: TellsEnergy {
  package func energies(of x: Tensor) -> [Double] { energy.freeEnergyBound(of: x) }
  package var energiesAreBounds: Bool { true }
  package var annealed: any AnnealedDensity { energy }
  package var bitsToCount: Int? { energy.bitsToCount }
  package func countedLogPartition(isStopped: () -> Bool) -> Double? { energy.countedLogPartition(isStopped: isStopped) }
}

// MARK: Sampling, completing, encoding

extension DBM: DrawsByChains, Completes, Encodes, HasFilters {
  package func sample(_ indices: [Int], chain: ChainLength, temperature: Float, using randomness: Philox) -> Tensor {
    guard !indices.isEmpty else { return Tensor(shape: [0, dims], scalars: []) }
    let energy = energy.cooled(to: temperature)
    var states: [Tensor] = []
    return walk(indices, chain) { chains in
      states = energy.beginning(.sampling, chains, using: randomness)
      return states[0]
    } step: { v, number, chains in
      energy.step(&states) { DBMEnergy.draw(.sampling, layer: $0, step: number, depth: depth, chains, using: randomness) }
      v = states[0]
    }
  }

  /// Gibbs steps in which the known units stay as they are.
  package func complete(_ x: Tensor, known: [Bool], _ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(x.shape == [1, dims] && known.count == dims, "\(x.shape) and \(known.count) for an example of \(dims)")
    let (energy, fixed) = (energy.cooled(to: temperature), known.indices.filter { known[$0] })
    var states = energy.beginning(.completing, indices, using: randomness)
    func clamp() {
      for row in 0..<states[0].rows {
        for d in fixed { states[0][row, d] = x.scalars[d] }
      }
    }
    clamp()
    for number in 1...ChainLength().burnIn {
      energy.step(&states) { DBMEnergy.draw(.completing, layer: $0, step: number, depth: depth, indices, using: randomness) }
      clamp()
    }
    return states[0]
  }

  /// The mean fields of all hidden layers, one after the other.
  package func encode(_ x: Tensor) -> Tensor {
    let fields = energy.meanFields(of: x).dropFirst()
    let columns = fields.reduce(0) { $0 + $1.columns }
    return Tensor(shape: [x.rows, columns], scalars: (0..<x.rows).flatMap { row in fields.flatMap { $0.row(row) } })
  }

  /// Of the first hidden layer.
  package var filters: Tensor {
    let W = parameters.settled(W[0])
    return Tensor(shape: [W.columns, dims], scalars: (0..<W.columns).flatMap { unit in (0..<dims).map { W[$0, unit] } })
  }
}

// MARK: Keeping

extension DBM {
  private func name(_ layer: Int, _ what: String) -> String { layer == 0 ? "visible.\(what)" : "layer.\(layer).\(what)" }

  package var weights: [NamedTensor] { parameters.weights + means.enumerated().map { NamedTensor(name($0, "mean"), $1) } }

  package var trainingState: [NamedTensor] {
    parameters.state + weights.suffix(means.count) + chains.enumerated().map { NamedTensor("chains." + name($0, "units"), $1) }
  }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    var (restoredMeans, restoredChains) = (means, chains)
    for layer in means.indices {
      restoredMeans[layer] = try tensors.tensor(name(layer, "mean"), like: means[layer])
      // Weights alone have none, as the optimizer's state.
      let chain = "chains." + name(layer, "units")
      if tensors[chain] != nil { restoredChains[layer] = try tensors.tensor(chain, like: chains[layer]) }
    }
    try parameters.restore(tensors)
    (means, chains) = (restoredMeans, restoredChains)
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let dbm = ModelFamily(
    name: "dbm", title: "DBM",
    summary: "Layers of hidden units with weights between neighbours: a bound of the likelihood by mean fields, sampled by Gibbs chains.",
    paper: "Salakhutdinov, Hinton: Deep Boltzmann Machines, AISTATS 2009",
    taxonomy: ["explicit", "approximate", "markov_chain"], abilities: ["score", "complete", "encode"],
    likelihood: .init(
      .estimate, "An estimate of a bound: mean fields bound the energy of the hidden layers, and annealing estimates the constant."),
    sampling: "By Gibbs chains through all layers, from noise to the model.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "hidden_layers", .integers(count: 2...6, each: 1...16_384), defaultValue: [500, 1000], "How many units each hidden layer has.",
          source: "§4.1, the two layers of MNIST"),
        .init(
          "gibbs_steps", .integer(1...1000), defaultValue: 1, "Gibbs steps of the persistent chains in each step of training.",
          source: "centred machines need few; the paper has 5"),
        .init("chains", .integer(1...16_384), defaultValue: 100, "How many persistent chains there are.", source: "§4: 100"),
        .init(
          "mean_field_steps", .integer(1...1000), defaultValue: 10, "Rounds of the mean fields, in training and in scoring.",
          source: "§4: 10 to 50"),
        .init(
          "pretraining_steps", .integer(0...10_000_000), defaultValue: 0, "Steps in which each layer is trained by itself first.",
          source: "centred machines learn without (Montavon & Müller 2012)"),
        .init(
          "centred", .boolean, defaultValue: true, "Whether units count less their means, which makes the gradient steadier.",
          source: "Montavon & Müller 2012"),
      ],
      presets: [
        .init("small", "Learns within minutes.", ["hidden_layers": [100, 100]]),
        .init(
          "paper", "The paper's two layers of MNIST, trained layer upon layer first.",
          ["hidden_layers": [500, 1000], "gibbs_steps": 5, "centred": false, "pretraining_steps": 60_000]),
      ]),
    refusal: { configuration, input in
      guard input.kind == .bits else {
        return Fault(pointer: "", detail: "DBM learns bits; these examples are \(input.kind.rawValue)")
      }
      let widths = [input.dims] + configuration.integers("hidden_layers")
      let count = zip(widths, widths.dropFirst()).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      guard count <= weightsMax else {
        return Fault(pointer: "/hidden_layers", detail: "makes \(Int(count)) weights with \(input.dims) inputs; at most \(Int(weightsMax))")
      }
      return nil
    },
    make: { configuration, input, optimizer, seed, team in
      DBM(configuration, dims: input.dims, optimizer: optimizer, seed: seed, team: team)
    }, estimators: { _ in [.elbo, .raise] }, hasFilters: true)

  /// 512 MiB of weights. Chosen.
  private static let weightsMax = 134_217_728.0
}
