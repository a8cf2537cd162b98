import Tensors
import Testing

struct PixelwiseConvolutionTests {
  private let images = 7
  private let height = 5
  private let width = 6

  private struct Layer {
    let taps: Taps
    let activation: Activation
    let w: Tensor
    let bias: Tensor?

    init(_ taps: Taps, _ channels: Int, _ filters: Int, _ activation: Activation, index: Int, bias: Bool = true) {
      (self.taps, self.activation) = (taps, activation)
      w = Tensor(uniformIn: -1..<1, shape: [taps.count, channels, filters], .initialization, index: index, using: Philox(seed: 3))
      self.bias = bias ? Tensor(uniformIn: -1..<1, shape: [filters], .initialization, index: index + 100, using: Philox(seed: 3)) : nil
    }

    func whole(_ x: Tensor) -> Tensor {
      let inputs = [x, w] + (bias.map { [$0] } ?? [])
      let layer = Convolution(taps, activation)
      var y = Tensor(repeating: .nan, shape: layer.shape(of: inputs.map(\.shape)))
      layer.forward(inputs, into: &y, ThreadTeam(count: 2))
      return y
    }
  }

  private func pixel(_ x: Tensor, _ row: Int, _ column: Int) -> Tensor {
    let channels = x.shape[3]
    let scalars = (0..<x.rows).flatMap { image in
      let at = ((image * x.shape[1] + row) * x.shape[2] + column) * channels
      return x.scalars[at..<at + channels]
    }
    return Tensor(shape: [x.rows, channels], scalars: scalars)
  }

  private let layers = [
    Layer(.causal(height: 7, width: 7, .beforeCentre), 1, 20, .identity, index: 0),
    Layer(Taps(height: 1, width: 1), 20, 17, .relu, index: 1),
    Layer(.causal(height: 3, width: 3, .upToCentre), 17, 17, .tanh, index: 2),
    Layer(Taps(height: 1, width: 3, border: .init(left: 2)), 17, 3, .sigmoid, index: 3, bias: false),
    // What a row's recurrence reads: the row above, to the right of the pixel, too.
    Layer(Taps(height: 1, width: 3, border: .init(top: 1, left: 1, right: 1)), 3, 2, .identity, index: 4),
  ]

  @Test func `results at each pixel are those of the whole images, bit for bit`() {
    var whole = [Tensor(uniformIn: -1..<1, shape: [images, height, width, 1], .noise, index: 0, using: Philox(seed: 1))]
    for layer in layers[..<4] { whole.append(layer.whole(whole[whole.count - 1])) }
    for (number, layer) in layers[..<4].enumerated() {
      var convolution = PixelwiseConvolution(
        layer.taps, layer.activation, w: layer.w, bias: layer.bias, images: images, width: width)
      var y = Tensor(repeating: .nan, shape: [images, layer.w.shape[2]])
      for row in 0..<height {
        for column in 0..<width {
          let x = pixel(whole[number], row, column)
          // Under mask A the pixel itself is not known yet.
          if number == 0 { convolution.result(row: row, column: column, into: &y) }
          convolution.put(x, row: row, column: column)
          if number > 0 { convolution.result(row: row, column: column, into: &y) }
          #expect(y == pixel(whole[number + 1], row, column), "layer \(number), row \(row), column \(column)")
        }
      }
    }
  }

  @Test func `a layer may look at the row above, to the right of its pixel`() {
    let layer = layers[4]
    let x = Tensor(uniformIn: -1..<1, shape: [images, height, width, 3], .noise, index: 0, using: Philox(seed: 1))
    // Of the height of the result: a row of zeros above, and the last row of the image unseen.
    let whole = layer.whole(x)
    var convolution = PixelwiseConvolution(layer.taps, w: layer.w, bias: layer.bias, images: images, width: width)
    var y = Tensor(repeating: .nan, shape: [images, 2])
    for row in 0..<height {
      for column in 0..<width {
        convolution.result(row: row, column: column, into: &y)
        #expect(y == pixel(whole, row, column))
        convolution.put(pixel(x, row, column), row: row, column: column)
      }
    }
  }

  @Test func `an image does not depend on the others`() {
    let layer = layers[2]
    let x = Tensor(uniformIn: -1..<1, shape: [images, 1, 1, 17], .noise, index: 0, using: Philox(seed: 1))
    func first(_ range: Range<Int>) -> Tensor {
      var convolution = PixelwiseConvolution(
        layer.taps, layer.activation, w: layer.w, bias: layer.bias, images: range.count, width: width)
      convolution.put(Tensor(shape: [range.count, 17], scalars: x.rows(range).scalars), row: 0, column: 0)
      var y = Tensor(repeating: .nan, shape: [range.count, 17])
      convolution.result(row: 0, column: 0, into: &y)
      return y
    }
    #expect(first(3..<4) == first(0..<images).rows(3..<4))
  }
}
