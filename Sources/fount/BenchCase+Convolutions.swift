import Tensors

// MARK: The convolutions of the peers' PixelCNN and DCGAN

extension BenchCase {
  /// One layer, its image `[batch, height, width, channels]`.
  private struct Layer: Sendable {
    let name: String
    let taps: Taps
    let image: [Int]
    let filters: Int

    var weights: [Int] { [taps.count, image[3], filters] }
    var result: [Int] { Convolution(taps).shape(of: [image, weights]) }
    /// A multiplication and an addition for each live tap, channel, filter and pixel of the result.
    var operations: Double { 2 * Double(result.reduce(1, *)) * Double(taps.count * image[3]) }
  }

  private static let layers = [
    Layer(name: "7x7a_1_64_b32", taps: .causal(height: 7, width: 7, .beforeCentre), image: [32, 28, 28, 1], filters: 64),
    Layer(name: "3x3b_32_32_b32", taps: .causal(height: 3, width: 3, .upToCentre), image: [32, 28, 28, 32], filters: 32),
    Layer(name: "1x1_64_32_b32", taps: Taps(height: 1, width: 1), image: [32, 28, 28, 64], filters: 32),
    Layer(name: "1x1_32_64_b32", taps: Taps(height: 1, width: 1), image: [32, 28, 28, 32], filters: 64),
    Layer(name: "4x4s2_1_64_b64", taps: halving, image: [64, 28, 28, 1], filters: 64),
    Layer(name: "4x4s2_64_128_b64", taps: halving, image: [64, 14, 14, 64], filters: 128),
  ]

  private static let halving = Taps(height: 4, width: 4, stride: 2, border: .init(all: 1))

  static let convolutionCases = layers.flatMap { layer in
    [
      BenchCase(
        name: "convolution_" + layer.name, what: "forward", operations: layer.operations,
        prepare: { team in
          let (x, w, bias) = (random(layer.image, 0), random(layer.weights, 1), random([layer.filters], 2))
          var y = Tensor(repeating: 0, shape: layer.result)
          return { Convolution(layer.taps, .relu).forward([x, w, bias], into: &y, team) }
        }),
      backward(layer, what: "data_gradient", wanted: [0]),
      backward(layer, what: "weight_gradient", wanted: [1, 2]),
    ]
  }

  private static func backward(_ layer: Layer, what: String, wanted: [Int]) -> BenchCase {
    BenchCase(
      name: "convolution_" + layer.name, what: what, operations: layer.operations,
      prepare: { team in
        let inputs = [random(layer.image, 0), random(layer.weights, 1), random([layer.filters], 2)]
        let y = Tensor(repeating: 1, shape: layer.result)
        var dy = random(layer.result, 3)
        var gradients = inputs.enumerated().map { index, input in
          wanted.contains(index) ? Gradient(tensor: Tensor(repeating: 0, shape: input.shape), adds: false) : nil
        }
        return { Convolution(layer.taps).backward(inputs, y: y, dy: &dy, into: &gradients, team) }
      })
  }

  private static func random(_ shape: [Int], _ index: Int) -> Tensor {
    Tensor(uniformIn: -1..<1, shape: shape, .noise, index: index, using: Philox(seed: 1))
  }
}
