import Foundation
import JSON
import Models
import Tensors

/// A family that tells an energy, so configured and on so few units that all of its states can be written down.
struct EnergyCase: Sendable, CustomStringConvertible {
  let family: ModelFamily
  let configuration: Configuration
  let kind: ModelInput.Kind
  let description: String
  var optimizer = OptimizerSettings.adam
  var seed: UInt64 = 7

  init(_ family: ModelFamily, _ request: JSONValue, kind: ModelInput.Kind = .bits) {
    let faults = Faults()
    self.family = family
    self.kind = kind
    configuration = family.schema.resolve(FieldReader(request, faults: faults))
    description = "\(family.name) \(request.serialized())"
    precondition(faults.isEmpty, "\(description): \(faults.all)")
  }

  static let bits: [EnergyCase] = [
    .init(.rbm, ["hidden": 5, "chains": 20]),
    .init(.rbm, ["hidden": 4, "chains": 7, "centred": false, "gibbs_steps": 2]),
    .init(.rbm, ["hidden": 9, "persistent": false]),
    .init(.rbm, ["hidden": 3, "persistent": false, "centred": false, "gibbs_steps": 3, "sparsity_cost": 0.1]),
  ]

  static let reals: [EnergyCase] = [
    .init(.rbm, ["hidden": 6, "visible": "gaussian", "deviation": 0.5], kind: .real),
    .init(.rbm, ["hidden": 3, "visible": "gaussian", "persistent": false], kind: .real),
  ]

  static let all = bits + reals

  /// Those of several layers, whose energies are bounds.
  static let deep: [EnergyCase] = [
    .init(.dbm, ["hidden_layers": [4, 3], "chains": 20]),
    .init(.dbm, ["hidden_layers": [3, 3, 2], "chains": 11, "gibbs_steps": 2, "pretraining_steps": 5]),
    .init(.dbm, ["hidden_layers": [3, 4, 2, 3], "centred": false, "pretraining_steps": 40]),
  ]

  static let everyFamily = all + deep

  func make(dims: Int, threads: Int = 1) -> any Energetic {
    let model = family.make(configuration, ModelInput(dims: dims, kind: kind), optimizer, seed, ThreadTeam(count: threads))
    guard let model = model as? any Energetic else { preconditionFailure("\(description) tells no energy") }
    return model
  }

  func trained(dims: Int, steps: Int, threads: Int = 1) -> any Energetic {
    var model = make(dims: dims, threads: threads)
    train(&model, dims: dims, steps: 0..<steps)
    return model
  }

  func train(_ model: inout any Energetic, dims: Int, steps: Range<Int>) {
    let x = data(400, dims: dims)
    for step in steps {
      // The last batch of an epoch is a shorter one.
      let start = step % 11 * 38
      let rows = start..<min(start + 38, 400)
      _ = model.trainStep(on: x.rows(rows), examples: Array(rows), step: step, learningRate: 0.02, using: Philox(seed: seed))
    }
  }

  /// Examples each number of which is much like the one before it.
  func data(_ count: Int, dims: Int) -> Tensor {
    let (examples, randomness) = (Array(0..<count), Philox(seed: 11))
    let uniforms = Tensor(uniform: dims, .data, examples: examples, using: randomness)
    let normals = Tensor(normal: dims, .data, step: 1, examples: examples, using: randomness)
    var x = Tensor(repeating: 0, shape: [count, dims])
    for row in 0..<count {
      for d in 0..<dims {
        let before = d == 0 ? nil : x[row, d - 1]
        switch kind {
        case .real: x[row, d] = before.map { 0.8 * $0 + 0.5 * normals[row, d] } ?? (uniforms[row, d] < 0.5 ? -1 : 1) + 0.4 * normals[row, d]
        case .bits, .grey256: x[row, d] = uniforms[row, d] < (before.map { $0 * 0.8 + 0.1 } ?? 0.3) ? 1 : 0
        }
      }
    }
    return x
  }

  /// Every state of so many bits.
  static func states(_ bits: Int) -> Tensor {
    Tensor(shape: [1 << bits, bits], scalars: (0..<1 << bits).flatMap { state in (0..<bits).map { Float(state >> $0 & 1) } })
  }

  static func number(_ row: ArraySlice<Float>) -> Int { row.reversed().reduce(0) { 2 * $0 + Int($1) } }
}

typealias Energetic = TellsEnergy & DrawsByChains
