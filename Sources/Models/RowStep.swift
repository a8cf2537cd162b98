import Tensors

/// A layer of a network that goes from row to row: its result for a row sees that many rows, the last ones that were put, to both sides.
struct RowStep: Sendable {
  private let taps: Taps
  private let w: Tensor
  private let b: Tensor
  /// `[images, rows, width, channels]`: the rows that the next result sees; zeros above the image.
  private var band: Tensor
  /// `[images, 1, width, filters]`
  private var y: Tensor

  /// - Parameter taps: the layer's over whole images; every row of live ones is whole.
  init(_ taps: Taps, _ w: Tensor, _ b: Tensor, images: Int, width: Int) {
    let rows = (taps.y.max().map { Int($0) } ?? 0) + 1
    precondition(taps.count == rows * taps.width, "taps that are no whole rows: \(taps)")
    self.taps = Taps(height: rows, width: taps.width, border: .init(left: taps.border.left, right: taps.border.right))
    (self.w, self.b) = (w, b)
    band = Tensor(repeating: 0, shape: [images, rows, width, w.shape[1]])
    y = Tensor(repeating: 0, shape: [images, 1, width, w.shape[2]])
  }

  /// The result for the next row.
  /// - Parameter row: the last row that it sees, `[images, 1, width, channels]`; nil for a row of zeros above the image.
  /// - Returns: `[images, 1, width, filters]`.
  mutating func next(_ row: Tensor?) -> Tensor {
    if let row {
      let scalars = (0..<band.rows).flatMap { Array(band.row($0).dropFirst(row.columns)) + row.row($0) }
      band = Tensor(shape: band.shape, scalars: scalars)
    }
    Convolution(taps).forward([band, w, b], into: &y, .alone)
    return y
  }

  /// One pixel of the last result, `[images, filters]`.
  func pixel(_ column: Int) -> Tensor {
    let filters = y.shape[3]
    let scalars = (0..<y.rows).flatMap { y.row($0).dropFirst(column * filters).prefix(filters) }
    return Tensor(shape: [y.rows, filters], scalars: scalars)
  }

  /// Pixels `[images, channels]` as a row of images, `[images, 1, width, channels]`.
  static func row(of pixels: [Tensor]) -> Tensor {
    let (images, channels) = (pixels[0].rows, pixels[0].columns)
    let scalars = (0..<images).flatMap { image in pixels.flatMap { $0.row(image) } }
    return Tensor(shape: [images, 1, pixels.count, channels], scalars: scalars)
  }
}
