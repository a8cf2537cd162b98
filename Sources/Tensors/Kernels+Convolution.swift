import CKernels

/// Convolutions. `packed` and `partial` are memory of the calling thread's own, which the other threads share for the length of the call.
extension Kernels {
  /// `fount_convolution_forward`: y = f(x ∗ w + bias), or that added to y where there is no f.
  /// - Parameters:
  ///   - x: `[batch, height, width, channels]`
  ///   - w: `[taps, channels, filters]`
  ///   - bias: `[filters]`
  ///   - y: `[batch, height, width, filters]`
  static func convolution(
    _ x: Tensor, _ w: Tensor, _ bias: Tensor?, _ taps: Taps, _ activation: Activation, into y: inout Tensor, adds: Bool = false,
    _ team: ThreadTeam
  ) {
    check(image: x.shape, result: y.shape, taps)
    let (images, channels, filters) = (x.shape[0], x.shape[3], y.shape[3])
    precondition(w.shape == [taps.count, channels, filters], "weights of shape \(w.shape), not \([taps.count, channels, filters])")
    precondition(bias.map { $0.count == filters } ?? true, "a bias of \(filters), not \(String(describing: bias?.shape))")
    precondition(!adds || activation == .identity, "a sum of activations is not this function's")
    let layer = unsafe extents(image: x.shape, result: y.shape, taps)
    unsafe read(x) { x in
      unsafe read(w) { w in
        unsafe readIfAny(bias) { bias in
          unsafe lend(taps) { tapY, tapX in
            unsafe write(&y) { y in
              var layer = unsafe layer
              unsafe (layer.tap_y, layer.tap_x, layer.x, layer.w, layer.bias) = (tapY, tapX, x, w, bias)
              unsafe (layer.y, layer.y_adds, layer.activation) = (y, adds ? 1 : 0, activation.code)
              let packed = unsafe scratch(panels(filters) * taps.count * channels * Int(fount_panel))
              let lent = unsafe Lent((layer: layer, packed: packed))
              team.forEachBlock(of: panels(filters)) { panel in
                var (layer, packed) = unsafe lent.value
                unsafe fount_convolution_pack(&layer, packed, panel)
              }
              team.forEachBlock(of: images) { image in
                var (layer, packed) = unsafe lent.value
                unsafe fount_convolution_forward(&layer, packed, image)
              }
            }
          }
        }
      }
    }
  }

  /// `fount_convolution_data_gradient`: dx from dy, or the transposed convolution f(dx + bias).
  /// - Parameters:
  ///   - dy: `[batch, height, width, filters]`
  ///   - w: `[taps, channels, filters]`
  ///   - bias: `[channels]`
  ///   - dx: `[batch, height, width, channels]`
  static func convolutionDataGradient(
    _ dy: Tensor, _ w: Tensor, _ bias: Tensor?, _ taps: Taps, _ activation: Activation, into dx: inout Tensor, adds: Bool,
    _ team: ThreadTeam
  ) {
    check(image: dx.shape, result: dy.shape, taps)
    let (images, channels, filters) = (dx.shape[0], dx.shape[3], dy.shape[3])
    precondition(w.shape == [taps.count, channels, filters], "weights of shape \(w.shape), not \([taps.count, channels, filters])")
    precondition(bias.map { $0.count == channels } ?? true, "a bias of \(channels), not \(String(describing: bias?.shape))")
    precondition(!adds || activation == .identity, "a sum of activations is not this function's")
    let layer = unsafe extents(image: dx.shape, result: dy.shape, taps)
    unsafe read(dy) { dy in
      unsafe read(w) { w in
        unsafe readIfAny(bias) { bias in
          unsafe lend(taps) { tapY, tapX in
            unsafe write(&dx) { dx in
              var layer = unsafe layer
              unsafe (layer.tap_y, layer.tap_x, layer.dy, layer.w, layer.bias) = (tapY, tapX, dy, w, bias)
              unsafe (layer.dx, layer.dx_adds, layer.activation) = (dx, adds ? 1 : 0, activation.code)
              let packed = unsafe scratch(panels(channels) * taps.count * filters * Int(fount_panel))
              let lent = unsafe Lent((layer: layer, packed: packed))
              team.forEachBlock(of: unsafe fount_convolution_transposed_panels(&layer)) { panel in
                var (layer, packed) = unsafe lent.value
                unsafe fount_convolution_pack_transposed(&layer, packed, panel)
              }
              team.forEachBlock(of: images) { image in
                var (layer, packed) = unsafe lent.value
                unsafe fount_convolution_data_gradient(&layer, packed, image)
              }
            }
          }
        }
      }
    }
  }

  /// `fount_convolution_weight_gradient` and `fount_convolution_sum_blocks`: the gradients that are wanted.
  static func convolutionWeightGradient(
    _ x: Tensor, dy: Tensor, _ taps: Taps, dw: inout Gradient?, dbias: inout Gradient?, _ team: ThreadTeam
  ) {
    guard dw != nil || dbias != nil else { return }
    check(image: x.shape, result: dy.shape, taps)
    let (images, channels, filters) = (x.shape[0], x.shape[3], dy.shape[3])
    precondition(dw.map { $0.tensor.shape == [taps.count, channels, filters] } ?? true, "a gradient of another shape than the weights")
    precondition(dbias.map { $0.tensor.count == filters } ?? true, "a gradient of another shape than the bias")
    let adds = (dw: dw?.adds ?? false, dbias: dbias?.adds ?? false)
    let layer = unsafe extents(image: x.shape, result: dy.shape, taps)
    let blocks = min(images, weightGradientBlocks)
    unsafe read(x) { x in
      unsafe read(dy) { dy in
        unsafe lend(taps) { tapY, tapX in
          unsafe writeIfAny(&dw) { dw in
            unsafe writeIfAny(&dbias) { dbias in
              var layer = unsafe layer
              unsafe (layer.tap_y, layer.tap_x, layer.x, layer.dy) = (tapY, tapX, x, dy)
              unsafe (layer.dw, layer.dw_adds, layer.dbias, layer.dbias_adds) = (dw, adds.dw ? 1 : 0, dbias, adds.dbias ? 1 : 0)
              let count = wholePanels(filters) * (taps.count * channels + 1)
              let partial = unsafe scratch(blocks * count)
              let lent = unsafe Lent((layer: layer, partial: partial))
              team.forEachBlock(of: blocks) { block in
                var (layer, partial) = unsafe lent.value
                unsafe fount_convolution_weight_gradient(&layer, partial, block, blocks)
              }
              team.forEachBlock(of: panels(filters)) { panel in
                var (layer, partial) = unsafe lent.value
                unsafe fount_convolution_sum_blocks(&layer, partial, count, panel, blocks)
              }
            }
          }
        }
      }
    }
  }

  /// How many blocks the images of a batch are cut into, each with gradients of its own: enough for the threads of a machine, few enough
  /// that adding them up costs little. Bits depend on it.
  static let weightGradientBlocks = 8

  static func check(image: [Int], result: [Int], _ taps: Taps) {
    precondition(image.count == 4 && result.count == 4 && image[0] == result[0], "no convolution of \(image) to \(result)")
    let extents = taps.result(height: image[1], width: image[2])
    precondition([extents.height, extents.width] == Array(result[1...2]), "\(image) gives \(extents), not \(result)")
    precondition(image[3] > 0 && result[3] > 0, "an image has channels, not shape \(image) or \(result)")
  }

  static func extents(image: [Int], result: [Int], _ taps: Taps) -> fount_convolution {
    var layer = unsafe fount_convolution()
    unsafe (layer.images, layer.height, layer.width, layer.channels) = (image[0], image[1], image[2], image[3])
    unsafe (layer.y_height, layer.y_width, layer.filters) = (result[1], result[2], result[3])
    unsafe (layer.stride, layer.top, layer.left, layer.taps) = (taps.stride, taps.border.top, taps.border.left, taps.count)
    return unsafe layer
  }

  static func lend(_ taps: Taps, _ body: (UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Void) {
    unsafe readIfAny(taps.y) { y in unsafe readIfAny(taps.x) { x in unsafe body(y, x) } }
  }

  /// `fount_scratch`, the slot for what a call shares between its threads.
  static func scratch(_ count: Int) -> UnsafeMutablePointer<Float>? {
    unsafe fount_scratch(Int32(fount_scratch_weights), count)
  }

  /// The sum over all axes but the last, by `fount_dense_weight_gradient`'s bias.
  package static func sumOfRows(_ x: Tensor, into y: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    let columns = y.count
    precondition(columns > 0 && x.count % columns == 0 && x.shape.last == columns, "\(x.shape) has no rows of \(columns)")
    let rows = x.count / columns
    unsafe read(x) { x in
      unsafe write(&y) { y in
        var layer = unsafe fount_dense()
        unsafe (layer.batch, layer.inputs, layer.outputs) = (rows, 0, columns)
        unsafe (layer.dy, layer.dbias, layer.dbias_adds) = (x, y, adds ? 1 : 0)
        let lent = unsafe Lent(layer)
        team.forEachBlock(of: panels(columns)) { panel in
          var layer = unsafe lent.value
          unsafe fount_dense_weight_gradient(&layer, panel)
        }
      }
    }
  }
}
