import Tensors

/// Weights and biases of a restricted Boltzmann machine and what they make of its units: both halves of a Gibbs step, the free energy, the
/// path of annealing and the count over all states.
///
/// | paper | here | shape          | role                                                                                     |
/// |-------|------|----------------|------------------------------------------------------------------------------------------|
/// | W     | `W`  | [dims, hidden] | between each visible and each hidden unit                                                |
/// | b     | `b`  | [dims]         | of the visible units: biases of bits, means of reals                                     |
/// | a     | `c`  | [hidden]       | of the hidden units                                                                      |
/// | b^A   | `base` | [dims]       | the visible biases of the machine without weights that annealing starts from             |
///
/// E(v, h) = −vᵀWh − bᵀv − cᵀh for bits, and |v − b|²/2 − vᵀWh − cᵀh for reals of unit variance (Hinton, A Practical Guide to Training
/// Restricted Boltzmann Machines, 2010, §2 and §13.2).
struct RBMEnergy: Sendable {
  enum Visible: String, Sendable { case bernoulli, gaussian }

  let W: Tensor
  let b: Tensor
  let c: Tensor
  let base: Tensor
  let visible: Visible
  let team: ThreadTeam

  var dims: Int { W.rows }
  var hidden: Int { W.columns }
}

// MARK: The equations

extension RBMEnergy {
  /// P(h = 1 | v) of each hidden unit and, where there is an address for it, a draw.
  func hidden(_ v: Tensor, _ draw: Kernels.Draw?) -> (p: Tensor, h: Tensor) {
    var p = Tensor(repeating: 0, shape: [v.rows, hidden])
    var h = Tensor(repeating: 0, shape: draw == nil ? [0] : p.shape)
    Kernels.units(v, W, bias: c, draw, p: &p, bits: &h, team)
    return (p, h)
  }

  /// What tells the visible units: logits of bits, means of reals.
  func visibleSums(_ h: Tensor) -> Tensor { Kernels.sums(h, W, transposed: true, bias: b, team) }

  func drawVisible(_ sums: Tensor, _ draw: Kernels.Draw) -> Tensor {
    var v = Tensor(repeating: 0, shape: sums.shape)
    switch visible {
    case .bernoulli: _ = Kernels.annealedUnits(sums, draw, bits: &v, team)
    case .gaussian: v = Kernels.shifted(sums, byNormals: draw, team)
    }
    return v
  }

  /// A draw of the visible units given the hidden.
  func visible(_ h: Tensor, _ draw: Kernels.Draw) -> Tensor { drawVisible(visibleSums(h), draw) }

  /// −ln p(v | the sums) of each row, nats, but for a constant of reals: how well they are told.
  func visibleNats(_ sums: Tensor, of v: Tensor) -> [Double] {
    switch visible {
    case .bernoulli: Kernels.bernoulliNats(logits: sums, of: v, team)
    case .gaussian: Self.halfSquares(v, sums)
    }
  }

  /// A Gibbs step: the hidden units, then the visible ones.
  func step(_ v: inout Tensor, stream: Philox.Stream, number: Int, _ chains: [Int], using randomness: Philox) {
    let h = hidden(v, Kernels.Draw(stream, step: 2 * number, examples: chains, using: randomness)).h
    v = visible(h, Kernels.Draw(stream, step: 2 * number + 1, examples: chains, using: randomness))
  }

  /// F(v) = −ln Σ_h e^−E(v, h), nats (Hinton 2010, §16.1).
  func freeEnergy(of v: Tensor) -> [Double] {
    let sums = Kernels.sums(v, W, bias: c, team)
    // −ln of the probability of all zeros is the sum of ln(1 + e^s).
    let softplus = Kernels.bernoulliNats(logits: sums, of: Tensor(repeating: 0, shape: sums.shape), team)
    switch visible {
    case .bernoulli:
      let linear = Kernels.sums(v, Tensor(shape: [dims, 1], scalars: b.scalars), team).scalars
      return zip(linear, softplus).map { -Double($0) - $1 }
    case .gaussian: return zip(Self.halfSquares(v, Self.repeated(b, v.rows)), softplus).map { $0 - $1 }
    }
  }

  /// |x − mean|²/2 of each row.
  private static func halfSquares(_ x: Tensor, _ mean: Tensor) -> [Double] {
    (0..<x.rows).map { row in
      zip(x.row(row), mean.row(row)).reduce(0) { $0 + 0.5 * Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    }
  }

  private static func repeated(_ row: Tensor, _ count: Int) -> Tensor {
    Tensor(shape: [count, row.count], scalars: (0..<count).flatMap { _ in row.scalars })
  }

  /// The machine at a temperature. Reals of it have the variance 1 when they are divided by the temperature's root.
  func cooled(to temperature: Float) -> RBMEnergy {
    guard temperature != 1 else { return self }
    let hot = 1 / temperature
    let reals = visible == .gaussian ? 1 / temperature.squareRoot() : hot
    func scaled(_ x: Tensor, _ factor: Float) -> Tensor { Tensor(shape: x.shape, scalars: x.scalars.map { $0 * factor }) }
    return RBMEnergy(W: scaled(W, reals), b: scaled(b, reals), c: scaled(c, hot), base: scaled(base, reals), visible: visible, team: team)
  }

  /// Draws of the machine without weights.
  func baseDraw(_ stream: Philox.Stream, _ chains: [Int], using randomness: Philox) -> Tensor {
    drawVisible(Self.repeated(base, chains.count), Kernels.Draw(stream, step: 0, examples: chains, using: randomness))
  }
}

// MARK: Annealing

/// Salakhutdinov & Murray 2008, §3.1: weights and biases grow from the machine without weights, whose biases tell the data's means.
extension RBMEnergy: AnnealedDensity {
  var logConstantAtStart: Double {
    let visible =
      switch visible {
      case .bernoulli: Kernels.bernoulliNats(logits: row(base), of: Tensor(repeating: 0, shape: [1, dims]), team)[0]
      case .gaussian: 0.5 * Double(dims) * Self.logTwoPi
      }
    return visible + Double(hidden) * Self.logTwo
  }

  private static let (logTwo, logTwoPi) = (0.6931471805599453, 1.8378770664093453)

  private func row(_ x: Tensor) -> Tensor { Tensor(shape: [1, x.count], scalars: x.scalars) }

  func start(_ chains: [Int], using randomness: Philox) -> Tensor { baseDraw(.annealing, chains, using: randomness) }

  func anneal(_ x: inout Tensor, from: Float, to: Float, step: Int, _ chains: [Int], using randomness: Philox) -> [Double] {
    func draw(_ half: Int) -> Kernels.Draw { Kernels.Draw(.annealing, step: 2 * step + half, examples: chains, using: randomness) }
    func bias(_ beta: Float) -> Tensor { Tensor(shape: b.shape, scalars: zip(base.scalars, b.scalars).map { (1 - beta) * $0 + beta * $1 }) }
    let sums = Kernels.sums(x, W, bias: c, team)
    // Units that are on count `to`, so that the product with them is at that inverse temperature.
    var h = sums
    var ratios = Kernels.annealedUnits(sums, from: from, to: to, draw(0), bits: &h, team)
    switch visible {
    case .bernoulli:
      let across = Tensor(shape: [dims, 1], scalars: zip(b.scalars, base.scalars).map { $0 - $1 })
      let linear = Kernels.sums(x, across, team).scalars
      for row in ratios.indices { ratios[row] += Double(to - from) * Double(linear[row]) }
    case .gaussian:
      let (before, after) = (Self.halfSquares(x, Self.repeated(bias(from), x.rows)), Self.halfSquares(x, Self.repeated(bias(to), x.rows)))
      for row in ratios.indices { ratios[row] += before[row] - after[row] }
    }
    x = drawVisible(Kernels.sums(h, W, transposed: true, bias: bias(to), team), draw(1))
    return ratios
  }

  func reversedStart(_ x: Tensor, _ chains: [Int], using randomness: Philox) -> (state: Tensor, logRatios: [Double]) {
    (x, [Double](repeating: 0, count: x.rows))
  }
}

// MARK: Counting

extension RBMEnergy {
  /// The side with fewer units, of bits.
  var bitsToCount: Int { visible == .bernoulli ? min(dims, hidden) : hidden }

  /// ln Z over every state of that side, the other side summed out.
  func countedLogPartition(isStopped: () -> Bool) -> Double? {
    let bits = bitsToCount
    let (all, atOnce) = (1 << bits, min(1 << bits, 1 << 12))
    var sum = LogSum()
    for first in stride(from: 0, to: all, by: atOnce) {
      if isStopped() { return nil }
      let states = Tensor(
        shape: [atOnce, bits], scalars: (first..<first + atOnce).flatMap { state in (0..<bits).map { Float(state >> $0 & 1) } })
      for energy in bits == hidden ? freeEnergy(ofHidden: states) : freeEnergy(of: states) { sum.add(-energy) }
    }
    return sum.value
  }

  /// −ln Σ_v e^−E(v, h), over visible units.
  private func freeEnergy(ofHidden h: Tensor) -> [Double] {
    let (linear, sums) = (Kernels.sums(h, Tensor(shape: [hidden, 1], scalars: c.scalars), team).scalars, visibleSums(h))
    switch visible {
    case .bernoulli:
      let softplus = Kernels.bernoulliNats(logits: sums, of: Tensor(repeating: 0, shape: sums.shape), team)
      return zip(linear, softplus).map { -Double($0) - $1 }
    case .gaussian:
      let zero = Tensor(repeating: 0, shape: sums.shape)
      let (squares, constant) = (Self.halfSquares(sums, zero), Self.halfSquares(row(b), Tensor(repeating: 0, shape: [1, dims]))[0])
      return linear.indices.map { -Double(linear[$0]) - squares[$0] + constant - 0.5 * Double(dims) * Self.logTwoPi }
    }
  }
}
