import CKernels

/// Cells of recurrent networks.
extension Kernels {
  /// `fount_lstm`: the state (h, c) after a step; a sampler's next step, too.
  /// - Parameters:
  ///   - gates: `[batch, 4 · units]`
  ///   - before: `[batch, 2 · units]`
  ///   - y: `[batch, 2 · units]`
  package static func lstm(gates: Tensor, before: Tensor, into y: inout Tensor, _ team: ThreadTeam) {
    let (rows, units) = cell(gates, before)
    precondition(y.count == before.count, "shapes that do not meet: \(y.shape), \(before.shape)")
    unsafe read(gates) { gates in
      unsafe read(before) { before in
        unsafe write(&y) { y in
          let lent = unsafe Lent((gates: gates, before: before, y: y))
          inStretches(of: rows, by: rowsAStretch(4 * units), team) { stretch in
            let (gates, before, y) = unsafe lent.value
            let at = stretch.lowerBound * units
            unsafe fount_lstm(y + 2 * at, gates + 4 * at, before + 2 * at, stretch.count, units)
          }
        }
      }
    }
  }

  /// `fount_lstm_gradient`.
  static func lstmGradient(
    gates: Tensor, before: Tensor, y: Tensor, dy: Tensor, dgates: inout Gradient, dbefore: inout Gradient?, _ team: ThreadTeam
  ) {
    let (rows, units) = cell(gates, before)
    precondition(y.count == before.count && dy.count == before.count, "shapes that do not meet: \(y.shape), \(dy.shape)")
    precondition(
      dgates.tensor.count == gates.count && dbefore.map { $0.tensor.count == before.count } ?? true, "gradients of other shapes")
    let adds = (gates: dgates.adds, before: dbefore?.adds ?? false)
    unsafe read(gates) { gates in
      unsafe read(before) { before in
        unsafe read(y) { y in
          unsafe read(dy) { dy in
            unsafe write(&dgates.tensor) { dgates in
              unsafe writeIfAny(&dbefore) { dbefore in
                let lent = unsafe Lent((gates: gates, before: before, y: y, dy: dy, dgates: dgates, dbefore: dbefore))
                inStretches(of: rows, by: rowsAStretch(4 * units), team) { stretch in
                  let (gates, before, y, dy, dgates, dbefore) = unsafe lent.value
                  let at = stretch.lowerBound * units
                  unsafe fount_lstm_gradient(
                    dgates + 4 * at, dbefore.map { unsafe $0 + 2 * at }, dy + 2 * at, gates + 4 * at, before + 2 * at, y + 2 * at,
                    stretch.count, units, adds.gates ? 1 : 0, adds.before ? 1 : 0)
                }
              }
            }
          }
        }
      }
    }
  }

  private static func cell(_ gates: Tensor, _ before: Tensor) -> (rows: Int, units: Int) {
    let units = before.columns / 2
    precondition(before.shape.count == 2 && before.columns == 2 * units && units > 0, "a state of shape \(before.shape)")
    precondition(gates.shape == [before.rows, 4 * units], "gates of shape \(gates.shape) for a state of \(before.shape)")
    return (before.rows, units)
  }
}
