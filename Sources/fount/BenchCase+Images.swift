import Tensors

// MARK: Whole steps over images, of the peers' shapes

/// Weights, their optimizer and the tape of a step, for networks that are measured and are no family.
private struct Network {
  var parameters = Parameters(.adam)
  var tape: Tape
  let team: ThreadTeam

  init(_ team: ThreadTeam) {
    self.team = team
    tape = Tape(team)
  }

  /// A layer's weights and bias.
  mutating func add(_ name: String, _ shape: [Int], bias: Int) -> (Int, Int) {
    let bound = 1 / Float(shape.dropLast().reduce(1, *)).squareRoot()
    let w = Tensor(uniformIn: -bound..<bound, shape: shape, .initialization, index: parameters.all.count, using: Philox(seed: 1))
    let first = parameters.add(name, w, decays: true)
    return (first, parameters.add(name + ".bias", Tensor(repeating: 0, shape: [bias]), decays: false))
  }

  /// A step of Adam down the loss that `equations` write on the tape.
  mutating func descend(step: Int, _ equations: (inout Tape, [Tape.Variable]) -> Tape.Variable) {
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let loss = equations(&tape, weights)
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: 1e-3, step: step, gradients: weights.map { tape.gradient($0) }, team)
  }
}

extension BenchCase {
  private static let pixelCNNBlocks = 6
  private static let pixel = Taps(height: 1, width: 1)
  private static let first = Taps.causal(height: 7, width: 7, .beforeCentre)
  private static let middle = Taps.causal(height: 3, width: 3, .upToCentre)

  /// For each pixel: multiplications of the layers forward.
  private static let pixelCNNProducts: (first: Int, rest: Int) = (
    first.count * 64, pixelCNNBlocks * (64 * 32 + middle.count * 32 * 32 + 32 * 64) + 64 * 64 + 64
  )

  static let pixelCNNCases = [
    BenchCase(
      name: "pixelcnn_b32", what: "train_step",
      // Forward and the weights' gradient of all layers, and what goes back through all but the first.
      operations: 2 * 32 * 784 * Double(2 * pixelCNNProducts.first + 3 * pixelCNNProducts.rest),
      prepare: { team in
        var network = Network(team)
        let x = Tensor(shape: [32, 28, 28, 1], scalars: bits(rows: 32, columns: 784).scalars)
        let opening = network.add("first", [first.count, 1, 64], bias: 64)
        let blocks = (0..<pixelCNNBlocks).map { block in
          (
            network.add("\(block).a", [1, 64, 32], bias: 32), network.add("\(block).b", [middle.count, 32, 32], bias: 32),
            network.add("\(block).c", [1, 32, 64], bias: 64)
          )
        }
        let (last, logits) = (network.add("last", [1, 64, 64], bias: 64), network.add("logits", [1, 64, 1], bias: 1))
        var step = 0
        return {
          network.descend(step: step) { tape, weights in
            func layer(_ taps: Taps, _ activation: Activation, _ h: Tape.Variable, _ place: (Int, Int)) -> Tape.Variable {
              tape.apply(Convolution(taps, activation), [h, weights[place.0], weights[place.1]])
            }
            let x = tape.constant(x)
            var h = layer(first, .identity, x, opening)
            for (a, b, c) in blocks {
              var g = tape.apply(Activate(.relu), [h])
              g = layer(pixel, .relu, g, a)
              g = layer(middle, .relu, g, b)
              h = tape.apply(Add(), [h, layer(pixel, .identity, g, c)])
            }
            h = tape.apply(Activate(.relu), [h])
            h = layer(pixel, .relu, h, last)
            return tape.apply(Mean(), [tape.apply(BernoulliNats(), [layer(pixel, .identity, h, logits), x])])
          }
          step += 1
        }
      })
  ]
}
