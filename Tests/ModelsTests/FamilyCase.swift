import Foundation
import JSON
import Models
import Tensors

/// A family with an exact likelihood, so configured and on so few dimensions that everything about it can be found out.
struct FamilyCase: Sendable, CustomStringConvertible {
  let family: ModelFamily
  let configuration: Configuration
  let kind: ModelInput.Kind
  let description: String
  var optimizer = OptimizerSettings.adam
  var seed: UInt64 = 7

  init(_ family: ModelFamily, _ kind: ModelInput.Kind, _ request: JSONValue) {
    let faults = Faults()
    self.family = family
    self.kind = kind
    configuration = family.schema.resolve(FieldReader(request, faults: faults))
    description = "\(family.name) \(request.serialized())"
    precondition(faults.isEmpty, "\(description): \(faults.all)")
  }

  static let all: [FamilyCase] = [
    .init(.nade, .bits, ["hidden_layers": [20]]),
    .init(.nade, .bits, ["hidden_layers": [9], "order": "shuffled"]),
    .init(.nade, .grey256, ["hidden_layers": [6], "output": "categorical"]),
    .init(.nade, .real, ["hidden_layers": [16], "output": "gaussian_mixture", "components": 4]),
    .init(.nade, .real, ["hidden_layers": [5], "output": "gaussian_mixture", "components": 1, "order": "shuffled"]),
    .init(.nade, .bits, ["hidden_layers": [40], "order_agnostic": true]),
    .init(.nade, .bits, ["hidden_layers": [30, 20], "order_agnostic": true, "orderings": 3]),
    .init(.nade, .bits, ["hidden_layers": [30, 17, 20], "order_agnostic": true, "order": "shuffled"]),
    .init(.nade, .grey256, ["hidden_layers": [12], "order_agnostic": true, "output": "categorical", "orderings": 2]),
    .init(
      .nade, .real,
      ["hidden_layers": [20, 20], "order_agnostic": true, "output": "gaussian_mixture", "components": 3, "orderings": 2]),
    .init(.made, .bits, ["hidden_layers": [30, 20]]),
    .init(.made, .bits, ["hidden_layers": [30], "connectivity_agnostic": true, "masks": 3]),
    .init(.made, .bits, ["hidden_layers": [25, 18], "connectivity_agnostic": true, "masks": 4, "orderings": 2, "activation": "tanh"]),
    .init(.made, .grey256, ["hidden_layers": [12], "output": "categorical"]),
    .init(.made, .grey256, ["hidden_layers": [12], "output": "categorical", "orderings": 2, "direct_connections": false]),
    .init(.made, .real, ["hidden_layers": [20], "output": "gaussian_mixture", "components": 3]),
    .init(
      .made, .real,
      [
        "hidden_layers": [16, 12], "output": "gaussian_mixture", "components": 2, "connectivity_agnostic": true, "orderings": 2, "masks": 2,
      ]),
  ]

  func make(dims: Int, threads: Int = 1) -> any Autoregressive {
    let input = ModelInput(dims: dims, kind: kind)
    precondition(family.refusal(configuration, input) == nil, "\(description)")
    let model = family.make(configuration, input, optimizer, seed, ThreadTeam(count: threads))
    guard let model = model as? any Autoregressive else { preconditionFailure("\(description) is not told by conditionals") }
    return model
  }

  func trained(dims: Int, steps: Int, threads: Int = 1) -> any Autoregressive {
    var model = make(dims: dims, threads: threads)
    train(&model, dims: dims, steps: 0..<steps)
    return model
  }

  func train(_ model: inout any Autoregressive, dims: Int, steps: Range<Int>) {
    let x = data(400, dims: dims)
    for step in steps {
      let start = step * 40 % 400
      _ = model.trainStep(
        on: x.rows(start..<start + 40), examples: Array(start..<start + 40), step: step, learningRate: 0.01, using: Philox(seed: seed))
    }
  }
}

// MARK: Data

extension FamilyCase {
  /// Examples of the case's kind, each number of which is much like the one before it.
  func data(_ count: Int, dims: Int) -> Tensor {
    let (examples, randomness) = (Array(0..<count), Philox(seed: 11))
    let uniforms = Tensor(uniform: dims, .data, examples: examples, using: randomness)
    let normals = Tensor(normal: dims, .data, step: 1, examples: examples, using: randomness)
    var x = Tensor(repeating: 0, shape: [count, dims])
    for row in 0..<count {
      for d in 0..<dims {
        let (before, uniform) = (d == 0 ? nil : x[row, d - 1], uniforms[row, d])
        switch kind {
        case .bits: x[row, d] = uniform < (before.map { $0 * 0.8 + 0.1 } ?? 0.3) ? 1 : 0
        // 16 of the levels, so that a few hundred examples show each.
        case .grey256: x[row, d] = ((before.map { 0.6 * $0 + 0.2 * uniform } ?? uniform) * 15).rounded() * 17 * (1 / 255)
        case .real: x[row, d] = before.map { 0.9 * $0 + 0.4 * normals[row, d] } ?? (uniform < 0.5 ? -1 : 1) + 0.3 * normals[row, d]
        }
      }
    }
    return x
  }

  /// A value of the case's kind that is another one.
  func other(than value: Float) -> Float {
    switch kind {
    case .bits: 1 - value
    case .grey256: value > 0.5 ? 0 : 1
    case .real: value + 0.75
    }
  }

  /// Of how few dimensions everything that there is can be written down.
  var fewDims: Int { kind == .bits ? 8 : 2 }

  /// Everything there is: all images, or the middles of a fine grid of squares beyond which there is nothing.
  var everything: Tensor {
    switch kind {
    case .bits: Self.pairs(2, 8) { Float($0) }
    case .grey256: Self.pairs(256, 2) { Float($0) * (1 / 255) }
    case .real: Self.pairs(Self.gridCount, 2) { Self.gridReach * ((2 * Float($0) + 1) / Float(Self.gridCount) - 1) }
    }
  }

  private static func pairs(_ base: Int, _ dims: Int, _ value: (Int) -> Float) -> Tensor {
    let values = (0..<base).map(value)
    let count = (0..<dims).reduce(1) { count, _ in count * base }
    var scalars: [Float] = []
    scalars.reserveCapacity(count * dims)
    for index in 0..<count {
      var rest = index
      for _ in 0..<dims {
        scalars.append(values[rest % base])
        rest /= base
      }
    }
    return Tensor(shape: [count, dims], scalars: scalars)
  }

  /// Squares of 0.02, where no Gaussian is narrower than thrice that.
  private static let (gridCount, gridReach) = (700, Float(7))

  /// The volume that each of `everything` stands for.
  var volume: Double { kind == .real ? pow(2 * Double(Self.gridReach) / Double(Self.gridCount), 2) : 1 }

  /// One of at most 256 cells into which everything falls.
  func cell(_ row: ArraySlice<Float>) -> Int {
    switch kind {
    case .bits: row.reduce(0) { 2 * $0 + Int($1) }
    case .grey256: row.reduce(0) { 16 * $0 + Int(($1 * 255).rounded()) / 16 }
    // Borders of cells are borders of squares.
    case .real: row.reduce(0) { 16 * $0 + min(max(Int(($1 * 2 + 8).rounded(.down)), 0), 15) }
    }
  }
}

// MARK: Conditionals

/// A model that tells its conditionals one by one.
protocol Autoregressive: ScoresLikelihood {
  /// The dimension at each place of each ordering.
  var orders: [[Int]] { get }
  /// What tells each conditional, `[batch, dims · outputs]`, dimensions in the data's own order.
  func conditionals(of x: Tensor, ordering: Int) -> Tensor
  /// Samples in one ordering, and what told their conditionals, likewise.
  func drawn(_ indices: [Int], ordering: Int, temperature: Float) -> (x: Tensor, logits: Tensor)
}

extension NADE: Autoregressive {
  var orders: [[Int]] { [ordering] }
  func conditionals(of x: Tensor, ordering: Int) -> Tensor { logits(of: x) }
  func drawn(_ indices: [Int], ordering: Int, temperature: Float) -> (x: Tensor, logits: Tensor) {
    draw(indices, temperature: temperature, using: Philox(seed: 5))
  }
}

extension EoNADE: Autoregressive {
  func conditionals(of x: Tensor, ordering: Int) -> Tensor { logits(of: x, ordering: ordering) }
  func drawn(_ indices: [Int], ordering: Int, temperature: Float) -> (x: Tensor, logits: Tensor) {
    draw(indices, ordering: ordering, temperature: temperature, using: Philox(seed: 5))
  }
}

extension MADE: Autoregressive {
  func conditionals(of x: Tensor, ordering: Int) -> Tensor { inDataOrder(logits(of: x, ordering: ordering), orders[ordering]) }
  func drawn(_ indices: [Int], ordering: Int, temperature: Float) -> (x: Tensor, logits: Tensor) {
    let drawn = draw(indices, ordering: ordering, temperature: temperature, using: Philox(seed: 5))
    return (inDataOrder(drawn.x, orders[ordering]), inDataOrder(drawn.logits, orders[ordering]))
  }

  private func inDataOrder(_ numbers: Tensor, _ order: [Int]) -> Tensor {
    var moved = numbers
    let outputs = numbers.columns / order.count
    for row in 0..<numbers.rows {
      for (place, d) in order.enumerated() {
        for k in 0..<outputs { moved[row, d * outputs + k] = numbers[row, place * outputs + k] }
      }
    }
    return moved
  }
}
