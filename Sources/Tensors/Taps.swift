/// Where a convolution looks: a kernel's extents, what a mask leaves alive of it, its stride, and the zeros around an image.
///
/// Dead taps do not exist: weights are `[taps, channels, filters]`, the live taps in raster order.
package struct Taps: Sendable, Hashable {
  /// Which taps an autoregressive mask leaves alive (van den Oord et al. 2016, §3.4), in raster order.
  package enum Mask: Sendable, Hashable {
    case none
    /// A: those before the centre.
    case beforeCentre
    /// B: those before it, and the centre.
    case upToCentre
  }

  /// Rows and columns of zeros around an image.
  package struct Border: Sendable, Hashable {
    package let top, left, bottom, right: Int

    package init(top: Int = 0, left: Int = 0, bottom: Int = 0, right: Int = 0) {
      precondition(min(top, left, bottom, right) >= 0, "a border of zeros is not negative")
      (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }

    package init(all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
  }

  package let height: Int
  package let width: Int
  package let stride: Int
  package let border: Border
  /// The live taps' rows and columns in the kernel, from 0.
  package let y: [Int32]
  package let x: [Int32]

  package init(height: Int, width: Int, stride: Int = 1, border: Border = Border(), mask: Mask = .none) {
    precondition(height > 0 && width > 0 && stride > 0, "a kernel of \(height) by \(width), stride \(stride)")
    precondition(height <= Self.countMax && width <= Self.countMax && height * width <= Self.countMax, "more than \(Self.countMax) taps")
    (self.height, self.width, self.stride, self.border) = (height, width, stride, border)
    let centre = height / 2 * width + width / 2
    let live = (0..<height * width).filter {
      switch mask {
      case .none: true
      case .beforeCentre: $0 < centre
      case .upToCentre: $0 <= centre
      }
    }
    precondition(!live.isEmpty, "a mask that leaves no tap alive")
    y = live.map { Int32($0 / width) }
    x = live.map { Int32($0 % width) }
  }

  /// A kernel of which these places are alive, in raster order.
  package init(height: Int, width: Int, border: Border, live: [(y: Int, x: Int)]) {
    precondition(!live.isEmpty && height * width <= Self.countMax, "\(live.count) taps of \(height) by \(width)")
    precondition(live.allSatisfy { (0..<height).contains($0.y) && (0..<width).contains($0.x) }, "a tap outside \(height) by \(width)")
    precondition(zip(live, live.dropFirst()).allSatisfy { $0 < $1 }, "taps in another order than raster: \(live)")
    (self.height, self.width, self.border) = (height, width, border)
    stride = 1
    y = live.map { Int32($0.y) }
    x = live.map { Int32($0.x) }
  }

  /// A kernel of odd extents whose result is as large as its image.
  package static func causal(height: Int, width: Int, _ mask: Mask) -> Taps {
    let border = Border(top: height / 2, left: width / 2, bottom: height / 2, right: width / 2)
    return Taps(height: height, width: width, border: border, mask: mask)
  }

  /// What the kernels in C have room for.
  static let countMax = 1024

  package var count: Int { y.count }

  /// The shape of what convolving an image gives, without its channels.
  func result(height imageHeight: Int, width imageWidth: Int) -> (height: Int, width: Int) {
    let (rows, columns) = (imageHeight + border.top + border.bottom - height, imageWidth + border.left + border.right - width)
    precondition(rows >= 0 && columns >= 0, "an image of \(imageHeight) by \(imageWidth) under a kernel of \(height) by \(width)")
    return (rows / stride + 1, columns / stride + 1)
  }

  /// The smallest image that convolving gives the shape of: what the transposed convolution makes.
  func image(ofResult resultHeight: Int, _ resultWidth: Int) -> (height: Int, width: Int) {
    let rows = (resultHeight - 1) * stride + height - border.top - border.bottom
    let columns = (resultWidth - 1) * stride + width - border.left - border.right
    precondition(rows > 0 && columns > 0, "no image gives \(resultHeight) by \(resultWidth)")
    return (rows, columns)
  }
}
