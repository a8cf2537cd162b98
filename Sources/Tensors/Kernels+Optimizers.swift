import CKernels

/// Steps of optimizers.
extension Kernels {
  /// `fount_adam`, over all of a tensor, or over what its mask leaves alive.
  static func adam(
    _ w: inout Tensor, mean: inout Tensor, square: inout Tensor, average: inout Tensor?, gradient: Tensor, mask: Staircase?,
    _ step: AdamStep, _ team: ThreadTeam
  ) {
    let count = w.count
    precondition(mean.count == count && square.count == count && gradient.count == count, "shapes that do not meet")
    precondition(average.map { $0.count == count } ?? true, "an average of another shape")
    precondition(mask.map { [$0.inputs, $0.outputs] == w.shape } ?? true, "a mask of another shape")
    let settings = fount_adam_settings(
      beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon, rate: step.rate, root_scale: step.rootScale, shrink: step.shrink,
      average_decay: step.averageDecay)
    let (rows, columns) = (w.rows, w.columns)
    unsafe write(&w) { w in
      unsafe write(&mean) { mean in
        unsafe write(&square) { square in
          unsafe writeIfAny(&average) { average in
            unsafe read(gradient) { gradient in
              let lent = unsafe Lent((w: w, mean: mean, square: square, average: average, gradient: gradient))
              @Sendable func update(_ range: Range<Int>) {
                let (w, mean, square, average, gradient) = unsafe lent.value
                let at = range.lowerBound
                var settings = settings
                unsafe fount_adam(w + at, mean + at, square + at, average.map { unsafe $0 + at }, gradient + at, range.count, &settings)
              }
              if let first = mask?.first {
                inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
                  for row in stretch { update(row * columns + first[row]..<(row + 1) * columns) }
                }
              } else {
                inStretches(of: count, team, update)
              }
            }
          }
        }
      }
    }
  }
}
