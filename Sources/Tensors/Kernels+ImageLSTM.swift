import CKernels

/// LSTMs over images. `packed` and `partial` are memory of the calling thread's own, which the other threads share for the length of the
/// call.
extension Kernels {
  /// `fount_image_lstm_forward`.
  /// - Parameters:
  ///   - x: `[batch, height, width, 4 · units]`
  ///   - w: `[taps, units, 4 · units]`
  ///   - y: `[batch, height, width, units]`
  static func imageLSTM(_ path: ImageLSTM.Path, _ x: Tensor, _ w: Tensor, into y: inout Tensor, _ team: ThreadTeam) {
    let layer = unsafe extents(path, x, w, y)
    let (images, gates, count) = (x.shape[0], w.shape[2], packedCount(w))
    unsafe read(x) { x in
      unsafe read(w) { w in
        unsafe write(&y) { y in
          var layer = unsafe layer
          unsafe (layer.x, layer.w, layer.y) = (x, w, y)
          let lent = unsafe Lent((layer: layer, packed: fount_scratch(Int32(fount_scratch_weights), count)))
          team.forEachBlock(of: panels(gates)) { panel in
            var (layer, packed) = unsafe lent.value
            unsafe fount_image_lstm_pack(&layer, packed, panel)
          }
          team.forEachBlock(of: images) { image in
            var (layer, packed) = unsafe lent.value
            unsafe fount_image_lstm_forward(&layer, packed, image)
          }
        }
      }
    }
  }

  /// `fount_image_lstm_backward` and `fount_image_lstm_sum_blocks`.
  static func imageLSTMGradients(
    _ path: ImageLSTM.Path, _ x: Tensor, _ w: Tensor, dy: Tensor, dx: inout Gradient?, dw: inout Gradient, _ team: ThreadTeam
  ) {
    let layer = unsafe extents(path, x, w, dy)
    precondition(dw.tensor.count == w.count && dx.map { $0.tensor.count == x.count } ?? true, "gradients of other shapes")
    let adds = (dx: dx?.adds ?? false, dw: dw.adds)
    let (images, taps, units) = (x.shape[0], w.shape[0], w.shape[1])
    let blocks = min(images, imageBlocks)
    let (count, backCount) = (packedCount(w), panels(units) * taps * 4 * units * Int(fount_panel))
    unsafe read(x) { x in
      unsafe read(w) { w in
        unsafe read(dy) { dy in
          unsafe writeIfAny(&dx) { dx in
            unsafe write(&dw.tensor) { dw in
              var layer = unsafe layer
              unsafe (layer.x, layer.w, layer.dy) = (x, w, dy)
              unsafe (layer.dx, layer.dx_adds, layer.dw, layer.dw_adds) = (dx, adds.dx ? 1 : 0, dw, adds.dw ? 1 : 0)
              guard let packed = unsafe fount_scratch(Int32(fount_scratch_weights), (1 + blocks) * count + backCount) else { return }
              let lent = unsafe Lent((layer: layer, packed: packed, back: packed + count, partial: packed + count + backCount))
              team.forEachBlock(of: panels(4 * units)) { panel in
                var (layer, packed, _, _) = unsafe lent.value
                unsafe fount_image_lstm_pack(&layer, packed, panel)
              }
              team.forEachBlock(of: panels(units)) { panel in
                var (layer, _, back, _) = unsafe lent.value
                unsafe fount_image_lstm_pack_back(&layer, back, panel)
              }
              team.forEachBlock(of: blocks) { block in
                var (layer, packed, back, partial) = unsafe lent.value
                unsafe fount_image_lstm_backward(&layer, packed, back, partial, block, blocks)
              }
              team.forEachBlock(of: panels(4 * units)) { panel in
                var (layer, _, _, partial) = unsafe lent.value
                unsafe fount_image_lstm_sum_blocks(&layer, partial, panel, blocks)
              }
            }
          }
        }
      }
    }
  }

  /// Into how many blocks the images of a batch are cut, each with gradients of its own, as convolutions do. Bits depend on it.
  private static let imageBlocks = 8

  /// What all panels of weights take, and one block's share of their gradient.
  private static func packedCount(_ w: Tensor) -> Int { panels(w.shape[2]) * w.shape[0] * w.shape[1] * Int(fount_panel) }

  private static func extents(_ path: ImageLSTM.Path, _ x: Tensor, _ w: Tensor, _ y: Tensor) -> fount_image_lstm {
    let units = w.shape[1]
    precondition(units > 0 && w.shape == [path.tapCount, units, 4 * units], "weights of shape \(w.shape) over \(path)")
    precondition(x.shape.count == 4 && x.shape[3] == 4 * units, "gates of shape \(x.shape) for \(units) units")
    precondition(y.shape == x.shape.dropLast() + [units], "a result of shape \(y.shape) for gates of \(x.shape)")
    var layer = unsafe fount_image_lstm()
    unsafe (layer.images, layer.height, layer.width) = (x.shape[0], x.shape[1], x.shape[2])
    unsafe (layer.units, layer.taps) = (units, w.shape[0])
    unsafe layer.path =
      switch path {
      case .rows: Int32(fount_rows)
      case .diagonals: Int32(fount_diagonals)
      case .mirroredDiagonals: Int32(fount_mirrored_diagonals)
      }
    return unsafe layer
  }
}
