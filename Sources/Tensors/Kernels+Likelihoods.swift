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

  // MARK: Mixtures of logistics

  /// `fount_logistics_nats`: −ln p of each row of x.
  /// - Parameters:
  ///   - parameters: `[batch, …, 3 · components]`
  ///   - x: `[batch, …]`, levels of 0…255 over 255
  static func logisticsNats(parameters: Tensor, of x: Tensor, into nats: inout Tensor, _ team: ThreadTeam) {
    let (rows, sites, components) = mixture(parameters, x)
    precondition(nats.count == rows, "\(nats.count) numbers for \(rows) rows")
    unsafe read(parameters) { parameters in
      unsafe read(x) { x in
        unsafe write(&nats) { nats in
          let lent = unsafe Lent((parameters: parameters, x: x, nats: nats))
          team.forEachBlock(of: rows) { row in
            let (parameters, x, nats) = unsafe lent.value
            let at = row * sites
            unsafe nats[row] = Float(fount_logistics_nats(parameters + at * 3 * components, x + at, sites, components))
          }
        }
      }
    }
  }

  /// `fount_logistics_gradient`: dparameters[r] = the gradient of row r's nats times dnats[r].
  static func logisticsGradient(parameters: Tensor, of x: Tensor, dnats: Tensor, into gradient: inout Gradient, _ team: ThreadTeam) {
    let (rows, sites, components) = mixture(parameters, x)
    let adds = gradient.adds
    precondition(dnats.count == rows && gradient.tensor.count == parameters.count, "shapes that do not meet")
    unsafe read(parameters) { parameters in
      unsafe read(x) { x in
        unsafe read(dnats) { dnats in
          unsafe write(&gradient.tensor) { gradient in
            let lent = unsafe Lent((parameters: parameters, x: x, dnats: dnats, gradient: gradient))
            team.forEachBlock(of: rows) { row in
              let (parameters, x, dnats, gradient) = unsafe lent.value
              let at = row * sites * 3 * components
              unsafe fount_logistics_gradient(
                gradient + at, parameters + at, x + row * sites, dnats[row], sites, components, adds ? 1 : 0)
            }
          }
        }
      }
    }
  }

  private static func mixture(_ parameters: Tensor, _ x: Tensor) -> (rows: Int, sites: Int, components: Int) {
    let components = (parameters.shape.last ?? 0) / 3
    precondition((1...Int(fount_logistics_max)).contains(components), "a mixture of \(components) logistics")
    precondition(parameters.count == x.count * 3 * components, "parameters of shape \(parameters.shape) for \(x.shape)")
    return (x.rows, x.columns, components)
  }
}
