import CKernels

/// Layer norm and batch norm.
extension Kernels {
  /// `fount_layer_norm`: y = (x − mean) / deviation · gain + shift, by row.
  static func layerNorm(_ x: Tensor, gain: Tensor, shift: Tensor, epsilon: Float, into y: inout Tensor, _ team: ThreadTeam) {
    let (rows, columns) = matrix(x, gain, shift)
    precondition(y.count == x.count, "shapes that do not meet: \(x.shape), \(y.shape)")
    unsafe read(x) { x in
      unsafe read(gain) { gain in
        unsafe read(shift) { shift in
          unsafe write(&y) { y in
            let lent = unsafe Lent((x: x, gain: gain, shift: shift, y: y))
            inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
              let (x, gain, shift, y) = unsafe lent.value
              let at = stretch.lowerBound * columns
              unsafe fount_layer_norm(y + at, x + at, gain, shift, epsilon, stretch.count, columns)
            }
          }
        }
      }
    }
  }

  /// `fount_layer_norm_gradient`: dx, or that added.
  static func layerNormGradient(
    _ x: Tensor, gain: Tensor, epsilon: Float, dy: Tensor, into dx: inout Tensor, adds: Bool, _ team: ThreadTeam
  ) {
    let (rows, columns) = matrix(x, gain, gain)
    precondition(dy.count == x.count && dx.count == x.count, "shapes that do not meet: \(x.shape), \(dy.shape), \(dx.shape)")
    unsafe read(x) { x in
      unsafe read(gain) { gain in
        unsafe read(dy) { dy in
          unsafe write(&dx) { dx in
            let lent = unsafe Lent((x: x, gain: gain, dy: dy, dx: dx))
            inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
              let (x, gain, dy, dx) = unsafe lent.value
              let at = stretch.lowerBound * columns
              unsafe fount_layer_norm_gradient(dx + at, dy + at, x + at, gain, epsilon, stretch.count, columns, adds ? 1 : 0)
            }
          }
        }
      }
    }
  }

  /// `fount_layer_norm_sums`: the gradients by gain and shift, `[columns]` each.
  static func layerNormSums(_ x: Tensor, gain: Tensor, epsilon: Float, dy: Tensor, _ team: ThreadTeam) -> (gain: [Double], shift: [Double])
  {
    let (rows, columns) = matrix(x, gain, gain)
    precondition(dy.count == x.count, "shapes that do not meet: \(x.shape), \(dy.shape)")
    var sums: [Double] = []
    unsafe read(x) { x in
      unsafe read(dy) { dy in
        let lent = unsafe Lent((x: x, dy: dy))
        unsafe sums = stretchSums(rows: rows, columns: columns, sums: 2, team) { stretch, sums in
          let (x, dy) = unsafe lent.value
          let at = stretch.lowerBound * columns
          unsafe fount_layer_norm_sums(sums, sums + columns, dy + at, x + at, epsilon, stretch.count, columns)
        }
      }
    }
    return (Array(sums.prefix(columns)), Array(sums.suffix(columns)))
  }

  /// `fount_sum_columns`: the mean and variance of each column, `[columns]`, over all axes but the last.
  package static func columnMoments(_ x: Tensor, _ team: ThreadTeam) -> (mean: Tensor, variance: Tensor) {
    let columns = x.shape.last ?? 1
    let mean = columnSums(x, mean: nil, dy: nil, inverse: nil, team)
    let variance = columnSums(x, mean: mean, dy: nil, inverse: nil, team)
    precondition(mean.count == columns, "a mean for each of \(columns) columns")
    return (mean, variance)
  }

  /// `fount_sum_columns`, over the number of rows: the mean of x, of (x − mean)², or of dy · (x − mean) · inverse; `[columns]`.
  static func columnSums(_ x: Tensor, mean: Tensor?, dy: Tensor?, inverse: Tensor?, _ team: ThreadTeam) -> Tensor {
    let columns = x.shape.last ?? 1
    precondition(columns > 0 && x.count > 0, "no columns in shape \(x.shape)")
    let rows = x.count / columns
    precondition([mean, inverse].allSatisfy { $0.map { $0.count == columns } ?? true }, "moments of other columns than \(columns)")
    precondition(dy.map { $0.count == x.count && mean != nil && inverse != nil } ?? true, "a gradient without moments, or of another shape")
    var sums: [Double] = []
    unsafe read(x) { x in
      unsafe readIfAny(mean) { mean in
        unsafe readIfAny(dy) { dy in
          unsafe readIfAny(inverse) { inverse in
            let lent = unsafe Lent((x: x, mean: mean, dy: dy, inverse: inverse))
            unsafe sums = stretchSums(rows: rows, columns: columns, sums: 1, team) { stretch, sums in
              let (x, mean, dy, inverse) = unsafe lent.value
              let at = stretch.lowerBound * columns
              unsafe fount_sum_columns(sums, x + at, mean, dy.map { unsafe $0 + at }, inverse, stretch.count, columns)
            }
          }
        }
      }
    }
    return Tensor(shape: [columns], scalars: sums.map { Float($0 / Double(rows)) })
  }

  /// `fount_normalize_columns`: y = (x − mean) · scale + shift, each `[columns]`.
  package static func normalizeColumns(
    _ x: Tensor, mean: Tensor, scale: Tensor, shift: Tensor, into y: inout Tensor, _ team: ThreadTeam
  ) {
    let (rows, columns) = matrix(x, scale, shift)
    precondition(mean.count == columns && y.count == x.count, "shapes that do not meet: \(x.shape), \(y.shape), \(mean.shape)")
    unsafe read(x) { x in
      unsafe read(mean) { mean in
        unsafe read(scale) { scale in
          unsafe read(shift) { shift in
            unsafe write(&y) { y in
              let lent = unsafe Lent((x: x, mean: mean, scale: scale, shift: shift, y: y))
              inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
                let (x, mean, scale, shift, y) = unsafe lent.value
                let at = stretch.lowerBound * columns
                unsafe fount_normalize_columns(y + at, x + at, mean, scale, shift, stretch.count, columns)
              }
            }
          }
        }
      }
    }
  }

  /// What batch norm knows of its columns, `[columns]` each.
  struct ColumnMoments: Sendable {
    let mean: Tensor
    /// 1 over the deviation.
    let inverse: Tensor
    /// That times the gain.
    let scale: Tensor
  }

  /// `fount_batch_norm_gradient`: dx, or that added.
  /// - Parameters:
  ///   - plain: the mean of dy, by column.
  ///   - along: the mean of dy · the normalized x, by column.
  static func batchNormGradient(
    _ x: Tensor, _ moments: ColumnMoments, dy: Tensor, plain: Tensor, along: Tensor, into dx: inout Tensor, adds: Bool, _ team: ThreadTeam
  ) {
    let (rows, columns) = matrix(x, plain, along)
    precondition(dy.count == x.count && dx.count == x.count, "shapes that do not meet: \(x.shape), \(dy.shape), \(dx.shape)")
    precondition(
      [moments.mean, moments.inverse, moments.scale].allSatisfy { $0.count == columns }, "moments of other columns than \(columns)")
    unsafe read(x) { x in
      unsafe read(dy) { dy in
        unsafe read(moments.mean) { mean in
          unsafe read(moments.inverse) { inverse in
            unsafe read(moments.scale) { scale in
              unsafe read(plain) { plain in
                unsafe read(along) { along in
                  unsafe write(&dx) { dx in
                    let lent = unsafe Lent((x, dy, mean, inverse, scale, plain, along, dx))
                    inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
                      let (x, dy, mean, inverse, scale, plain, along, dx) = unsafe lent.value
                      let at = stretch.lowerBound * columns
                      unsafe fount_batch_norm_gradient(
                        dx + at, dy + at, x + at, mean, inverse, scale, plain, along, stretch.count, columns, adds ? 1 : 0)
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

  /// Sums by column that stretches of rows give each by themselves, added in the order of the stretches.
  private static func stretchSums(
    rows: Int, columns: Int, sums count: Int, _ team: ThreadTeam, _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) -> [Double] {
    let length = rowsAStretch(columns)
    let (stretches, width) = ((rows + length - 1) / length, columns * count)
    var sums = [Double](repeating: 0, count: width)
    guard let partial = unsafe fount_scratch(Int32(fount_scratch_weights), stretches * width) else { return sums }
    let lent = unsafe Lent(partial)
    team.forEachBlock(of: stretches) { block in
      unsafe body(block * length..<min((block + 1) * length, rows), lent.value + block * width)
    }
    for stretch in 0..<stretches {
      for column in 0..<width { unsafe sums[column] += Double(partial[stretch * width + column]) }
    }
    return sums
  }

  private static func matrix(_ x: Tensor, _ a: Tensor, _ b: Tensor) -> (rows: Int, columns: Int) {
    let columns = x.shape.last ?? 1
    precondition(columns > 0 && a.count == columns && b.count == columns, "\(x.shape) with \(a.shape) and \(b.shape)")
    return (x.count / columns, columns)
  }
}
