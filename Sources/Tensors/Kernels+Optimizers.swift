import CKernels

/// Steps of optimizers.
extension Kernels {
  /// `fount_adam`, `fount_rmsprop` or `fount_sgd`, over all of a tensor, or over what its mask leaves alive.
  static func descend(
    _ w: inout Tensor, mean: inout Tensor, square: inout Tensor, average: inout Tensor?, gradient: Tensor, mask: Staircase?,
    _ step: DescentStep, _ team: ThreadTeam
  ) {
    let count = w.count
    precondition(gradient.count == count, "shapes that do not meet")
    let keeps = (mean: mean.count > 0, square: square.count > 0)
    precondition(!keeps.mean || mean.count == count, "a mean of another shape")
    precondition(!keeps.square || square.count == count, "a square of another shape")
    precondition(step.method == .sgd || keeps.square && (keeps.mean || step.method == .rmsProp), "a method without its state")
    precondition(average.map { $0.count == count } ?? true, "an average of another shape")
    precondition(mask.map { [$0.inputs, $0.outputs] == w.shape } ?? true, "a mask of another shape")
    let settings = fount_adam_settings(
      beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon, rate: step.rate, root_scale: step.rootScale, shrink: step.shrink,
      average_decay: step.averageDecay, gradient_scale: step.gradientScale)
    let (rows, columns) = (w.rows, w.columns)
    unsafe write(&w) { w in
      unsafe writeIfAny(&mean) { mean in
        unsafe writeIfAny(&square) { square in
          unsafe writeIfAny(&average) { average in
            unsafe read(gradient) { gradient in
              let lent = unsafe Lent((w: w, mean: mean, square: square, average: average, gradient: gradient))
              @Sendable func update(_ range: Range<Int>) {
                let (w, mean, square, average, gradient) = unsafe lent.value
                let at = range.lowerBound
                var settings = settings
                let kept = unsafe average.map { unsafe $0 + at }
                let (first, second) = unsafe (mean.map { unsafe $0 + at }, square.map { unsafe $0 + at })
                switch step.method {
                case .adam: unsafe fount_adam(w + at, first, second, kept, gradient + at, range.count, &settings)
                case .rmsProp: unsafe fount_rmsprop(w + at, second, kept, gradient + at, range.count, &settings)
                case .sgd: unsafe fount_sgd(w + at, first, kept, gradient + at, range.count, &settings)
                }
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

  /// `fount_sum_of_squares`: stretches of fixed length, added in their order.
  static func sumOfSquares(_ x: Tensor, _ team: ThreadTeam) -> Double {
    let (count, length) = (x.count, 16_384)
    var sum = 0.0
    unsafe read(x) { x in
      let lent = unsafe Lent(x)
      let parts = team.map(blocks: (count + length - 1) / length) { block in
        unsafe fount_sum_of_squares(lent.value + block * length, min(length, count - block * length))
      }
      sum = parts.reduce(0, +)
    }
    return sum
  }
}
