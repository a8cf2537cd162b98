import JSON
import Models
import Tensors

/// Something that is measured, with what it has to compute.
package struct BenchCase: Sendable {
  package let name: String
  /// "train_step", "sample", or a kernel's part.
  package let what: String
  /// Additions and multiplications that the mathematics asks for; what a mask kills is not among them.
  let operations: Double
  /// Makes what the work needs, and gives the work, which tells what it leaves: a model's weights or its samples.
  package let prepare: @Sendable (ThreadTeam) -> () -> [Tensor]

  init(name: String, what: String, operations: Double, leaving prepare: @escaping @Sendable (ThreadTeam) -> () -> [Tensor]) {
    (self.name, self.what, self.operations, self.prepare) = (name, what, operations, prepare)
  }

  /// Work that leaves nothing to be looked at.
  init(name: String, what: String, operations: Double, prepare: @escaping @Sendable (ThreadTeam) -> () -> Void) {
    self.init(name: name, what: what, operations: operations) { team in
      let work = prepare(team)
      return {
        work()
        return []
      }
    }
  }

  package static let all =
    madeCases + nadeCases + vaeCases + rbmCases + pixelCNNCases + pixelCNNSamplingCases + dcganCases + convolutionCases
}

// MARK: MADE

extension BenchCase {
  private static let madeDims = 784
  private static let madeWidth = 500

  private static func made(_ team: ThreadTeam) -> MADE {
    let request: JSONValue = ["hidden_layers": [.integer(madeWidth)], "direct_connections": false]
    let configuration = ModelFamily.made.schema.resolve(FieldReader(request, faults: Faults()))
    return MADE(configuration, dims: madeDims, optimizer: .adam, seed: 1, team: team)
  }

  /// How many weights of each layer a mask leaves alive, degrees being spread evenly.
  private static let madeLive: (hidden: Int, output: Int) = {
    let degrees = (0..<madeWidth).map { 1 + $0 * (madeDims - 1) / madeWidth }
    return (degrees.reduce(0, +), degrees.reduce(0) { $0 + madeDims - $1 })
  }()

  static let madeCases = [
    BenchCase(
      name: "made_784_500_b100", what: "train_step",
      // Forward and the weights' gradient of both layers, and what goes back through the second.
      operations: 2 * 100 * (2 * Double(madeLive.hidden) + 3 * Double(madeLive.output)),
      leaving: { team in
        var model = made(team)
        let x = bits(rows: 100, columns: madeDims)
        var step = 0
        return {
          _ = model.trainStep(on: x, examples: Array(0..<100), step: step, learningRate: 1e-3, using: Philox(seed: 1))
          step += 1
          return model.weights.map(\.tensor)
        }
      }),
    BenchCase(
      name: "made_784_500_b64", what: "sample", operations: 2 * 64 * Double(madeLive.hidden + madeLive.output),
      leaving: { team in
        let model = made(team)
        return { [model.sample(Array(0..<64), temperature: 1, using: Philox(seed: 1))] }
      }),
  ]

  /// Three in ten are 1, as in the peers' batches.
  static func bits(rows: Int, columns: Int) -> Tensor {
    let uniforms = Tensor(uniform: columns, .data, examples: Array(0..<rows), using: Philox(seed: 1))
    return Tensor(shape: [rows, columns], scalars: uniforms.scalars.map { $0 < 0.3 ? 1 : 0 })
  }
}

extension BenchNetwork {
  var weights: [Tensor] { parameters.all.map(\.tensor) }
}
