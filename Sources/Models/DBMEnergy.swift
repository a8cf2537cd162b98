import Foundation
import Tensors

/// Weights and biases of a deep Boltzmann machine and what they make of its units: Gibbs steps, mean fields with their bound, the path of
/// annealing and the count over states.
///
/// | paper     | here        | shape                        | role                                                     |
/// |-----------|-------------|------------------------------|----------------------------------------------------------|
/// | v, h^l    | `states[l]` | [batch, units of the layer]  | layer 0 is the visible one                               |
/// | W^l       | `W[l - 1]`  | [units below, units above]   | between a layer and the one below it                     |
/// | b, a^l    | `biases[l]` | [units of the layer]         |                                                          |
/// | μ^l       | mean fields | [batch, units of the layer]  | of hidden units given v                                  |
///
/// E(v, h) = −Σ h^(l−1)ᵀ W^l h^l − Σ a^lᵀ h^l, with h^0 = v (Salakhutdinov & Hinton, AISTATS 2009, eq. 9). Layers of odd number know
/// nothing of each other given those of even number, and the other way round: chains of annealing hold the odd ones alone.
struct DBMEnergy: Sendable {
  let W: [Tensor]
  let biases: [Tensor]
  /// Visible biases of the machine without weights that annealing starts from.
  let base: Tensor
  let meanFieldSteps: Int
  let team: ThreadTeam

  var depth: Int { W.count }
  private var odd: [Int] { Array(stride(from: 1, through: depth, by: 2)) }
  private var even: [Int] { Array(stride(from: 0, through: depth, by: 2)) }
  private func width(_ layer: Int) -> Int { biases[layer].count }
}

// MARK: The equations

extension DBMEnergy {
  /// What tells each unit of a layer given its neighbours, `[batch, units]`.
  func sums(_ layer: Int, _ states: [Tensor]) -> Tensor {
    guard layer > 0 else { return Kernels.sums(states[1], W[0], transposed: true, bias: biases[0], team) }
    var sums = Kernels.sums(states[layer - 1], W[layer - 1], bias: biases[layer], team)
    if layer < depth { Kernels.add(Kernels.sums(states[layer + 1], W[layer], transposed: true, team), to: &sums, adds: true, team) }
    return sums
  }

  func means(of sums: Tensor) -> Tensor {
    var p = sums
    Kernels.map(.sigmoid, sums, into: &p, team)
    return p
  }

  func bits(of sums: Tensor, _ draw: Kernels.Draw) -> Tensor {
    var bits = sums
    _ = Kernels.annealedUnits(sums, draw, bits: &bits, team)
    return bits
  }

  /// A Gibbs step of all chains: the odd layers, then the even ones.
  func step(_ states: inout [Tensor], _ draw: (_ layer: Int) -> Kernels.Draw) {
    for layer in odd { states[layer] = bits(of: sums(layer, states), draw(layer)) }
    for layer in even { states[layer] = bits(of: sums(layer, states), draw(layer)) }
  }

  /// The mean fields of the hidden layers given v, after v itself (Salakhutdinov & Hinton 2009, eq. 11): a pass upwards, in which each
  /// layer but the last counts twice for the one above that is not known yet (ibid., §3.2), and then odd and even layers in turn.
  func meanFields(of v: Tensor) -> [Tensor] {
    var states = [v]
    for layer in 1...depth {
      let below = layer < depth ? Self.scaled(states[layer - 1], by: 2) : states[layer - 1]
      states.append(means(of: Kernels.sums(below, W[layer - 1], bias: biases[layer], team)))
    }
    // Of two layers alone the first is right at once for the second.
    for _ in 0..<meanFieldSteps {
      for layer in odd + even.dropFirst() { states[layer] = means(of: sums(layer, states)) }
    }
    return states
  }

  static func scaled(_ x: Tensor, by factor: Float) -> Tensor { Tensor(shape: x.shape, scalars: x.scalars.map { $0 * factor }) }

  /// −ln p*(v) from above, nats: the mean of E over the mean fields, less their entropy (ibid., eq. 10).
  func freeEnergyBound(of v: Tensor) -> [Double] {
    let states = meanFields(of: v)
    var energies = dots(v, biases[0]).map { -$0 }
    for layer in 1...depth {
      let sums = Kernels.sums(states[layer - 1], W[layer - 1], bias: biases[layer], team)
      for row in energies.indices {
        for (mean, sum) in zip(states[layer].row(row), sums.row(row)) {
          let p = Double(mean)
          energies[row] -= p * Double(sum)
          // An entropy of 0 where nothing is open.
          if p > 0, p < 1 { energies[row] += p * log(p) + (1 - p) * log(1 - p) }
        }
      }
    }
    return energies
  }

  /// x·w of each row.
  private func dots(_ x: Tensor, _ w: Tensor) -> [Double] {
    Kernels.sums(x, Tensor(shape: [w.count, 1], scalars: w.scalars), team).scalars.map { Double($0) }
  }

  private func softplus(_ sums: Tensor) -> [Double] {
    Kernels.bernoulliNats(logits: sums, of: Tensor(repeating: 0, shape: sums.shape), team)
  }
}

// MARK: Chains that draw

extension DBMEnergy {
  /// States at the beginning of chains: visible units of the machine without weights, and hidden ones at random.
  func beginning(_ stream: Philox.Stream, _ chains: [Int], using randomness: Philox) -> [Tensor] {
    (0...depth).map { layer in
      let sums = Self.repeated(layer == 0 ? base : Tensor(repeating: 0, shape: [width(layer)]), chains.count)
      return bits(of: sums, Self.draw(stream, layer: layer, step: 0, depth: depth, chains, using: randomness))
    }
  }

  /// The address of a layer's draw in a step.
  static func draw(
    _ stream: Philox.Stream, layer: Int, step: Int, depth: Int, _ chains: [Int], using randomness: Philox
  ) -> Kernels.Draw {
    Kernels.Draw(stream, step: step * (depth + 1) + layer, examples: chains, using: randomness)
  }

  private static func repeated(_ row: Tensor, _ count: Int) -> Tensor {
    Tensor(shape: [count, row.count], scalars: (0..<count).flatMap { _ in row.scalars })
  }

  /// The machine at a temperature.
  func cooled(to temperature: Float) -> DBMEnergy {
    guard temperature != 1 else { return self }
    func cold(_ x: Tensor) -> Tensor { Self.scaled(x, by: 1 / temperature) }
    return DBMEnergy(W: W.map(cold), biases: biases.map(cold), base: cold(base), meanFieldSteps: meanFieldSteps, team: team)
  }
}

// MARK: Annealing

extension DBMEnergy: AnnealedDensity {
  var logConstantAtStart: Double {
    let hidden = (1...depth).reduce(0) { $0 + width($1) }
    return softplus(Tensor(shape: [1, base.count], scalars: base.scalars))[0] + Double(hidden) * 0.6931471805599453
  }

  /// The odd layers beside each other, as a chain holds them, and back.
  private func joined(_ states: [Tensor]) -> Tensor {
    guard odd.count > 1 else { return states[1] }
    let rows = states[1].rows
    let columns = odd.reduce(0) { $0 + width($1) }
    return Tensor(shape: [rows, columns], scalars: (0..<rows).flatMap { row in odd.flatMap { states[$0].row(row) } })
  }

  private func parted(_ x: Tensor) -> [Tensor] {
    var states = [Tensor](repeating: Tensor(shape: [0], scalars: []), count: depth + 1)
    guard odd.count > 1 else {
      states[1] = x
      return states
    }
    var first = 0
    for layer in odd {
      let range = first..<first + width(layer)
      states[layer] = Tensor(
        shape: [x.rows, range.count], scalars: (0..<x.rows).flatMap { x.row($0).dropFirst(range.lowerBound).prefix(range.count) })
      first = range.upperBound
    }
    return states
  }

  func start(_ chains: [Int], using randomness: Philox) -> Tensor { joined(beginning(.annealing, chains, using: randomness)) }

  func anneal(_ x: inout Tensor, from: Float, to: Float, step: Int, _ chains: [Int], using randomness: Philox) -> [Double] {
    func draw(_ layer: Int) -> Kernels.Draw {
      Self.draw(.annealing, layer: layer, step: step, depth: depth, chains, using: randomness)
    }
    var states = parted(x)
    var ratios = [Double](repeating: 0, count: x.rows)
    for layer in odd {
      for (row, dot) in dots(states[layer], biases[layer]).enumerated() { ratios[row] += Double(to - from) * dot }
    }
    // Units that are on count `to`, so that products with them are at that inverse temperature.
    for layer in even {
      let sums = sums(layer, states)
      var bits = sums
      let more = Kernels.annealedUnits(sums, base: layer == 0 ? base : nil, from: from, to: to, draw(layer), bits: &bits, team)
      for row in ratios.indices { ratios[row] += more[row] }
      states[layer] = bits
    }
    for layer in odd {
      var sums = Kernels.sums(states[layer - 1], W[layer - 1], bias: Self.scaled(biases[layer], by: to), team)
      if layer < depth { Kernels.add(Kernels.sums(states[layer + 1], W[layer], transposed: true, team), to: &sums, adds: true, team) }
      states[layer] = bits(of: sums, draw(layer))
    }
    x = joined(states)
    return ratios
  }

  /// A draw of the odd layers from the mean fields, which are no more than near the model's: the ratio makes up for it.
  func reversedStart(_ x: Tensor, _ chains: [Int], using randomness: Philox) -> (state: Tensor, logRatios: [Double]) {
    let fields = meanFields(of: x)
    var (states, ratios) = (fields, freeEnergyBound(of: x))
    for layer in odd {
      var logits = fields[layer]
      Kernels.update(&logits) { _, p in Self.logit(p) }
      states[layer] = bits(of: logits, Self.draw(.annealing, layer: layer, step: 0, depth: depth, chains, using: randomness))
      // Less ln q of what was drawn.
      for (row, nats) in Kernels.bernoulliNats(logits: logits, of: states[layer], team).enumerated() { ratios[row] += nats }
      for (row, dot) in dots(states[layer], biases[layer]).enumerated() { ratios[row] += dot }
    }
    for (row, dot) in dots(x, biases[0]).enumerated() { ratios[row] += dot }
    let across = Kernels.sums(x, W[0], team)
    for row in ratios.indices { ratios[row] += zip(across.row(row), states[1].row(row)).reduce(0) { $0 + Double($1.0 * $1.1) } }
    for layer in even.dropFirst() {
      for (row, sum) in softplus(sums(layer, states)).enumerated() { ratios[row] += sum }
    }
    return (joined(states), ratios)
  }

  /// Of means that single precision holds apart from 0 and 1.
  private static func logit(_ p: Float) -> Float {
    let held = Double(min(max(p, 1e-6), 1 - 1e-6))
    return Float(log(held / (1 - held)))
  }
}

// MARK: Counting

extension DBMEnergy {
  var bitsToCount: Int { odd.reduce(0) { $0 + width($1) } }

  /// ln Z over every state of the odd layers, the even ones summed out.
  func countedLogPartition(isStopped: () -> Bool) -> Double? {
    let bits = bitsToCount
    let (all, atOnce) = (1 << bits, min(1 << bits, 1 << 12))
    var sum = LogSum()
    for first in stride(from: 0, to: all, by: atOnce) {
      if isStopped() { return nil }
      let states = parted(
        Tensor(shape: [atOnce, bits], scalars: (first..<first + atOnce).flatMap { state in (0..<bits).map { Float(state >> $0 & 1) } }))
      var logs = [Double](repeating: 0, count: atOnce)
      for layer in odd { for (row, dot) in dots(states[layer], biases[layer]).enumerated() { logs[row] += dot } }
      for layer in even { for (row, soft) in softplus(sums(layer, states)).enumerated() { logs[row] += soft } }
      for log in logs { sum.add(log) }
    }
    return sum.value
  }
}
