import Tensors

/// A convolution over images in raster order whose results see no pixel that comes later, and of their own pixel what their colour may see.
///
/// Where the channels of a pixel come one after the other (van den Oord et al. 2016, §3.4), features belong to colours: the first third to
/// red, the next to green, the last to blue.
struct PixelConvolution: Sendable {
  /// What a result may see of its own pixel.
  enum Sight: Sendable {
    /// Mask A: the colours before its own; with a single colour nothing.
    case before
    /// Mask B: its own colour, too.
    case upTo
  }

  private let W: Int
  private let b: Int
  private let taps: Taps
  /// `[taps, channels, filters]`, 1 where a filter sees a channel, 0 where not; nil where all see all.
  private let mask: Tensor?

  /// Adds the layer's weights to `parameters`; uniform at the start, within the bound of Glorot & Bengio 2010, eq. 16.
  /// - Parameter parts: into how many parts of all colours the filters are cut: 2 where a gate reads them, 4 where an LSTM does.
  init(
    _ name: String, height: Int = 1, width: Int = 1, from channels: Int, to filters: Int, sees sight: Sight = .upTo, parts: Int = 1,
    colours: Int, in parameters: inout Parameters, seed: UInt64
  ) {
    let isMasked = colours > 1
    let taps = Taps.causal(height: height, width: width, sight == .before && !isMasked ? .beforeCentre : .upToCentre)
    let mask = isMasked ? Self.mask(taps, channels, filters, sight, parts: parts, colours: colours) : nil
    self.init(name, taps, from: channels, to: filters, mask: mask, in: &parameters, seed: seed)
  }

  /// A layer that sees pixels before its own alone, or whole rows, so that nothing is masked.
  init(_ name: String, _ taps: Taps, from channels: Int, to filters: Int, in parameters: inout Parameters, seed: UInt64) {
    self.init(name, taps, from: channels, to: filters, mask: nil, in: &parameters, seed: seed)
  }

  private init(
    _ name: String, _ taps: Taps, from channels: Int, to filters: Int, mask: Tensor?, in parameters: inout Parameters, seed: UInt64
  ) {
    let bound = (6 / Float(taps.count * (channels + filters))).squareRoot()
    let start = Tensor(
      uniformIn: -bound..<bound, shape: [taps.count, channels, filters], .initialization, index: parameters.all.count,
      using: Philox(seed: seed))
    W = parameters.add(name + ".weight", mask.map { Self.product(start, $0) } ?? start, decays: true)
    b = parameters.add(name + ".bias", Tensor(repeating: 0, shape: [filters]), decays: false)
    self.taps = taps
    self.mask = mask
  }

  /// The centre is the last live tap; all others see whole pixels.
  private static func mask(_ taps: Taps, _ channels: Int, _ filters: Int, _ sight: Sight, parts: Int, colours: Int) -> Tensor {
    let part = filters / parts
    precondition(part * parts == filters, "\(filters) filters in \(parts) parts")
    let centre = (0..<channels).flatMap { channel in
      (0..<filters).map { filter -> Float in
        let (from, to) = (channel * colours / channels, filter % part * colours / part)
        return from < to || from == to && sight == .upTo ? 1 : 0
      }
    }
    let others = [Float](repeating: 1, count: (taps.count - 1) * channels * filters)
    return Tensor(shape: [taps.count, channels, filters], scalars: others + centre)
  }

  private static func product(_ a: Tensor, _ b: Tensor) -> Tensor { Tensor(shape: a.shape, scalars: zip(a.scalars, b.scalars).map(*)) }

  /// `[batch, height, width, channels]` to `[batch, height, width, filters]`.
  func apply(
    _ activation: Activation = .identity, to x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape
  ) -> Tape.Variable {
    var w = weights[W]
    if let mask { w = tape.apply(Multiply(), [w, tape.constant(mask)]) }
    return tape.apply(Convolution(taps, activation), [x, w, weights[b]])
  }

  /// The same layer at one pixel after another.
  func stepwise(_ activation: Activation, _ weights: [Tensor], images: Int, width: Int) -> PixelStep {
    let w = mask.map { Self.product(weights[W], $0) } ?? weights[W]
    let convolution = PixelwiseConvolution(taps, activation, w: w, bias: weights[b], images: images, width: width)
    return PixelStep(convolution, images: images, filters: w.shape[2])
  }
}

extension PixelConvolution {
  /// The same layer at one row after another, where it sees rows as far to the left as to the right.
  func rowwise(_ weights: [Tensor], images: Int, width: Int) -> RowStep {
    RowStep(taps, weights[W], weights[b], images: images, width: width)
  }
}

/// A layer of a network that goes from pixel to pixel.
struct PixelStep: Sendable {
  private var convolution: PixelwiseConvolution
  private var y: Tensor

  fileprivate init(_ convolution: PixelwiseConvolution, images: Int, filters: Int) {
    self.convolution = convolution
    y = Tensor(repeating: 0, shape: [images, filters])
  }

  mutating func put(_ x: Tensor, row: Int, column: Int) { convolution.put(x, row: row, column: column) }

  /// `[images, filters]` at a pixel, from what has been put.
  mutating func result(row: Int, column: Int) -> Tensor {
    convolution.result(row: row, column: column, into: &y)
    return y
  }

  /// The same for a layer that sees the pixel itself, `[images, channels]`.
  mutating func next(_ x: Tensor, row: Int, column: Int) -> Tensor {
    put(x, row: row, column: column)
    return result(row: row, column: column)
  }
}
