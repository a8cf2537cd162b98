import Tensors

/// The gated PixelCNN: two stacks of convolutions instead of one, which together see all that comes before a pixel.
/// van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves & Kavukcuoglu, Conditional Image Generation with PixelCNN Decoders, NIPS 2016
/// (arXiv:1606.05328), §2.2, §2.3 and Figure 2.
///
/// | paper                | here         | shape          | role                                                                       |
/// |----------------------|--------------|----------------|----------------------------------------------------------------------------|
/// | p                    | `channels`   |                | features of each stack                                                     |
/// | vertical stack       | `v`          | [.., p]        | sees the rows above, to both sides                                         |
/// | horizontal stack     | `h`          | [.., p]        | sees its own row as far as it has come, and the vertical stack             |
/// | n x n                | `vertical`   | [taps, p, 2p]  | 3x7 of the rows above in the first layer, then 2x3 up to the row itself    |
/// | 1 x n                | `horizontal` | [taps, p, 2p]  | 1x7 of mask A in the first layer, then 1x3 of mask B                       |
/// | 1x1 between them     | `link`       | [1, 2p, 2p]    | from the vertical stack's sums, before their gates                         |
/// | 1x1                  | `out`        | [1, p, p]      | what a layer adds to the horizontal stack                                  |
///
/// Differs from the paper: its models of small images are not told in detail; kernels are 7 wide in the first layer and 3 in the others
/// (it has 5 on ImageNet), and nothing conditions the gates. The first layer adds to nothing, as the image is no feature.
struct GatedPixelCNN: PixelNetwork {
  private struct Layer: Sendable {
    let vertical: PixelConvolution
    let horizontal: PixelConvolution
    let link: PixelConvolution
    let out: PixelConvolution
  }

  private let layers: [Layer]
  let featureCount: Int

  init(_ configuration: Configuration, channels: Int, colours: Int, in parameters: inout Parameters, seed: UInt64) {
    let p = configuration.integer("channels")
    featureCount = p
    layers = (0...configuration.integer("blocks")).map { number in
      let (isFirst, from) = (number == 0, number == 0 ? channels : p)
      let name = "layer.\(number)."
      return Layer(
        vertical: PixelConvolution(
          name + "vertical", isFirst ? .rows(3, width: 7, above: true) : .rows(2, width: 3), from: from, to: 2 * p, in: &parameters,
          seed: seed),
        horizontal: PixelConvolution(
          name + "horizontal", width: isFirst ? 7 : 3, from: from, to: 2 * p, sees: isFirst ? .before : .upTo, parts: 2, colours: colours,
          in: &parameters, seed: seed),
        link: PixelConvolution(name + "link", .rows(1, width: 1), from: 2 * p, to: 2 * p, in: &parameters, seed: seed),
        out: PixelConvolution(name + "out", from: p, to: p, colours: colours, in: &parameters, seed: seed))
    }
  }
}

// MARK: The equations

extension GatedPixelCNN {
  func features(of x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var (v, h) = (x, x)
    for (number, layer) in layers.enumerated() {
      let down = layer.vertical.apply(to: v, weights, on: &tape)
      let across = layer.horizontal.apply(to: h, weights, on: &tape)
      let sums = tape.apply(Add(), [across, layer.link.apply(to: down, weights, on: &tape)])
      let added = layer.out.apply(to: tape.apply(GatedUnit(), [sums]), weights, on: &tape)
      h = number == 0 ? added : tape.apply(Add(), [h, added])
      // Nobody looks at the last layer's.
      if number + 1 < layers.count { v = tape.apply(GatedUnit(), [down]) }
    }
    return h
  }

  /// The vertical stack goes row by row, once the row above is known; the horizontal stack pixel by pixel.
  func walk(_ weights: [Tensor], images: Int, width: Int) -> any PixelWalk {
    Walk(
      layers: layers.map { layer in
        Walk.Layer(
          vertical: layer.vertical.rowwise(weights, images: images, width: width),
          link: layer.link.rowwise(weights, images: images, width: width),
          horizontal: layer.horizontal.stepwise(.identity, weights, images: images, width: width),
          out: layer.out.stepwise(.identity, weights, images: images, width: width))
      },
      gated: Tensor(repeating: 0, shape: [images, featureCount]),
      gatedRow: Tensor(repeating: 0, shape: [images, 1, width, featureCount]))
  }

  private struct Walk: PixelWalk {
    struct Layer {
      var vertical: RowStep
      var link: RowStep
      var horizontal: PixelStep
      var out: PixelStep
    }

    var layers: [Layer]
    var gated: Tensor
    var gatedRow: Tensor
    /// The image's row, as far as it has come.
    var pixels: [Tensor] = []

    mutating func begin(row: Int) {
      var seen = row > 0 ? RowStep.row(of: pixels) : nil
      pixels = []
      for number in layers.indices {
        let down = layers[number].vertical.next(seen)
        _ = layers[number].link.next(down)
        GatedUnit().forward([down], into: &gatedRow, .alone)
        seen = gatedRow
      }
    }

    mutating func features(row: Int, column: Int) -> Tensor {
      var h = gated
      for number in layers.indices {
        let across =
          number == 0
          ? layers[number].horizontal.result(row: row, column: column)
          : layers[number].horizontal.next(h, row: row, column: column)
        var sums = across
        Add().forward([across, layers[number].link.pixel(column)], into: &sums, .alone)
        GatedUnit().forward([sums], into: &gated, .alone)
        let added = layers[number].out.next(gated, row: row, column: column)
        let before = h
        if number == 0 { h = added } else { Add().forward([before, added], into: &h, .alone) }
      }
      return h
    }

    mutating func put(_ x: Tensor, row: Int, column: Int) {
      layers[0].horizontal.put(x, row: row, column: column)
      if pixels.count > column { pixels[column] = x } else { pixels.append(x) }
    }
  }
}

extension Taps {
  /// Whole rows of taps, up to the result's own row or to the one above it, as far to the left as to the right.
  fileprivate static func rows(_ count: Int, width: Int, above: Bool = false) -> Taps {
    let top = above ? count : count - 1
    let live = (0..<count).flatMap { y in (0..<width).map { x in (y: y, x: x) } }
    return Taps(height: top + 1, width: width, border: .init(top: top, left: width / 2, right: width / 2), live: live)
  }
}
