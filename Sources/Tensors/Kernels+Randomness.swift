import CKernels

/// Random numbers.
extension Kernels {
  /// `fount_philox`.
  static func philox(counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)) -> (UInt32, UInt32, UInt32, UInt32) {
    let counter = [counter.0, counter.1, counter.2, counter.3]
    let key = [key.0, key.1]
    var block: [UInt32] = [0, 0, 0, 0]
    unsafe fount_philox(counter, key, &block)
    return (block[0], block[1], block[2], block[3])
  }

  /// `fount_uniform`: the numbers of sites 0..<count.
  static func uniform(into y: inout Tensor, _ stream: Philox.Stream, step: Int, example: Int, using randomness: Philox) {
    let count = y.count
    unsafe write(&y) { y in
      unsafe fount_uniform(y, count, UInt32(example), UInt32(step), stream.number, randomness.seed)
    }
  }

  /// `fount_normal`: the numbers of sites 0..<count.
  static func normal(into y: inout Tensor, _ stream: Philox.Stream, step: Int, example: Int, using randomness: Philox) {
    let count = y.count
    unsafe write(&y) { y in
      unsafe fount_normal(y, count, UInt32(example), UInt32(step), stream.number, randomness.seed)
    }
  }

  /// `fount_categorical`: a class for each row, drawn by the row's uniform.
  /// - Parameters:
  ///   - logits: `[rows, classes]`
  ///   - uniforms: `[rows]`, in [0, 1)
  /// - Returns: `[rows]`, whole numbers below the number of classes.
  package static func categorical(logits: Tensor, uniforms: Tensor, _ team: ThreadTeam) -> Tensor {
    let (rows, columns) = (logits.rows, logits.columns)
    precondition(uniforms.count == rows && columns > 0, "\(uniforms.count) uniforms for logits of shape \(logits.shape)")
    var classes = Tensor(repeating: 0, shape: [rows])
    unsafe read(logits) { logits in
      unsafe read(uniforms) { uniforms in
        unsafe write(&classes) { classes in
          let lent = unsafe Lent((logits: logits, uniforms: uniforms, classes: classes))
          inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
            let (logits, uniforms, classes) = unsafe lent.value
            let at = stretch.lowerBound
            unsafe fount_categorical(classes + at, logits + at * columns, uniforms + at, stretch.count, columns)
          }
        }
      }
    }
    return classes
  }

  /// `fount_dropout`: each row with some of its numbers dropped, or that added to y.
  static func dropout(_ x: Tensor, _ dropout: Dropout, to y: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    let (rows, columns) = (x.rows, x.columns)
    precondition(dropout.keep > 0 && dropout.keep <= 1, "a share of more than 0 and at most 1, not \(dropout.keep)")
    precondition(y.shape == x.shape && rows == dropout.examples.count, "\(rows) rows for \(dropout.examples.count) examples")
    unsafe read(x) { x in
      unsafe write(&y) { y in
        let lent = unsafe Lent((x: x, y: y))
        inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
          let (x, y) = unsafe lent.value
          for row in stretch {
            unsafe fount_dropout(
              y + row * columns, x + row * columns, columns, dropout.keep, adds ? 1 : 0, UInt32(dropout.examples[row]),
              UInt32(dropout.step), dropout.stream.number, dropout.randomness.seed)
          }
        }
      }
    }
  }
}
