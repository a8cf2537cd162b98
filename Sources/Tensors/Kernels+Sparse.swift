import CKernels

/// Products with inputs of which many are 0, as bits are.
extension Kernels {
  /// Where the bits of a drawing come from.
  package struct Draw: Sendable {
    let stream: Philox.Stream
    let step: Int
    let examples: [UInt32]
    let randomness: Philox

    /// - Parameter examples: each row's number.
    package init(_ stream: Philox.Stream, step: Int, examples: [Int], using randomness: Philox) {
      (self.stream, self.step, self.examples, self.randomness) = (stream, step, examples.map { UInt32($0) }, randomness)
    }
  }

  /// `fount_sparse_forward`: p = σ(x·w + bias) with bits drawn from it: a half step of Gibbs sampling. p has the bits of `Dense`.
  /// - Parameters:
  ///   - x: `[batch, inputs]`; what is 0 costs nothing.
  ///   - w: `[inputs, outputs]`, or `[outputs, inputs]` where it is transposed.
  ///   - bias: `[outputs]`
  ///   - p: `[batch, outputs]`
  ///   - bits: of p's shape, or empty where none are wanted.
  package static func units(
    _ x: Tensor, _ w: Tensor, transposed: Bool = false, bias: Tensor, _ draw: Draw?, p: inout Tensor, bits: inout Tensor,
    _ team: ThreadTeam
  ) {
    precondition(x.shape.count == 2 && w.shape.count == 2, "no product of \(x.shape) and \(w.shape)")
    let (batch, inputs, outputs) = (x.shape[0], x.shape[1], w.shape[transposed ? 0 : 1])
    precondition(w.shape[transposed ? 1 : 0] == inputs && w.count > 0, "no product of \(x.shape) and \(w.shape)")
    precondition(bias.count == outputs && p.shape == [batch, outputs], "\(bias.shape) and \(p.shape) for \(outputs) outputs")
    precondition(bits.count == (draw == nil ? 0 : p.count), "bits of shape \(bits.shape)")
    precondition(draw.map { $0.examples.count == batch } ?? true, "\(batch) rows for \(draw?.examples.count ?? 0) examples")
    unsafe read(x) { x in
      unsafe read(w) { w in
        unsafe read(bias) { bias in
          unsafe write(&p) { p in
            unsafe writeIfAny(&bits) { bits in
              unsafe (draw?.examples ?? []).withUnsafeBufferPointer { examples in
                var layer = unsafe fount_sparse()
                unsafe (layer.batch, layer.inputs, layer.outputs, layer.transposed) = (batch, inputs, outputs, transposed ? 1 : 0)
                unsafe (layer.x, layer.w, layer.bias, layer.y, layer.bits) = (x, w, bias, p, bits)
                unsafe (layer.activation, layer.examples) = (Activation.sigmoid.code, examples.baseAddress)
                if let draw {
                  unsafe (layer.step, layer.stream, layer.seed) = (UInt32(draw.step), draw.stream.number, draw.randomness.seed)
                }
                unsafe layer.live = live(x, rows: batch, count: inputs, row: inputs, step: 1, team)
                let lent = unsafe Lent(layer)
                team.forEachBlock(of: widePanels(outputs)) { panel in
                  var layer = unsafe lent.value
                  unsafe fount_sparse_forward(&layer, panel)
                }
              }
            }
          }
        }
      }
    }
  }

  /// `fount_sparse_weight_gradient`: dw = scale · xᵀ·dy, or that added.
  /// - Parameters:
  ///   - x: `[batch, inputs]`; what is 0 costs nothing.
  ///   - dy: `[batch, outputs]`
  ///   - dw: `[inputs, outputs]`
  package static func correlation(_ x: Tensor, _ dy: Tensor, scale: Float, into dw: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    let (batch, inputs, outputs) = (x.rows, x.columns, dy.columns)
    precondition(dy.rows == batch && dw.shape == [inputs, outputs], "\(x.shape) and \(dy.shape) do not give \(dw.shape)")
    unsafe read(x) { x in
      unsafe read(dy) { dy in
        unsafe write(&dw) { dw in
          var layer = unsafe fount_sparse()
          unsafe (layer.batch, layer.inputs, layer.outputs, layer.x, layer.dy) = (batch, inputs, outputs, x, dy)
          unsafe (layer.dw, layer.dw_adds, layer.scale) = (dw, adds ? 1 : 0, scale)
          unsafe layer.live = live(x, rows: inputs, count: batch, row: 1, step: inputs, team)
          let lent = unsafe Lent(layer)
          team.forEachBlock(of: widePanels(outputs)) { panel in
            var layer = unsafe lent.value
            unsafe fount_sparse_weight_gradient(&layer, panel)
          }
        }
      }
    }
  }

  /// The gradients of contrastive divergence, down which a step raises the data's probability: what the model's units do together less
  /// what the data's do, a mean over the batch (Hinton 2002).
  /// - Parameters:
  ///   - data: bits or reals of the visible units `[batch, visible]`, and what the hidden ones give for them `[batch, hidden]`.
  ///   - model: the same after the chain's steps.
  ///   - dW: `[visible, hidden]`
  package static func contrast(
    data: (visible: Tensor, hidden: Tensor), model: (visible: Tensor, hidden: Tensor), dW: inout Tensor, dVisible: inout Tensor,
    dHidden: inout Tensor, _ team: ThreadTeam
  ) {
    precondition(data.visible.shape == model.visible.shape && data.hidden.shape == model.hidden.shape, "phases of other shapes")
    let share = 1 / Float(data.visible.rows)
    correlation(data.visible, data.hidden, scale: -share, into: &dW, adds: false, team)
    correlation(model.visible, model.hidden, scale: share, into: &dW, adds: true, team)
    func difference(_ data: Tensor, _ model: Tensor, into sums: inout Tensor) {
      sumOfRows(data, into: &sums, adds: false, team)
      update(&sums) { -$1 }
      sumOfRows(model, into: &sums, adds: true, team)
      update(&sums) { $1 * share }
    }
    difference(data.visible, model.visible, into: &dVisible)
    difference(data.hidden, model.hidden, into: &dHidden)
  }

  /// `fount_live` of each row, in memory of the calling thread's own.
  private static func live(
    _ x: UnsafePointer<Float>, rows: Int, count: Int, row: Int, step: Int, _ team: ThreadTeam
  ) -> UnsafePointer<UInt64>? {
    let words = (count + 63) / 64
    guard let memory = unsafe fount_scratch(Int32(fount_scratch_weights), 2 * rows * words) else { return nil }
    let live = unsafe UnsafeMutableRawPointer(memory).bindMemory(to: UInt64.self, capacity: rows * words)
    let lent = unsafe Lent((x: x, live: live))
    inStretches(of: rows, by: rowsAStretch(count), team) { stretch in
      let (x, live) = unsafe lent.value
      for index in stretch { unsafe fount_live(live + index * words, x + index * row, count, step) }
    }
    return unsafe UnsafePointer(live)
  }

  private static func widePanels(_ columns: Int) -> Int { (columns + fount_wide_panel - 1) / fount_wide_panel }
}
