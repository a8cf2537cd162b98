import Tensors

/// A network that tells features for every pixel of an image, each from what comes before it alone: the pixels before in raster order and,
/// where the channels of a pixel come one after the other, those before the feature's own colour.
protocol PixelNetwork: Sendable {
  /// How many features a pixel has.
  var featureCount: Int { get }

  /// - Parameter x: `[batch, height, width, channels]`, 0…1.
  /// - Returns: `[batch, height, width, featureCount]`.
  func features(of x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable

  /// The same for images that come pixel by pixel.
  func walk(_ weights: [Tensor], images: Int, width: Int) -> any PixelWalk
}

/// A network on its way through images whose pixels come to be known one after the other: each hidden unit is computed once, and what it
/// gives is, to the bit, what it gives for the whole image.
protocol PixelWalk {
  /// Called before the first pixel of a row, once the row before is known.
  mutating func begin(row: Int)

  /// `[images, featureCount]` at the pixel that comes next. Where colours come one after the other it is asked for once a colour.
  mutating func features(row: Int, column: Int) -> Tensor

  /// The pixel, or as much of it as is known: `[images, channels]`, 0 for what is not.
  mutating func put(_ x: Tensor, row: Int, column: Int)
}

extension PixelWalk {
  mutating func begin(row: Int) {}
}
