import CKernels

/// Products for dense layers.
extension Kernels {
  /// `fount_dense_forward`: y = f(x·w + bias).
  /// - Parameters:
  ///   - x: `[batch, inputs]`
  ///   - w: `[inputs, outputs]`
  ///   - bias: `[outputs]`
  ///   - y: `[batch, outputs]`
  static func dense(
    _ x: Tensor, _ w: Tensor, _ bias: Tensor?, _ mask: Staircase?, _ activation: Activation, into y: inout Tensor, _ team: ThreadTeam
  ) {
    let (batch, inputs, outputs) = extents(x, w, mask)
    precondition(y.count == batch * outputs, "y has shape \(y.shape), not [\(batch), \(outputs)]")
    precondition(bias.map { $0.count == outputs } ?? true, "a bias of \(outputs), not \(String(describing: bias?.shape))")
    if mask == nil, isSparse(x, outputs: outputs) {
      var none = Tensor.empty
      return sparseLayer(x, w, transposed: false, bias: bias, activation, nil, into: &y, bits: &none, team)
    }
    unsafe read(x) { x in
      unsafe read(w) { w in
        unsafe readIfAny(bias) { bias in
          unsafe readIfAny(mask?.live32) { live in
            unsafe write(&y) { y in
              var layer = unsafe fount_dense()
              unsafe (layer.batch, layer.inputs, layer.outputs, layer.live) = (batch, inputs, outputs, live)
              unsafe (layer.x, layer.w, layer.bias, layer.y, layer.activation) = (x, w, bias, y, activation.code)
              let lent = unsafe Lent(layer)
              let panels = panels(outputs)
              // The last panels of a staircase are the longest: first in, so that threads end together.
              team.forEachBlock(of: panels) { block in
                var layer = unsafe lent.value
                unsafe fount_dense_forward(&layer, panels - 1 - block)
              }
            }
          }
        }
      }
    }
  }

  /// `fount_dense_weight_gradient` and `fount_dense_data_gradient`, those that are wanted.
  /// - Parameter dy: the gradient by the sums, before the activation.
  static func denseGradients(
    _ x: Tensor, _ w: Tensor, _ mask: Staircase?, dy: Tensor, dx: inout Gradient?, dw: inout Gradient?, dbias: inout Gradient?,
    _ team: ThreadTeam
  ) {
    let (batch, inputs, outputs) = extents(x, w, mask)
    precondition(dy.count == batch * outputs, "dy has shape \(dy.shape), not [\(batch), \(outputs)]")
    precondition(
      dx.map { $0.tensor.count == x.count } ?? true && dw.map { $0.tensor.count == w.count } ?? true, "gradients of other shapes")
    precondition(dbias.map { $0.tensor.count == outputs } ?? true, "a gradient of \(outputs) for the bias")
    precondition(mask == nil || dw.map { !$0.adds } ?? true, "a masked weight is used once in a step")
    if let adds = dw?.adds, mask == nil, isSparse(x, outputs: outputs) {
      dw.write { correlation(x, dy, scale: 1, into: &$0, adds: adds, team) }
      // What is left to do.
      var none = Gradient?.none
      return denseGradients(x, w, nil, dy: dy, dx: &dx, dw: &none, dbias: &dbias, team)
    }
    let adds = (dx: dx?.adds ?? false, dw: dw?.adds ?? false, dbias: dbias?.adds ?? false)
    unsafe read(x) { x in
      unsafe read(w) { w in
        unsafe read(dy) { dy in
          unsafe readIfAny(mask?.live32) { live in
            unsafe writeIfAny(&dx) { dx in
              unsafe writeIfAny(&dw) { dw in
                unsafe writeIfAny(&dbias) { dbias in
                  var layer = unsafe fount_dense()
                  unsafe (layer.batch, layer.inputs, layer.outputs, layer.live) = (batch, inputs, outputs, live)
                  unsafe (layer.x, layer.w, layer.dy, layer.dx, layer.dw, layer.dbias) = (x, w, dy, dx, dw, dbias)
                  unsafe (layer.dx_adds, layer.dw_adds, layer.dbias_adds) = (adds.dx ? 1 : 0, adds.dw ? 1 : 0, adds.dbias ? 1 : 0)
                  let lent = unsafe Lent(layer)
                  let weightPanels = unsafe dw == nil && dbias == nil ? 0 : panels(outputs)
                  let dataPanels = unsafe dx == nil ? 0 : panels(inputs)
                  team.forEachBlock(of: weightPanels + dataPanels) { block in
                    var layer = unsafe lent.value
                    if block < weightPanels {
                      unsafe fount_dense_weight_gradient(&layer, weightPanels - 1 - block)
                    } else {
                      unsafe fount_dense_data_gradient(&layer, block - weightPanels)
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  private static func extents(_ x: Tensor, _ w: Tensor, _ mask: Staircase?) -> (batch: Int, inputs: Int, outputs: Int) {
    precondition(w.shape.count == 2 && x.shape.count == 2 && x.shape[1] == w.shape[0], "no product of \(x.shape) and \(w.shape)")
    precondition(w.count > 0, "a layer has inputs and outputs, not shape \(w.shape)")
    precondition(mask.map { [$0.inputs, $0.outputs] == w.shape } ?? true, "a mask of other extents than \(w.shape)")
    return (x.shape[0], w.shape[0], w.shape[1])
  }

  static func panels(_ columns: Int) -> Int { (columns + Int(fount_panel) - 1) / Int(fount_panel) }

  /// The columns that whole panels have.
  static func wholePanels(_ columns: Int) -> Int { panels(columns) * Int(fount_panel) }

  /// `fount_add_scaled_row`: the share that input `row` has in x·w, added to y where the mask lets it be seen.
  /// - Parameters:
  ///   - x: `[batch, inputs]`
  ///   - y: `[batch, outputs]`
  package static func addRow(_ row: Int, of w: Tensor, _ mask: Staircase, times x: Tensor, to y: inout Tensor) {
    let (batch, inputs, outputs) = extents(x, w, mask)
    precondition((0..<inputs).contains(row) && y.shape == [batch, outputs], "row \(row) of \(w.shape) into \(y.shape)")
    unsafe read(w) { w in
      unsafe read(x) { x in
        unsafe write(&y) { y in
          unsafe fount_add_scaled_row(y, batch, outputs, x + row, inputs, w + row * outputs, mask.first[row], outputs)
        }
      }
    }
  }

  /// `fount_finish_columns`: y[r, columns] = f(sums[r, columns] + bias[columns]).
  package static func finish(
    _ sums: Tensor, bias: Tensor, _ activation: Activation, into y: inout Tensor, columns: Range<Int>
  ) {
    let (rows, stride) = (y.rows, y.columns)
    precondition(sums.shape == y.shape && bias.count == stride, "shapes that do not meet")
    precondition(columns.lowerBound >= 0 && columns.upperBound <= stride, "columns \(columns) of \(stride)")
    unsafe read(sums) { sums in
      unsafe read(bias) { bias in
        unsafe write(&y) { y in
          unsafe fount_finish_columns(y, sums, rows, stride, bias, columns.lowerBound, columns.upperBound, activation.code)
        }
      }
    }
  }
}
