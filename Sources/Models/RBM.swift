import JSON
import Tensors

/// RBM: visible and hidden units with weights between them alone, trained by contrastive divergence.
/// Hinton, Neural Computation 14, 2002, with persistent chains Tieleman, ICML 2008; practice and notation of Hinton, A Practical Guide to
/// Training Restricted Boltzmann Machines, 2010; centred as Melchior, Fischer & Wiskott, JMLR 17, 2016, §3.
///
/// | paper | here            | shape            | role                                                                          |
/// |-------|-----------------|------------------|-------------------------------------------------------------------------------|
/// | W     | `W`             | [dims, hidden]   | weights                                                                       |
/// | b, c  | `b`, `c`        | [dims], [hidden] | biases, of units less their offsets                                           |
/// | μ, λ  | `mu`, `lambda`  | [dims], [hidden] | offsets: the units' means over the data, running; 0 where it is not centred   |
/// |       | `chains`        | [chains, hidden] | the persistent chains' hidden units                                           |
///
/// E(v, h) = −(v − μ)ᵀW(h − λ) − bᵀ(v − μ) − cᵀ(h − λ), which is the machine of `RBMEnergy` with other biases. The steps down the gradient
/// are the optimizer's. Differs from the guide: a step of training reports how well data are reconstructed, and nothing is made of it.
package struct RBM: GenerativeModel {
  private var parameters: Parameters
  private let W: Int
  private let b: Int
  private let c: Int
  private let settings: Settings
  /// Running means of the data and of the hidden units over them, whether or not they are offsets.
  private var means: (visible: Tensor, hidden: Tensor)
  private var chains: Tensor
  private let team: ThreadTeam

  private struct Settings: Sendable {
    let visible: RBMEnergy.Visible
    /// What reals are divided by, so that their variance given the hidden units is 1.
    let deviation: Float
    let gibbsSteps: Int
    let isPersistent: Bool
    let isCentred: Bool
    let sparsity: (target: Float, cost: Float)

    init(_ configuration: Configuration) {
      visible = RBMEnergy.Visible(rawValue: configuration.string("visible")) ?? .bernoulli
      deviation = visible == .gaussian ? Float(configuration.number("deviation")) : 1
      gibbsSteps = configuration.integer("gibbs_steps")
      isPersistent = configuration.boolean("persistent")
      isCentred = configuration.boolean("centred")
      sparsity = (Float(configuration.number("sparsity_target")), Float(configuration.number("sparsity_cost")))
    }
  }

  package init(_ configuration: Configuration, dims: Int, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam) {
    let hidden = configuration.integer("hidden")
    settings = Settings(configuration)
    var parameters = Parameters(optimizer)
    // Of deviation 0.01 (guide, §8).
    let normals = Tensor(normal: hidden, .initialization, examples: Array(0..<dims), using: Philox(seed: seed))
    W = parameters.add("weight", Tensor(shape: normals.shape, scalars: normals.scalars.map { 0.01 * $0 }), decays: true)
    b = parameters.add("visible.bias", Tensor(repeating: 0, shape: [dims]), decays: false)
    c = parameters.add("hidden.bias", Tensor(repeating: 0, shape: [hidden]), decays: false)
    self.parameters = parameters
    means = (Tensor(repeating: 0, shape: [dims]), Tensor(repeating: 0, shape: [hidden]))
    chains = Tensor(repeating: 0, shape: [settings.isPersistent ? configuration.integer("chains") : 0, hidden])
    self.team = team
  }

  private var dims: Int { means.visible.count }
  private var hidden: Int { means.hidden.count }
}

// MARK: The equations

extension RBM {
  private var mu: Tensor { settings.isCentred ? means.visible : Tensor(repeating: 0, shape: [dims]) }
  private var lambda: Tensor { settings.isCentred ? means.hidden : Tensor(repeating: 0, shape: [hidden]) }

  /// The same machine with biases of the units themselves: b − Wλ and c − Wᵀμ.
  private func energy(_ weight: (Int) -> Tensor) -> RBMEnergy {
    let W = weight(W)
    func difference(_ x: Tensor, _ y: Tensor) -> Tensor { Tensor(shape: x.shape, scalars: zip(x.scalars, y.scalars).map { $0 - $1 }) }
    return RBMEnergy(
      W: W, b: settings.isCentred ? difference(weight(b), Self.product(lambda, W, transposed: true, team)) : weight(b),
      c: settings.isCentred ? difference(weight(c), Self.product(mu, W, transposed: false, team)) : weight(c), base: base,
      visible: settings.visible, team: team)
  }

  /// The machine that scores and draws.
  var energy: RBMEnergy { energy { parameters.settled($0) } }

  private static func product(_ x: Tensor, _ w: Tensor, transposed: Bool, _ team: ThreadTeam) -> Tensor {
    let sums = Kernels.sums(Tensor(shape: [1, x.count], scalars: x.scalars), w, transposed: transposed, team)
    return Tensor(shape: [sums.count], scalars: sums.scalars)
  }

  /// The biases of a machine without weights that has the data's means (Salakhutdinov & Murray 2008, §3.1).
  private var base: Tensor {
    switch settings.visible {
    case .bernoulli: Self.logits(means.visible)
    case .gaussian: means.visible
    }
  }

  /// Of means held off 0 and 1 by a thousandth, chosen.
  static func logits(_ means: Tensor) -> Tensor {
    var odds = Tensor(repeating: 0, shape: means.shape)
    Kernels.map(
      .log,
      Tensor(
        shape: means.shape,
        scalars: means.scalars.map { mean in
          let p = min(max(mean, 0.001), 0.999)
          return p / (1 - p)
        }), into: &odds, .alone)
    return odds
  }

  /// Examples in units of the deviation.
  private func inUnits(_ x: Tensor) -> Tensor { scaled(x, by: 1 / settings.deviation) }

  private func scaled(_ x: Tensor, by factor: Float) -> Tensor {
    factor == 1 ? x : Tensor(shape: x.shape, scalars: x.scalars.map { $0 * factor })
  }
}

// MARK: Objective

extension RBM {
  /// - Returns: the nats by which the data's reconstructions miss them, a mean over the batch: no likelihood.
  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    func draw(_ half: Int, _ rows: [Int]) -> Kernels.Draw {
      Kernels.Draw(.gibbs(half: half), step: step, examples: rows, using: randomness)
    }
    let v = inUnits(x)
    if step == 0 { begin(with: v) }
    let energy = energy { parameters[$0] }
    let data = energy.hidden(v, draw(0, examples))
    follow(means: (Kernels.meanOfRows(v, team), Kernels.meanOfRows(data.p, team)), step: step)
    let reconstruction = energy.visibleSums(data.h)
    let nats = energy.visibleNats(reconstruction, of: v)
    // The chains go on from where they are, or begin at the data.
    let rows = settings.isPersistent ? Array(0..<chains.rows) : examples
    if settings.isPersistent, step == 0 {
      chains = Tensor(shape: chains.shape, scalars: rows.flatMap { data.h.row($0 % data.h.rows) })
    }
    var (sums, fantasy) = (settings.isPersistent ? energy.visibleSums(chains) : reconstruction, (v: v, p: data.p))
    for number in 0..<settings.gibbsSteps {
      fantasy.v = energy.drawVisible(sums, draw(2 * number + 1, rows))
      let isLast = number + 1 == settings.gibbsSteps
      let hidden = energy.hidden(fantasy.v, isLast && !settings.isPersistent ? nil : draw(2 * number + 2, rows))
      fantasy.p = hidden.p
      if !isLast { sums = energy.visibleSums(hidden.h) } else if settings.isPersistent { chains = hidden.h }
    }
    parameters.descend(
      learningRate: learningRate, step: step, gradients: gradients(data: (v, data.p), fantasy: fantasy), team)
    return nats.reduce(0, +) / Double(nats.count)
  }

  /// Before the first step: visible biases that alone give the data's means (guide, §8.1).
  private mutating func begin(with v: Tensor) {
    means.visible = Kernels.meanOfRows(v, team)
    let base = base
    parameters.shift(b, by: { _ in base }, team)
  }

  /// Running means; where they are offsets, biases move along so that the machine stays the same (Melchior et al. 2016, Algorithm 1).
  private mutating func follow(means batch: (visible: Tensor, hidden: Tensor), step: Int) {
    // The mean of the first 100 batches, then over about as many (ibid., §5: sliding factors of 0.01).
    let share = max(1 / Float(step + 1), 0.01)
    func change(_ mean: Tensor, _ now: Tensor) -> Tensor {
      Tensor(shape: mean.shape, scalars: zip(mean.scalars, now.scalars).map { share * ($1 - $0) })
    }
    let (dmu, dlambda) = (change(means.visible, batch.visible), change(means.hidden, batch.hidden))
    Kernels.add(dmu, to: &means.visible, adds: true, team)
    Kernels.add(dlambda, to: &means.hidden, adds: true, team)
    guard settings.isCentred else { return }
    let (W, team) = (W, team)
    parameters.shift(b, by: { Self.product(dlambda, $0(W), transposed: true, team) }, team)
    parameters.shift(c, by: { Self.product(dmu, $0(W), transposed: false, team) }, team)
  }

  /// Down which the data grow more probable and what the chains have found less (Hinton 2002), with what sparsity asks for on top: hidden
  /// units whose mean is above the target are pushed down by cost · the excess (guide, §11).
  private func gradients(data: (v: Tensor, p: Tensor), fantasy: (v: Tensor, p: Tensor)) -> [Tensor] {
    var dW = Tensor(repeating: 0, shape: [dims, hidden])
    Kernels.correlation(data.v, data.p, scale: -1 / Float(data.v.rows), into: &dW, adds: false, team)
    Kernels.correlation(fantasy.v, fantasy.p, scale: 1 / Float(fantasy.v.rows), into: &dW, adds: true, team)
    let mean = Kernels.meanOfRows(data.v, team)
    func difference(_ x: Tensor, _ y: Tensor) -> Tensor { Tensor(shape: x.shape, scalars: zip(x.scalars, y.scalars).map { $0 - $1 }) }
    func add(_ x: Tensor, _ y: Tensor, scale: Float) {
      let (row, column) = (Tensor(shape: [1, x.count], scalars: x.scalars), Tensor(shape: [1, y.count], scalars: y.scalars))
      Kernels.correlation(row, column, scale: scale, into: &dW, adds: true, team)
    }
    let db = difference(Kernels.meanOfRows(fantasy.v, team), mean)
    var dc = difference(Kernels.meanOfRows(fantasy.p, team), Kernels.meanOfRows(data.p, team))
    if settings.isCentred {
      add(mu, dc, scale: -1)
      add(db, lambda, scale: -1)
    }
    if settings.sparsity.cost > 0 {
      let excess = Tensor(
        shape: dc.shape, scalars: means.hidden.scalars.map { settings.sparsity.cost * ($0 - settings.sparsity.target) })
      add(difference(mean, mu), excess, scale: 1)
      Kernels.add(excess, to: &dc, adds: true, team)
    }
    return [dW, db, dc]
  }
}

// MARK: What is known of likelihoods

extension RBM: TellsEnergy {
  package func energies(of x: Tensor) -> [Double] {
    let volume = Double(dims) * Double(settings.deviation == 1 ? 0 : Self.log(settings.deviation))
    return energy.freeEnergy(of: inUnits(x)).map { $0 + volume }
  }

  private static func log(_ x: Float) -> Float {
    var y = Tensor(repeating: 0, shape: [1])
    Kernels.map(.log, Tensor(shape: [1], scalars: [x]), into: &y, .alone)
    return y.scalars[0]
  }

  package var annealed: any AnnealedDensity { energy }
  package var bitsToCount: Int? { energy.bitsToCount }
  package func countedLogPartition(isStopped: () -> Bool) -> Double? { energy.countedLogPartition(isStopped: isStopped) }
}

// MARK: Sampling, completing, encoding

extension RBM: DrawsByChains, Completes, Encodes, HasFilters {
  package func sample(_ indices: [Int], chain: ChainLength, temperature: Float, using randomness: Philox) -> Tensor {
    guard !indices.isEmpty else { return Tensor(shape: [0, dims], scalars: []) }
    let energy = energy.cooled(to: temperature)
    let v = walk(indices, chain) { chains in
      energy.baseDraw(.sampling, chains, using: randomness)
    } step: { v, number, chains in
      energy.step(&v, stream: .sampling, number: number, chains, using: randomness)
    }
    return scaled(v, by: scale(at: temperature))
  }

  /// What draws of a cooled machine are multiplied by.
  private func scale(at temperature: Float) -> Float {
    settings.visible == .gaussian ? settings.deviation * temperature.squareRoot() : 1
  }

  /// Gibbs steps in which the known units stay as they are.
  package func complete(_ x: Tensor, known: [Bool], _ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(x.shape == [1, dims] && known.count == dims, "\(x.shape) and \(known.count) for an example of \(dims)")
    let (energy, scale) = (energy.cooled(to: temperature), scale(at: temperature))
    let fixed = known.indices.filter { known[$0] }
    func clamped(_ v: Tensor) -> Tensor {
      var v = v
      for row in 0..<v.rows {
        for d in fixed { v[row, d] = x.scalars[d] / scale }
      }
      return v
    }
    var v = clamped(energy.baseDraw(.completing, indices, using: randomness))
    for number in 1...ChainLength().burnIn {
      energy.step(&v, stream: .completing, number: number, indices, using: randomness)
      v = clamped(v)
    }
    var completed = scaled(v, by: scale)
    // The known numbers as they came, to the bit.
    for row in 0..<completed.rows {
      for d in fixed { completed[row, d] = x.scalars[d] }
    }
    return completed
  }

  /// P(h = 1 | x) of each hidden unit.
  package func encode(_ x: Tensor) -> Tensor { energy.hidden(inUnits(x), nil).p }

  /// What each hidden unit looks for: a row of its weights, `[hidden, dims]`.
  package var filters: Tensor {
    let W = parameters.settled(W)
    return Tensor(shape: [hidden, dims], scalars: (0..<hidden).flatMap { unit in (0..<dims).map { W[$0, unit] } })
  }
}

// MARK: Keeping

extension RBM {
  package var weights: [NamedTensor] {
    parameters.weights + [NamedTensor("visible.mean", means.visible), NamedTensor("hidden.mean", means.hidden)]
  }

  package var trainingState: [NamedTensor] {
    parameters.state + weights.suffix(2) + (settings.isPersistent ? [NamedTensor("chains.hidden", chains)] : [])
  }

  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    let visible = try tensors.tensor("visible.mean", like: means.visible)
    let hidden = try tensors.tensor("hidden.mean", like: means.hidden)
    // Weights alone have none, as the optimizer's state.
    let chains = settings.isPersistent && tensors["chains.hidden"] != nil ? try tensors.tensor("chains.hidden", like: chains) : chains
    try parameters.restore(tensors)
    (means, self.chains) = ((visible, hidden), chains)
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let rbm = ModelFamily(
    name: "rbm", title: "RBM",
    summary: "Visible and hidden units with weights between them alone: an energy whose constant is estimated, sampled by Gibbs chains.",
    paper: "Hinton: Training Products of Experts by Minimizing Contrastive Divergence, Neural Computation 14, 2002",
    taxonomy: ["explicit", "approximate", "markov_chain"], abilities: ["score", "complete", "encode"],
    likelihood: .init(
      .estimate, "An estimate: the energy is exact, its constant is annealed; with up to 24 hidden units it is counted, and then exact."),
    sampling: "By Gibbs chains that go back and forth between visible and hidden units, from noise to the model.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "hidden", .integer(1...16_384), defaultValue: 500, "How many hidden units there are; up to 24 the likelihood is exact.",
          source: "Salakhutdinov & Murray 2008, the machines of MNIST"),
        .init(
          "visible", .choice(["bernoulli", "gaussian"]), defaultValue: "bernoulli",
          "The visible units: bits, or reals of one variance, which are standardized first.", source: "bits are what the paper is about"),
        .init(
          "deviation", .number(0.05...1), defaultValue: 1, "Of Gaussian visible units given the hidden ones, in deviations of the column.",
          source: "the guide of Hinton 2010, §13.2"),
        .init(
          "gibbs_steps", .integer(1...1000), defaultValue: 1, "k: Gibbs steps from the data, or of the chains, in each step of training.",
          source: "CD-1, the paper's; persistent chains need no more"),
        .init(
          "persistent", .boolean, defaultValue: true, "Whether chains go on from step to step (PCD) or begin at the data each time (CD).",
          source: "Tieleman 2008: the better likelihoods"),
        .init("chains", .integer(1...16_384), defaultValue: 100, "How many persistent chains there are.", source: "Tieleman 2008, §4"),
        .init(
          "centred", .boolean, defaultValue: true, "Whether units count less their means, which makes the gradient steadier.",
          source: "Melchior, Fischer & Wiskott 2016"),
        .init(
          "sparsity_target", .number(0...1), defaultValue: 0.1, "The share of examples that a hidden unit should be on for.",
          source: "Hinton 2010, §11: 0.01 to 0.1"),
        .init(
          "sparsity_cost", .number(0...10), defaultValue: 0, "How strongly hidden units are pushed towards it.",
          source: "none: it is for features, not for the likelihood"),
      ],
      presets: [
        .init("small", "Learns within a minute.", ["hidden": 100]),
        .init("paper", "The paper's best on MNIST (Salakhutdinov & Murray 2008, CD-25).", ["persistent": false, "gibbs_steps": 25]),
      ]),
    refusal: { configuration, input in
      let learns: ModelInput.Kind = configuration.string("visible") == "gaussian" ? .real : .bits
      guard input.kind == learns else {
        let detail =
          learns == .bits
          ? "RBM learns bits; these examples are \(input.kind.rawValue)"
            + (input.kind == .real ? ", which \"visible\": \"gaussian\" learns" : "")
          : "Gaussian visible units are reals; these examples are \(input.kind.rawValue)"
        return Fault(pointer: learns == .bits ? "" : "/visible", detail: detail)
      }
      let count = Double(input.dims) * Double(configuration.integer("hidden"))
      guard count <= weightsMax else {
        return Fault(pointer: "/hidden", detail: "makes \(Int(count)) weights with \(input.dims) inputs; at most \(Int(weightsMax))")
      }
      return nil
    },
    make: { configuration, input, optimizer, seed, team in
      RBM(configuration, dims: input.dims, optimizer: optimizer, seed: seed, team: team)
    },
    estimators: { configuration in (configuration.integer("hidden") <= LikelihoodEstimator.bitsToCountMax ? [.exact] : []) + [.ais, .raise]
    }, hasFilters: true)

  /// 512 MiB of weights. Chosen.
  private static let weightsMax = 134_217_728.0
}
