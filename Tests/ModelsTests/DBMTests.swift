import Evaluation
import Foundation
import JSON
import Models
import Tensors
import Testing

/// A deep Boltzmann machine in double precision, every state of every layer written down.
private struct WrittenDown {
  private var W: [[[Double]]] = []
  private var biases: [[Double]] = []

  init(_ model: any GenerativeModel, depth: Int, isCentred: Bool) throws {
    let tensors = model.weights.byName
    func numbers(_ layer: Int, _ what: String) throws -> [Double] {
      try #require(tensors[layer == 0 ? "visible.\(what)" : "layer.\(layer).\(what)"]).scalars.map { Double($0) }
    }
    for layer in 1...depth {
      let weight = try #require(tensors["layer.\(layer).weight"])
      W.append((0..<weight.rows).map { weight.row($0).map { Double($0) } })
    }
    let offsets = try (0...depth).map { layer in try numbers(layer, "mean").map { isCentred ? $0 : 0 } }
    for layer in 0...depth {
      var bias = try numbers(layer, "bias")
      for unit in bias.indices {
        if layer > 0 { for (below, row) in W[layer - 1].enumerated() { bias[unit] -= offsets[layer - 1][below] * row[unit] } }
        if layer < depth { for (above, weight) in W[layer][unit].enumerated() { bias[unit] -= offsets[layer + 1][above] * weight } }
      }
      biases.append(bias)
    }
  }

  private static func states(_ bits: Int) -> [[Double]] { (0..<1 << bits).map { state in (0..<bits).map { Double(state >> $0 & 1) } } }

  /// ln Σ_h e^−E(v, h) of each v, layer upon layer: what the layers above say of each state of the one below.
  var logs: [Double] {
    var above = [Double](repeating: 0, count: 1 << (biases.last?.count ?? 0))
    for layer in stride(from: W.count, through: 1, by: -1) {
      let (lower, upper) = (Self.states(biases[layer - 1].count), Self.states(biases[layer].count))
      above = lower.map { x in
        var sum = 0.0
        for (number, y) in upper.enumerated() {
          var exponent = above[number]
          for (unit, on) in y.enumerated() where on == 1 {
            exponent += biases[layer][unit]
            for (below, bit) in x.enumerated() where bit == 1 { exponent += W[layer - 1][below][unit] }
          }
          sum += exp(exponent)
        }
        return log(sum)
      }
    }
    return zip(above, Self.states(biases[0].count)).map { log, v in log + zip(v, biases[0]).reduce(0) { $0 + $1.0 * $1.1 } }
  }
}

struct DBMTests {
  private static let cases = 0..<EnergyCase.deep.count

  private func written(_ number: Int, steps: Int) throws -> (model: any Energetic, logs: [Double], logZ: Double) {
    let one = EnergyCase.deep[number]
    let model = one.trained(dims: 6, steps: steps)
    let depth = one.configuration.integers("hidden_layers").count
    let logs = try WrittenDown(model, depth: depth, isCentred: one.configuration.boolean("centred")).logs
    return (model, logs, log(logs.reduce(0) { $0 + exp($1) }))
  }

  @Test(arguments: cases)
  func `the count over odd layers is that over everything`(number: Int) throws {
    let (model, _, logZ) = try written(number, steps: 300)
    #expect(abs(try #require(model.countedLogPartition { false }) - logZ) < 1e-4)
  }

  @Test(arguments: cases)
  func `mean fields bound the likelihood from below, and not by much`(number: Int) throws {
    let (model, logs, logZ) = try written(number, steps: 300)
    let bound = try #require(LikelihoodSettings().likelihood(.elbo, of: model, using: Philox(seed: 1)))
    let nats = bound.nats(of: EnergyCase.states(6), examples: Array(0..<64))
    var gap = 0.0
    for (state, log) in logs.enumerated() {
      #expect(nats[state] > logZ - log - 1e-4, "\(EnergyCase.deep[number]), \(state)")
      gap += (nats[state] - logZ + log) * exp(log - logZ)
    }
    #expect(gap < 0.5 && bound.settings["log_z"]?.number.map { abs($0 - logZ) < 1e-4 } == true, "\(gap)")
  }

  @Test(arguments: cases)
  func `samples of chains have the frequencies that everything written down says`(number: Int) throws {
    let (model, logs, logZ) = try written(number, steps: 300)
    let count = 20_000
    let x = model.sample(Array(0..<count), chain: ChainLength(burnIn: 400), temperature: 1, using: Philox(seed: 3))
    var counted = [Double](repeating: 0, count: 64)
    for row in 0..<count { counted[EnergyCase.number(x.row(row))] += 1 }
    let test = ChiSquare(counts: counted, expected: logs.map { exp($0 - logZ) * Double(count) })
    #expect(test.cells > 8 && test.statistic < test.bound, "\(EnergyCase.deep[number]): \(test)")
  }

  @Test(arguments: cases)
  func `the estimate of ln Z is within three standard errors, and backwards it comes near the truth`(number: Int) throws {
    let (model, logs, logZ) = try written(number, steps: 300)
    for seed in 0..<UInt64(5) {
      let estimate = try #require(
        AnnealedImportanceSampling(chains: 200, betas: 300).logPartition(of: model.annealed, using: Philox(seed: seed)))
      #expect(estimate.interval.contains(logZ), "\(EnergyCase.deep[number]), seed \(seed): \(logZ), \(estimate)")
    }
    var settings = LikelihoodSettings()
    (settings.reverseChains, settings.betas) = (200, 200)
    let backwards = try #require(settings.likelihood(.raise, of: model, using: Philox(seed: 1)))
    let nats = backwards.nats(of: EnergyCase.states(6), examples: Array(0..<64))
    // Many chains of many temperatures come near the truth itself.
    let off = logs.indices.reduce(0) { $0 + (nats[$1] - logZ + logs[$1]) * exp(logs[$1] - logZ) }
    #expect(abs(off) < 0.05, "\(EnergyCase.deep[number]): \(off)")
  }

  @Test(arguments: cases)
  func `training lowers the nats of data it has not seen`(number: Int) throws {
    let unseen = EnergyCase.deep[number].data(1200, dims: 6).rows(400..<1200)
    func nats(_ steps: Int) throws -> Double {
      let (_, logs, logZ) = try written(number, steps: steps)
      return (0..<800).reduce(0) { $0 + (logZ - logs[EnergyCase.number(unseen.row($1))]) / 800 }
    }
    let (before, after) = (try nats(0), try nats(1500))
    #expect(after < before - 0.5, "\(EnergyCase.deep[number]): \(before), \(after)")
  }
}
