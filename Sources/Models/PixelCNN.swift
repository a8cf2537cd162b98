import JSON
import Tensors

/// PixelCNN: an image's pixels in raster order, each told by masked convolutions over those before it.
/// van den Oord, Kalchbrenner & Kavukcuoglu, Pixel Recurrent Neural Networks, ICML 2016 (arXiv:1601.06759), §3.3 to §3.5 and Table 1.
///
/// | paper  | here                     | shape                   | role                                                        |
/// |--------|--------------------------|-------------------------|-------------------------------------------------------------|
/// | h      | `channels`               |                         | features of a block's inside; the way past it has 2h        |
/// | mask A | `.before`                |                         | of the first layer: its own pixel is not seen               |
/// | mask B | `.upTo`                  |                         | of all others                                               |
/// |        | `first`                  | [24, channels, 2h]      | 7x7; 25 taps where the channels of a pixel follow each other |
/// |        | `narrows`                | [1, 2h, h]              | 1x1, of a residual block (Figure 5, left)                   |
/// |        | `middle`                 | [5, h, h]               | 3x3                                                         |
/// |        | `widens`                 | [1, h, 2h]              | 1x1                                                         |
///
/// Differs from the paper: rectifiers stand before a block's layers as its figure has them, and nothing is said there of weights at the
/// start, which are those of Glorot & Bengio 2010.
struct PixelCNN: PixelNetwork {
  private struct Block: Sendable {
    let narrows: PixelConvolution
    let middle: PixelConvolution
    let widens: PixelConvolution
  }

  private let first: PixelConvolution
  private let blocks: [Block]
  let featureCount: Int

  init(_ configuration: Configuration, channels: Int, colours: Int, in parameters: inout Parameters, seed: UInt64) {
    let h = configuration.integer("channels")
    func layer(_ name: String, side: Int = 1, from: Int, to: Int, sees: PixelConvolution.Sight = .upTo) -> PixelConvolution {
      PixelConvolution(
        name, height: side, width: side, from: from, to: to, sees: sees, colours: colours, in: &parameters, seed: seed)
    }
    featureCount = 2 * h
    first = layer("first", side: 7, from: channels, to: 2 * h, sees: .before)
    blocks = (0..<configuration.integer("blocks")).map { number in
      Block(
        narrows: layer("block.\(number).0", from: 2 * h, to: h), middle: layer("block.\(number).1", side: 3, from: h, to: h),
        widens: layer("block.\(number).2", from: h, to: 2 * h))
    }
  }
}

// MARK: The equations

extension PixelCNN {
  func features(of x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var h = first.apply(to: x, weights, on: &tape)
    for block in blocks {
      var inside = tape.apply(Activate(.relu), [h])
      inside = block.narrows.apply(.relu, to: inside, weights, on: &tape)
      inside = block.middle.apply(.relu, to: inside, weights, on: &tape)
      h = tape.apply(Add(), [h, block.widens.apply(to: inside, weights, on: &tape)])
    }
    return h
  }

  func walk(_ weights: [Tensor], images: Int, width: Int) -> any PixelWalk {
    func step(_ layer: PixelConvolution, _ activation: Activation) -> PixelStep {
      layer.stepwise(activation, weights, images: images, width: width)
    }
    return Walk(
      first: step(first, .identity),
      blocks: blocks.map { [step($0.narrows, .relu), step($0.middle, .relu), step($0.widens, .identity)] },
      inside: Tensor(repeating: 0, shape: [images, featureCount]))
  }

  private struct Walk: PixelWalk {
    var first: PixelStep
    var blocks: [[PixelStep]]
    var inside: Tensor

    mutating func features(row: Int, column: Int) -> Tensor {
      var h = first.result(row: row, column: column)
      for block in blocks.indices {
        Activate(.relu).forward([h], into: &inside, .alone)
        var added = inside
        for layer in blocks[block].indices { added = blocks[block][layer].next(added, row: row, column: column) }
        let before = h
        Add().forward([before, added], into: &h, .alone)
      }
      return h
    }

    mutating func put(_ x: Tensor, row: Int, column: Int) { first.put(x, row: row, column: column) }
  }
}

// MARK: The registry row

extension ModelFamily {
  package static let pixelCNN = ModelFamily(
    name: "pixelcnn", title: "PixelCNN",
    summary: "Masked convolutions over an image's pixels: each is told by those before it in raster order, so that likelihoods are exact.",
    paper: "van den Oord, Kalchbrenner, Kavukcuoglu: Pixel Recurrent Neural Networks, ICML 2016, arXiv:1601.06759",
    taxonomy: ["explicit", "tractable"], abilities: ["score"],
    likelihood: .init(
      .exact, "Exact: each pixel is told given those before it, as far as the convolutions reach."),
    sampling: "Pixel by pixel in reading order, each drawn given those before it.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "channels", .integer(1...512), defaultValue: 32, "h: features inside a residual block; the way past it has twice as many.",
          source: "a quarter of the paper's 128 for CIFAR-10, so that an epoch takes minutes on two cores"),
        .init(
          "blocks", .integer(0...64), defaultValue: 6, "How many residual blocks, or gated layers after the first.",
          source: "chosen; the paper has 15 for CIFAR-10"),
        .init(
          "head_channels", .integer(1...2048), defaultValue: 32, "Features of the last hidden layer, 1x1.",
          source: "§4: 32 for MNIST, 1024 for CIFAR-10"),
        .init(
          "gated", .boolean, defaultValue: false,
          "Two stacks of gated convolutions, which see all that comes before a pixel; channels are then the features of each.",
          source: "van den Oord et al., Conditional Image Generation with PixelCNN Decoders, NIPS 2016, arXiv:1606.05328"),
      ] + PixelOutput.fields,
      presets: [
        .init("small", "Learns 28x28 bits in minutes on two cores.", ["channels": 16, "blocks": 4]),
        .init("paper", "The paper's network for CIFAR-10 (Table 1).", ["channels": 128, "blocks": 15, "head_channels": 1024]),
      ]),
    refusal: { configuration, input in PixelModel.refusal(configuration, input, title: "PixelCNN") },
    make: { configuration, input, optimizer, seed, team in
      guard let image = input.imageShape else { preconditionFailure("refused: \(input)") }
      return PixelModel(configuration, image, optimizer: optimizer, seed: seed, team: team) { colours, parameters in
        if configuration.boolean("gated") {
          return GatedPixelCNN(configuration, channels: image.channels, colours: colours, in: &parameters, seed: seed)
        }
        return PixelCNN(configuration, channels: image.channels, colours: colours, in: &parameters, seed: seed)
      }
    })
}
