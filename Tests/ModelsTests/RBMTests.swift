import Foundation
import JSON
import Models
import Tensors
import Testing

/// A restricted Boltzmann machine in double precision, every state written down.
private struct WrittenDown {
  let W: [[Double]]
  let (b, c): ([Double], [Double])

  /// From a model's weights: biases are of units less their offsets.
  init(_ model: any GenerativeModel, isCentred: Bool) throws {
    let tensors = model.weights.byName
    let weight = try #require(tensors["weight"])
    func numbers(_ name: String) throws -> [Double] { try #require(tensors[name]).scalars.map { Double($0) } }
    let W = (0..<weight.rows).map { weight.row($0).map { Double($0) } }
    let offsets = try (visible: numbers("visible.mean"), hidden: numbers("hidden.mean"))
    let (centredB, centredC) = try (numbers("visible.bias"), numbers("hidden.bias"))
    self.W = W
    b = centredB.indices.map { d in centredB[d] - (isCentred ? zip(W[d], offsets.hidden).reduce(0) { $0 + $1.0 * $1.1 } : 0) }
    c = centredC.indices.map { j in centredC[j] - (isCentred ? W.indices.reduce(0) { $0 + W[$1][j] * offsets.visible[$1] } : 0) }
  }

  private func sums(_ v: [Double]) -> [Double] { c.indices.map { j in c[j] + v.indices.reduce(0) { $0 + v[$1] * W[$1][j] } } }

  func freeEnergy(_ v: [Double]) -> Double {
    -zip(b, v).reduce(0) { $0 + $1.0 * $1.1 } - sums(v).reduce(0) { $0 + log(1 + exp($1)) }
  }

  func hidden(_ v: [Double]) -> [Double] { sums(v).map { 1 / (1 + exp(-$0)) } }

  static func states(_ dims: Int) -> [[Double]] { (0..<1 << dims).map { state in (0..<dims).map { Double(state >> $0 & 1) } } }

  /// Means of v, h and v·h over examples, each with its share.
  func moments(_ examples: [(share: Double, v: [Double])]) -> (v: [Double], h: [Double], vh: [[Double]]) {
    var (v, h) = (b.map { _ in 0.0 }, c.map { _ in 0.0 })
    var vh = W.map { $0.map { _ in 0.0 } }
    for (share, example) in examples {
      let p = hidden(example)
      for d in v.indices {
        v[d] += share * example[d]
        for j in h.indices { vh[d][j] += share * example[d] * p[j] }
      }
      for j in h.indices { h[j] += share * p[j] }
    }
    return (v, h, vh)
  }

  var model: [(share: Double, v: [Double])] {
    let states = Self.states(b.count)
    let weights = states.map { exp(-freeEnergy($0)) }
    let Z = weights.reduce(0, +)
    return zip(weights, states).map { ($0 / Z, $1) }
  }
}

struct RBMTests {
  private func make(_ request: JSONValue, optimizer: OptimizerSettings = .adam) -> EnergyCase {
    var one = EnergyCase(.rbm, request)
    one.optimizer = optimizer
    return one
  }

  private static let centredOrNot = [true, false]

  @Test(arguments: centredOrNot)
  func `free energies, hidden units and ln Z are those of every state written down`(isCentred: Bool) throws {
    let model = make(["hidden": 5, "centred": .bool(isCentred)]).trained(dims: 6, steps: 300)
    let written = try WrittenDown(model, isCentred: isCentred)
    let (states, x) = (WrittenDown.states(6), EnergyCase.states(6))
    let energies = model.energies(of: x)
    let features = try #require(model as? any Encodes).encode(x)
    for (row, state) in states.enumerated() {
      #expect(abs(energies[row] - written.freeEnergy(state)) < 1e-4)
      for (j, p) in written.hidden(state).enumerated() { #expect(abs(Double(features[row, j]) - p) < 1e-5) }
    }
    let logZ = log(states.reduce(0) { $0 + exp(-written.freeEnergy($1)) })
    #expect(abs(try #require(model.countedLogPartition { false }) - logZ) < 1e-5)
    // The side with fewer units is counted: here the visible one.
    let wide = make(["hidden": 9, "centred": .bool(isCentred)]).trained(dims: 6, steps: 300)
    let wideWritten = try WrittenDown(wide, isCentred: isCentred)
    let wideZ = log(states.reduce(0) { $0 + exp(-wideWritten.freeEnergy($1)) })
    #expect(wide.bitsToCount == 6 && model.bitsToCount == 5)
    #expect(abs(try #require(wide.countedLogPartition { false }) - wideZ) < 1e-5)
  }

  /// A step of plain descent with the rate 1 tells the gradient; the mean over many draws of the chains leaves CD-k's own bias.
  private func gradient(_ one: EnergyCase, _ steps: Int, of model: any Energetic, x: Tensor, gibbsSteps: Int) throws -> [Double] {
    var values = one.configuration.json.object ?? [:]
    values["gibbs_steps"] = .integer(gibbsSteps)
    var other = make(.object(values), optimizer: .sgd()).make(dims: x.columns)
    // Of the weights alone: chains begin at the data.
    try other.restore(model.weights.byName)
    func biases(_ model: any Energetic) throws -> [Double] {
      let weight = try #require(model.weights.first { $0.name == "weight" }).tensor
      return weight.scalars.map { Double($0) }
    }
    let before = try biases(other)
    var sum = before.map { _ in 0.0 }
    for step in 1...steps {
      var stepped = other
      _ = stepped.trainStep(on: x, examples: Array(0..<x.rows), step: 1000 * step, learningRate: 1, using: Philox(seed: 9))
      for (place, after) in try biases(stepped).enumerated() { sum[place] += (before[place] - after) / Double(steps) }
    }
    return sum
  }

  @Test(arguments: centredOrNot)
  func `the gradient of contrastive divergence tends to that of the likelihood as k grows`(isCentred: Bool) throws {
    let one = make(["hidden": 4, "persistent": false, "centred": .bool(isCentred)])
    let model = one.trained(dims: 6, steps: 300)
    let x = one.data(400, dims: 6)
    let written = try WrittenDown(model, isCentred: isCentred)
    let data = written.moments((0..<400).map { row in (1.0 / 400, x.row(row).map { Double($0) }) })
    let all = written.moments(written.model)
    // Melchior et al. 2016, eqs. 9 and 10; the offsets move a hundredth of the way towards the batch's means first.
    let tensors = model.weights.byName
    func moved(_ name: String, _ mean: [Double]) throws -> [Double] {
      try zip(#require(tensors[name]).scalars, mean).map { isCentred ? Double($0) + 0.01 * ($1 - Double($0)) : 0 }
    }
    let (mu, lambda) = try (moved("visible.mean", data.v), moved("hidden.mean", data.h))
    var exact: [Double] = []
    for d in 0..<6 {
      for j in 0..<4 {
        let (dv, dh): (Double, Double) = (all.v[d] - data.v[d], all.h[j] - data.h[j])
        exact.append(all.vh[d][j] - data.vh[d][j] - mu[d] * dh - dv * lambda[j])
      }
    }
    func distance(_ k: Int) throws -> Double {
      let found = try gradient(one, 60, of: model, x: x, gibbsSteps: k)
      var squares = 0.0
      for (found, exact) in zip(found, exact) { squares += (found - exact) * (found - exact) }
      return squares.squareRoot()
    }
    let (one1, three, many) = (try distance(1), try distance(4), try distance(100))
    // Means of 24 000 bits are off by 0.003 each.
    #expect(one1 > 4 * many && three > 2 * many && many < 0.02, "\(one1), \(three), \(many)")
  }

  @Test func `persistent chains are the model's own, and are kept`() throws {
    let one = make(["hidden": 5, "chains": 400])
    var model = one.trained(dims: 6, steps: 300)
    // The chains catch up with a model that stands still.
    let x = one.data(40, dims: 6)
    for step in 300..<400 {
      _ = model.trainStep(on: x, examples: Array(0..<40), step: step, learningRate: 0, using: Philox(seed: 7))
    }
    let chains = try #require(model.trainingState.first { $0.name == "chains.hidden" }).tensor
    #expect(chains.shape == [400, 5] && Set(chains.scalars) == [0, 1])
    let written = try WrittenDown(model, isCentred: true)
    let expected = written.moments(written.model).h
    for j in 0..<5 {
      let share = (0..<400).reduce(0.0) { $0 + Double(chains[$1, j]) } / 400
      #expect(abs(share - expected[j]) < 0.12, "\(j): \(share), \(expected[j])")
    }
    #expect(!model.weights.contains { $0.name.hasPrefix("chains") })
  }

  @Test func `sparsity keeps hidden units off`() throws {
    func activity(_ cost: Double) throws -> Double {
      let one = make(["hidden": 20, "sparsity_target": 0.05, "sparsity_cost": .number(cost)])
      let features = try #require(one.trained(dims: 12, steps: 600) as? any Encodes).encode(one.data(200, dims: 12))
      return features.scalars.reduce(0) { $0 + Double($1) } / Double(features.count)
    }
    #expect(try activity(0.5) < 0.6 * activity(0))
  }

  @Test func `a chain that is kept is one of a machine of the same form`() throws {
    let one = make(["hidden": 5, "chains": 20])
    var other = make(["hidden": 5, "chains": 21]).make(dims: 6)
    let state = one.trained(dims: 6, steps: 3).trainingState.byName
    #expect(throws: RestoreError.wrongShape(name: "chains.hidden", expected: [21, 5], found: [20, 5])) { try other.restore(state) }
  }
}
