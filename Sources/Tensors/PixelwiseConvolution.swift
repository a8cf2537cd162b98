/// A causal convolution that is computed at one pixel after another, as sampling learns them: its results are those of `Convolution` over
/// the whole images, to the bit. It keeps the inputs of as many rows as its taps reach over and no results.
///
/// A layer of mask A tells a pixel's result before that pixel is put, one of mask B or of one tap after it.
package struct PixelwiseConvolution: Sendable {
  let taps: Taps
  let activation: Activation
  let images: Int
  let width: Int
  let channels: Int
  let filters: Int
  /// All panels of weights, as the kernels read them.
  let packed: Tensor
  let bias: Tensor?
  /// `[images, rows, columns, channels]`, zeros where no pixel was put.
  private(set) var kept: Tensor

  /// - Parameters:
  ///   - w: `[taps, channels, filters]`
  ///   - bias: `[filters]`
  ///   - width: of the images, which have any height.
  package init(_ taps: Taps, _ activation: Activation = .identity, w: Tensor, bias: Tensor?, images: Int, width: Int) {
    precondition(taps.stride == 1, "a stride of 1, not \(taps.stride)")
    precondition(
      zip(taps.y, taps.x).allSatisfy { (Int($0), Int($1)) <= (taps.border.top, taps.border.left) },
      "a tap looks at a pixel that comes later")
    precondition(images > 0 && width > 0, "\(images) images of width \(width)")
    (self.taps, self.activation, self.images, self.width, self.bias) = (taps, activation, images, width, bias)
    (channels, filters) = (w.shape[1], w.shape[2])
    packed = Kernels.packedWeights(w, taps, bias)
    let reach = taps.x.max().map { Int($0) } ?? 0
    kept = Tensor(repeating: 0, shape: [images, taps.border.top + 1, width + max(reach, taps.border.left), w.shape[1]])
  }

  /// Keeps the inputs of one pixel.
  /// - Parameter x: `[images, channels]`
  package mutating func put(_ x: Tensor, row: Int, column: Int) { Kernels.putPixel(x, row: row, column: column, of: self, into: &kept) }

  /// The result at one pixel, once every pixel before it has been put.
  /// - Parameter y: `[images, filters]`
  package func result(row: Int, column: Int, into y: inout Tensor) { Kernels.pixel(row: row, column: column, of: self, into: &y) }
}
