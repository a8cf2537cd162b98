import CKernels

/// Convolutions at one pixel after another.
extension Kernels {
  /// `fount_convolution_pack`: all panels of w `[taps, channels, filters]`.
  static func packedWeights(_ w: Tensor, _ taps: Taps, _ bias: Tensor?) -> Tensor {
    precondition(w.shape.count == 3 && w.shape[0] == taps.count && w.count > 0, "weights of shape \(w.shape) for \(taps.count) taps")
    precondition(bias.map { $0.count == w.shape[2] } ?? true, "a bias of \(w.shape[2]), not \(String(describing: bias?.shape))")
    let filters = w.shape[2]
    var layer = unsafe fount_convolution()
    unsafe (layer.taps, layer.channels, layer.filters) = (w.shape[0], w.shape[1], filters)
    var packed = Tensor(repeating: 0, shape: [panels(filters), w.shape[0] * w.shape[1], Int(fount_panel)])
    unsafe read(w) { w in
      unsafe write(&packed) { packed in
        unsafe layer.w = w
        for panel in 0..<panels(filters) { unsafe fount_convolution_pack(&layer, packed, panel) }
      }
    }
    return packed
  }

  /// `fount_pixels_put`.
  static func putPixel(_ x: Tensor, row: Int, column: Int, of layer: PixelwiseConvolution, into kept: inout Tensor) {
    precondition(x.shape == [layer.images, layer.channels], "a pixel of shape \(x.shape), not \([layer.images, layer.channels])")
    check(row, column, layer)
    var pixels = unsafe extents(layer, kept.shape)
    unsafe read(x) { x in
      unsafe write(&kept) { kept in
        unsafe pixels.kept = kept
        unsafe fount_pixels_put(&pixels, x, row, column)
      }
    }
  }

  /// `fount_pixels_forward`.
  static func pixel(row: Int, column: Int, of layer: PixelwiseConvolution, into y: inout Tensor) {
    precondition(y.shape == [layer.images, layer.filters], "a result of shape \(y.shape), not \([layer.images, layer.filters])")
    check(row, column, layer)
    var pixels = unsafe extents(layer, layer.kept.shape)
    unsafe read(layer.kept) { kept in
      unsafe read(layer.packed) { packed in
        unsafe readIfAny(layer.bias) { bias in
          unsafe readIfAny(layer.taps.y) { tapY in
            unsafe readIfAny(layer.taps.x) { tapX in
              unsafe write(&y) { y in
                unsafe (pixels.tap_y, pixels.tap_x, pixels.packed, pixels.bias) = (tapY, tapX, packed, bias)
                // What is kept is only read.
                unsafe pixels.kept = UnsafeMutablePointer(mutating: kept)
                unsafe fount_pixels_forward(&pixels, y, row, column)
              }
            }
          }
        }
      }
    }
  }

  private static func check(_ row: Int, _ column: Int, _ layer: PixelwiseConvolution) {
    precondition(row >= 0 && (0..<layer.width).contains(column), "no pixel at row \(row), column \(column)")
  }

  private static func extents(_ layer: PixelwiseConvolution, _ kept: [Int]) -> fount_pixels {
    var pixels = unsafe fount_pixels()
    unsafe (pixels.images, pixels.rows, pixels.columns, pixels.channels) = (kept[0], kept[1], kept[2], kept[3])
    unsafe (pixels.filters, pixels.taps, pixels.activation) = (layer.filters, layer.taps.count, layer.activation.code)
    unsafe (pixels.top, pixels.left) = (layer.taps.border.top, layer.taps.border.left)
    return unsafe pixels
  }
}
