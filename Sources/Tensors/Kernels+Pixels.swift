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
  static func putPixel(_ x: Tensor, row: Int, column: Int, _ extents: PixelwiseConvolution.Extents, into kept: inout Tensor) {
    precondition(x.shape == [extents.images, extents.channels], "a pixel of shape \(x.shape) for \(extents.kept)")
    var pixels = unsafe layer(extents, kept.shape, row, column)
    unsafe read(x) { x in
      unsafe write(&kept) { kept in
        unsafe pixels.kept = kept
        unsafe fount_pixels_put(&pixels, x, row, column)
      }
    }
  }

  /// `fount_pixels_forward`.
  static func pixel(row: Int, column: Int, of layer: PixelwiseConvolution, into y: inout Tensor) {
    let extents = layer.extents
    precondition(y.shape == [extents.images, extents.filters], "a result of shape \(y.shape) for \(extents.filters) filters")
    var pixels = unsafe Self.layer(extents, layer.kept.shape, row, column)
    unsafe pixels.activation = layer.activation.code
    unsafe read(layer.kept) { kept in
      unsafe read(layer.packed) { packed in
        unsafe readIfAny(layer.bias) { bias in
          unsafe readIfAny(extents.taps.y) { tapY in
            unsafe readIfAny(extents.taps.x) { tapX in
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

  private static func layer(_ extents: PixelwiseConvolution.Extents, _ kept: [Int], _ row: Int, _ column: Int) -> fount_pixelwise {
    precondition(row >= 0 && (0..<extents.width).contains(column), "no pixel at row \(row), column \(column)")
    var pixels = unsafe fount_pixelwise()
    unsafe (pixels.images, pixels.rows, pixels.columns, pixels.channels) = (kept[0], kept[1], kept[2], kept[3])
    unsafe (pixels.filters, pixels.taps) = (extents.filters, extents.taps.count)
    unsafe (pixels.top, pixels.left) = (extents.taps.border.top, extents.taps.border.left)
    return unsafe pixels
  }
}
