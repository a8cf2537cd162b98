import Tensors

// MARK: Sampling from PixelCNN, each pixel computed once

/// The layers of the peers' PixelCNN, for some images at one pixel after another.
private struct PixelStack {
  private struct Layer {
    var convolution: PixelwiseConvolution
    var y: Tensor

    /// The layer's result where its input has just been learnt.
    mutating func next(_ x: Tensor, _ row: Int, _ column: Int) -> Tensor {
      convolution.put(x, row: row, column: column)
      convolution.result(row: row, column: column, into: &y)
      return y
    }
  }

  private let height = 28
  private let width = 28
  private var first: Layer
  private var blocks: [[Layer]]
  private var closing: [Layer]

  init(images: Int) {
    var index = 0
    func layer(_ taps: Taps, _ channels: Int, _ filters: Int, _ activation: Activation = .identity) -> Layer {
      let bound = 1 / Float(taps.count * channels).squareRoot()
      let shape = [taps.count, channels, filters]
      let w = Tensor(uniformIn: -bound..<bound, shape: shape, .initialization, index: index, using: Philox(seed: 1))
      index += 1
      let bias = Tensor(repeating: 0, shape: [filters])
      return Layer(
        convolution: PixelwiseConvolution(taps, activation, w: w, bias: bias, images: images, width: 28),
        y: Tensor(repeating: 0, shape: [images, filters]))
    }
    let pixel = Taps(height: 1, width: 1)
    first = layer(.causal(height: 7, width: 7, .beforeCentre), 1, 64)
    blocks = (0..<6).map { _ in
      [layer(pixel, 64, 32, .relu), layer(.causal(height: 3, width: 3, .upToCentre), 32, 32, .relu), layer(pixel, 32, 64)]
    }
    closing = [layer(pixel, 64, 64, .relu), layer(pixel, 64, 1)]
  }

  /// - Returns: bits `[examples, 784]`.
  mutating func draw(_ examples: [Int], using randomness: Philox) -> Tensor {
    let uniforms = Tensor(uniform: height * width, .sampling, examples: examples, using: randomness)
    var x = Tensor(repeating: 0, shape: uniforms.shape)
    var bit = Tensor(repeating: 0, shape: [examples.count, 1])
    var h = Tensor(repeating: 0, shape: [examples.count, 64])
    var g = h
    for site in 0..<height * width {
      let (row, column) = (site / width, site % width)
      first.convolution.result(row: row, column: column, into: &h)
      for block in blocks.indices {
        Activate(.relu).forward([h], into: &g, .alone)
        var inner = g
        for layer in blocks[block].indices { inner = blocks[block][layer].next(inner, row, column) }
        let before = h
        Add().forward([before, inner], into: &h, .alone)
      }
      Activate(.relu).forward([h], into: &g, .alone)
      let z = closing[1].next(closing[0].next(g, row, column), row, column)
      for (image, p) in Kernels.sigmoid(z.scalars).enumerated() {
        bit[image, 0] = uniforms[image, site] < p ? 1 : 0
        x[image, site] = bit[image, 0]
      }
      first.convolution.put(bit, row: row, column: column)
    }
    return x
  }
}

extension BenchCase {
  /// Multiplications at one pixel.
  private static let products = 24 * 64 + 6 * (64 * 32 + 5 * 32 * 32 + 32 * 64) + 64 * 64 + 64

  static let pixelCNNSamplingCases = [
    BenchCase(
      name: "pixelcnn_b16", what: "sample", operations: 2 * 16 * 784 * Double(products),
      leaving: { team in
        {
          // Four images together, so that each weight is fetched once for all of them, and there is work for four threads.
          team.map(blocks: 4) { block in
            var stack = PixelStack(images: 4)
            return stack.draw(Array(4 * block..<4 * block + 4), using: Philox(seed: 1))
          }
        }
      })
  ]
}
