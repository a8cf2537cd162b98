import CKernels

/// What a layer does to its sums.
package enum Activation: String, Sendable, Hashable, CaseIterable {
  case identity, relu, sigmoid, tanh

  fileprivate var code: Int32 {
    switch self {
    case .identity: Int32(fount_identity)
    case .relu: Int32(fount_relu)
    case .sigmoid: Int32(fount_sigmoid)
    case .tanh: Int32(fount_tanh)
    }
  }
}

/// A function of single numbers.
package enum ScalarFunction: String, Sendable, Hashable, CaseIterable {
  case exp, log, sigmoid, softplus, tanh

  fileprivate var code: Int32 {
    switch self {
    case .exp: Int32(fount_map_exp)
    case .log: Int32(fount_map_log)
    case .sigmoid: Int32(fount_map_sigmoid)
    case .softplus: Int32(fount_map_softplus)
    case .tanh: Int32(fount_map_tanh)
    }
  }
}

/// A gradient to be computed: written, or added to what other uses of the same variable gave.
package struct Gradient: Sendable {
  package var tensor: Tensor
  package let adds: Bool

  package init(tensor: Tensor, adds: Bool) {
    self.tensor = tensor
    self.adds = adds
  }
}

/// One wrapper for each function of CKernels, of the same meaning. This is the one file of the module that holds raw pointers: each
/// `unsafe` follows from the preconditions above it, and no pointer leaves the closure that lent it.
package enum Kernels {
  /// `fount_kernel_set`: which clones this machine runs.
  package static var set: String { unsafe String(cString: fount_kernel_set()) }

  /// `fount_pause`.
  static func pause() { fount_pause() }

  // MARK: Products

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

  private static func panels(_ columns: Int) -> Int { (columns + Int(fount_panel) - 1) / Int(fount_panel) }

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

  // MARK: Element by element

  /// `fount_activation_gradient`: dy ·= f′, told by y = f(…).
  static func activationGradient(_ activation: Activation, y: Tensor, dy: inout Tensor, _ team: ThreadTeam) {
    precondition(y.count == dy.count, "shapes that do not meet: \(y.shape), \(dy.shape)")
    guard activation != .identity else { return }
    let count = y.count
    unsafe read(y) { y in
      unsafe write(&dy) { dy in
        let lent = unsafe Lent((y: y, dy: dy))
        inStretches(of: count, team) { stretch in
          let (y, dy) = unsafe lent.value
          unsafe fount_activation_gradient(dy + stretch.lowerBound, y + stretch.lowerBound, stretch.count, activation.code)
        }
      }
    }
  }

  /// `fount_map`: y = f(x).
  package static func map(_ function: ScalarFunction, _ x: Tensor, into y: inout Tensor, _ team: ThreadTeam) {
    let count = x.count
    precondition(y.count == count, "shapes that do not meet: \(x.shape), \(y.shape)")
    unsafe read(x) { x in
      unsafe write(&y) { y in
        let lent = unsafe Lent((x: x, y: y))
        inStretches(of: count, team) { stretch in
          let (x, y) = unsafe lent.value
          unsafe fount_map(y + stretch.lowerBound, x + stretch.lowerBound, stretch.count, function.code)
        }
      }
    }
  }

  /// `fount_map` of the sigmoid.
  package static func sigmoid(_ x: [Float]) -> [Float] {
    var y = Tensor(repeating: 0, shape: [x.count])
    map(.sigmoid, Tensor(shape: [x.count], scalars: x), into: &y, .alone)
    return y.scalars
  }

  /// `fount_map_gradient`: dx += dy · f′(x).
  static func mapGradient(_ function: ScalarFunction, x: Tensor, y: Tensor, dy: Tensor, addingTo dx: inout Tensor, _ team: ThreadTeam) {
    let count = x.count
    precondition(y.count == count && dy.count == count && dx.count == count, "shapes that do not meet")
    unsafe read(x) { x in
      unsafe read(y) { y in
        unsafe read(dy) { dy in
          unsafe write(&dx) { dx in
            let lent = unsafe Lent((x: x, y: y, dy: dy, dx: dx))
            inStretches(of: count, team) { stretch in
              let (x, y, dy, dx) = unsafe lent.value
              let at = stretch.lowerBound
              unsafe fount_map_gradient(dx + at, dy + at, x + at, y + at, stretch.count, function.code)
            }
          }
        }
      }
    }
  }

  /// `fount_add`: y = scale · x, or that added to y.
  static func add(_ x: Tensor, scale: Float = 1, to y: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    let count = x.count
    precondition(y.count == count, "shapes that do not meet: \(x.shape), \(y.shape)")
    unsafe read(x) { x in
      unsafe write(&y) { y in
        let lent = unsafe Lent((x: x, y: y))
        inStretches(of: count, team) { stretch in
          let (x, y) = unsafe lent.value
          unsafe fount_add(y + stretch.lowerBound, x + stretch.lowerBound, stretch.count, scale, adds ? 1 : 0)
        }
      }
    }
  }

  /// `fount_multiply`: y = a · b, or that added to y.
  static func multiply(_ a: Tensor, _ b: Tensor, into y: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    let count = y.count
    precondition(a.count == count && b.count == count, "shapes that do not meet: \(a.shape), \(b.shape), \(y.shape)")
    unsafe read(a) { a in
      unsafe read(b) { b in
        unsafe write(&y) { y in
          let lent = unsafe Lent((a: a, b: b, y: y))
          inStretches(of: count, team) { stretch in
            let (a, b, y) = unsafe lent.value
            let at = stretch.lowerBound
            unsafe fount_multiply(y + at, a + at, b + at, stretch.count, adds ? 1 : 0)
          }
        }
      }
    }
  }

  /// `fount_gather`: y[r, c] = x[rows[r], columns[c]].
  static func gather(_ x: Tensor, rows: Order?, columns: Order?, into y: inout Tensor, _ team: ThreadTeam) {
    let (width, from) = (y.columns, x.columns)
    check(rows, long: y.rows, within: x.rows)
    check(columns, long: width, within: from)
    let count = y.rows
    unsafe read(x) { x in
      unsafe write(&y) { y in
        unsafe readIfAny(rows?.indices) { rows in
          unsafe readIfAny(columns?.indices) { columns in
            let lent = unsafe Lent((x: x, y: y, rows: rows, columns: columns))
            inStretches(of: count, by: rowsAStretch(width), team) { stretch in
              let (x, y, rows, columns) = unsafe lent.value
              let at = stretch.lowerBound
              unsafe fount_gather(
                y + at * width, rows == nil ? x + at * from : x, stretch.count, width, from, rows.map { unsafe $0 + at }, columns)
            }
          }
        }
      }
    }
  }

  /// `fount_scatter_add`: y[rows[r], columns[c]] += x[r, c].
  static func scatterAdd(_ x: Tensor, rows: Order?, columns: Order?, to y: inout Tensor, _ team: ThreadTeam) {
    let (width, to) = (x.columns, y.columns)
    check(rows, long: x.rows, within: y.rows)
    check(columns, long: width, within: to)
    precondition(rows?.isPermutation ?? true, "rows that meet would race")
    let count = x.rows
    unsafe read(x) { x in
      unsafe write(&y) { y in
        unsafe readIfAny(rows?.indices) { rows in
          unsafe readIfAny(columns?.indices) { columns in
            let lent = unsafe Lent((x: x, y: y, rows: rows, columns: columns))
            inStretches(of: count, by: rowsAStretch(width), team) { stretch in
              let (x, y, rows, columns) = unsafe lent.value
              let at = stretch.lowerBound
              unsafe fount_scatter_add(
                rows == nil ? y + at * to : y, x + at * width, stretch.count, width, to, rows.map { unsafe $0 + at }, columns)
            }
          }
        }
      }
    }
  }

  private static func check(_ order: Order?, long count: Int, within bound: Int) {
    if let order {
      precondition(order.indices.count == count && order.bound == bound, "an order of \(order.indices.count) within \(order.bound)")
    } else {
      precondition(count == bound, "\(count) of \(bound) without an order")
    }
  }

  // MARK: Likelihoods

  /// `fount_bernoulli_nats`: −ln p of each row of x under the logits' Bernoullis.
  package static func bernoulliNats(logits: Tensor, of x: Tensor, _ team: ThreadTeam) -> [Double] {
    precondition(logits.shape == x.shape, "shapes that do not meet: \(logits.shape), \(x.shape)")
    let (rows, columns) = (x.rows, x.columns)
    var nats = [Double](repeating: 0, count: rows)
    unsafe read(logits) { logits in
      unsafe read(x) { x in
        unsafe nats.withUnsafeMutableBufferPointer { nats in
          guard let nats = nats.baseAddress else { return }
          let lent = unsafe Lent((logits: logits, x: x, nats: nats))
          inStretches(of: rows, by: rowsAStretch(columns), team) { stretch in
            let (logits, x, nats) = unsafe lent.value
            let at = stretch.lowerBound
            unsafe fount_bernoulli_nats(nats + at, logits + at * columns, x + at * columns, stretch.count, columns)
          }
        }
      }
    }
    return nats
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

  // MARK: Optimizer

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

  // MARK: Random numbers

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

  // MARK: Lending pointers

  /// Pointers on their way into a team's blocks. Unchecked, because each block writes elements of its own and the closure that lent the
  /// pointers waits for the team.
  private struct Lent<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// An empty tensor has nothing to lend, and nothing to compute.
  private static func read(_ tensor: Tensor, _ body: (UnsafePointer<Float>) -> Void) {
    unsafe tensor.scalars.withUnsafeBufferPointer { if let pointer = $0.baseAddress { unsafe body(pointer) } }
  }

  private static func write(_ tensor: inout Tensor, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    unsafe tensor.scalars.withUnsafeMutableBufferPointer { if let pointer = $0.baseAddress { unsafe body(pointer) } }
  }

  private static func readIfAny(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> Void) {
    if let tensor { unsafe tensor.scalars.withUnsafeBufferPointer { unsafe body($0.baseAddress) } } else { body(nil) }
  }

  private static func writeIfAny(_ tensor: inout Tensor?, _ body: (UnsafeMutablePointer<Float>?) -> Void) {
    if unsafe tensor?.scalars.withUnsafeMutableBufferPointer({ unsafe body($0.baseAddress) }) == nil { body(nil) }
  }

  private static func writeIfAny(_ gradient: inout Gradient?, _ body: (UnsafeMutablePointer<Float>?) -> Void) {
    if unsafe gradient?.tensor.scalars.withUnsafeMutableBufferPointer({ unsafe body($0.baseAddress) }) == nil { body(nil) }
  }

  private static func readIfAny(_ indices: [Int32]?, _ body: (UnsafePointer<Int32>?) -> Void) {
    if let indices { unsafe indices.withUnsafeBufferPointer { unsafe body($0.baseAddress) } } else { body(nil) }
  }

  /// Elements by stretches whose borders never depend on the team.
  private static func inStretches(of count: Int, by length: Int = 16_384, _ team: ThreadTeam, _ body: @Sendable (Range<Int>) -> Void) {
    team.forEachBlock(of: (count + length - 1) / length) { body($0 * length..<min(($0 + 1) * length, count)) }
  }

  private static func rowsAStretch(_ columns: Int) -> Int { max(1, 8_192 / max(columns, 1)) }
}
