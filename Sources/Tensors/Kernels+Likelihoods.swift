import CKernels

/// Losses with their gradients.
extension Kernels {
  /// `fount_bernoulli_nats`: −ln p of each row of x under the logits' Bernoullis.
  package static func bernoulliNats(logits: Tensor, of x: Tensor, _ team: ThreadTeam) -> [Double] {
    var nats = [Double](repeating: 0, count: x.rows)
    unsafe nats.withUnsafeMutableBufferPointer { nats in
      let lent = unsafe Lent(nats)
      bernoulliNats(logits: logits, of: x, team) { row, value in unsafe lent.value[row] = value }
    }
    return nats
  }

  /// The same, rounded.
  static func bernoulliNats(logits: Tensor, of x: Tensor, into nats: inout Tensor, _ team: ThreadTeam) {
    precondition(nats.count == x.rows, "\(nats.count) numbers for \(x.rows) rows")
    unsafe write(&nats) { nats in
      let lent = unsafe Lent(nats)
      bernoulliNats(logits: logits, of: x, team) { row, value in unsafe lent.value[row] = Float(value) }
    }
  }

  private static func bernoulliNats(logits: Tensor, of x: Tensor, _ team: ThreadTeam, _ put: @Sendable (Int, Double) -> Void) {
    precondition(logits.shape == x.shape, "shapes that do not meet: \(logits.shape), \(x.shape)")
    let (rows, columns) = (x.rows, x.columns)
    unsafe read(logits) { logits in
      unsafe read(x) { x in
        let lent = unsafe Lent((logits: logits, x: x))
        inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
          let (logits, x) = unsafe lent.value
          for row in stretch {
            var nats = 0.0
            unsafe fount_bernoulli_nats(&nats, logits + row * columns, x + row * columns, 1, columns)
            put(row, nats)
          }
        }
      }
    }
  }

  /// `fount_bernoulli_gradient`: dlogits[r] = (sigmoid(logits[r]) − x[r]) · dnats[r].
  static func bernoulliGradient(logits: Tensor, of x: Tensor, dnats: Tensor, into dlogits: inout Gradient, _ team: ThreadTeam) {
    precondition(logits.shape == x.shape && dnats.count == x.rows && dlogits.tensor.shape == x.shape, "shapes that do not meet")
    let (rows, columns, adds) = (x.rows, x.columns, dlogits.adds)
    unsafe read(logits) { logits in
      unsafe read(x) { x in
        unsafe read(dnats) { dnats in
          unsafe write(&dlogits.tensor) { dlogits in
            let lent = unsafe Lent((logits: logits, x: x, dnats: dnats, dlogits: dlogits))
            inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
              let (logits, x, dnats, dlogits) = unsafe lent.value
              let (row, at) = (stretch.lowerBound, stretch.lowerBound * columns)
              unsafe fount_bernoulli_gradient(
                dlogits + at, logits + at, x + at, dnats + row, stretch.count, columns, adds ? 1 : 0)
            }
          }
        }
      }
    }
  }

  /// `fount_softmax_nats`: −ln p of each row's class.
  /// - Parameters:
  ///   - logits: `[rows, classes]`
  ///   - classes: `[rows]`, whole numbers below the number of classes
  static func softmaxNats(logits: Tensor, of classes: Tensor, into nats: inout Tensor, _ team: ThreadTeam) {
    let (rows, columns) = (logits.rows, logits.columns)
    precondition(nats.count == rows, "\(nats.count) numbers for \(rows) rows")
    check(classes, rows: rows, columns: columns)
    unsafe read(logits) { logits in
      unsafe read(classes) { classes in
        unsafe write(&nats) { nats in
          let lent = unsafe Lent((logits: logits, classes: classes, nats: nats))
          inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
            let (logits, classes, nats) = unsafe lent.value
            for row in stretch {
              var exact = 0.0
              unsafe fount_softmax_nats(&exact, logits + row * columns, classes + row, 1, columns)
              unsafe nats[row] = Float(exact)
            }
          }
        }
      }
    }
  }

  /// `fount_softmax_gradient`: dlogits[r] = (softmax(logits[r]) − [class]) · dnats[r].
  static func softmaxGradient(logits: Tensor, of classes: Tensor, dnats: Tensor, into dlogits: inout Gradient, _ team: ThreadTeam) {
    let (rows, columns, adds) = (logits.rows, logits.columns, dlogits.adds)
    precondition(dnats.count == rows && dlogits.tensor.count == logits.count, "shapes that do not meet")
    check(classes, rows: rows, columns: columns)
    unsafe read(logits) { logits in
      unsafe read(classes) { classes in
        unsafe read(dnats) { dnats in
          unsafe write(&dlogits.tensor) { dlogits in
            let lent = unsafe Lent((logits: logits, classes: classes, dnats: dnats, dlogits: dlogits))
            inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
              let (logits, classes, dnats, dlogits) = unsafe lent.value
              let (row, at) = (stretch.lowerBound, stretch.lowerBound * columns)
              unsafe fount_softmax_gradient(
                dlogits + at, logits + at, classes + row, dnats + row, stretch.count, columns, adds ? 1 : 0)
            }
          }
        }
      }
    }
  }

  /// A class is an index into its row: no other number may reach the kernels.
  private static func check(_ classes: Tensor, rows: Int, columns: Int) {
    precondition(classes.count == rows && columns > 0, "\(classes.count) classes for \(rows) rows of \(columns)")
    precondition(classes.scalars.allSatisfy { $0 >= 0 && $0 < Float(columns) && $0 == $0.rounded() }, "a class outside 0..<\(columns)")
  }
}
