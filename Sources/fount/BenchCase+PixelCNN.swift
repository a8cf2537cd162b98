import Tensors

// MARK: PixelCNN, 28x28: a 7x7 layer of mask A, six residual blocks with 3x3 layers of mask B, two 1x1 layers

extension BenchCase {
  private static let blockCount = 6
  private static let pixel = Taps(height: 1, width: 1)
  private static let first = Taps.causal(height: 7, width: 7, .beforeCentre)
  private static let middle = Taps.causal(height: 3, width: 3, .upToCentre)

  /// Multiplications of a pass forward, for each pixel.
  private static let products: (first: Int, rest: Int) = (
    first.count * 64, blockCount * (64 * 32 + middle.count * 32 * 32 + 32 * 64) + 64 * 64 + 64
  )

  static let pixelCNNCases = [
    BenchCase(
      name: "pixelcnn_b32", what: "train_step",
      // Forward and the weights' gradient of all layers, and what goes back through all but the first.
      operations: 2 * 32 * 784 * Double(2 * products.first + 3 * products.rest),
      leaving: { team in
        var network = BenchNetwork(team)
        let x = Tensor(shape: [32, 28, 28, 1], scalars: bits(rows: 32, columns: 784).scalars)
        let opening = network.add("first", [first.count, 1, 64], bias: 64)
        let blocks = (0..<blockCount).map { block in
          [
            network.add("\(block).a", [1, 64, 32], bias: 32), network.add("\(block).b", [middle.count, 32, 32], bias: 32),
            network.add("\(block).c", [1, 32, 64], bias: 64),
          ]
        }
        let (last, logits) = (network.add("last", [1, 64, 64], bias: 64), network.add("logits", [1, 64, 1], bias: 1))
        var step = 0
        return {
          let weights = network.begin()
          let loss = network.write { tape in
            func layer(_ taps: Taps, _ activation: Activation, _ h: Tape.Variable, _ place: BenchNetwork.Place) -> Tape.Variable {
              tape.apply(Convolution(taps, activation), [h, weights[place.weights], weights[place.bias]])
            }
            let x = tape.constant(x)
            var h = layer(first, .identity, x, opening)
            for block in blocks {
              var g = tape.apply(Activate(.relu), [h])
              g = layer(pixel, .relu, g, block[0])
              g = layer(middle, .relu, g, block[1])
              g = layer(pixel, .identity, g, block[2])
              h = tape.apply(Add(), [h, g])
            }
            h = tape.apply(Activate(.relu), [h])
            h = layer(pixel, .relu, h, last)
            let z = layer(pixel, .identity, h, logits)
            return tape.apply(Mean(), [tape.apply(BernoulliNats(), [z, x])])
          }
          network.descend(from: loss, weights, step: step)
          step += 1
          return network.weights
        }
      })
  ]
}
