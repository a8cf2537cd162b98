import CKernels

/// What a layer does to its sums.
package enum Activation: String, Sendable, Hashable, CaseIterable {
  case identity, relu, sigmoid, tanh, leakyRelu

  var code: Int32 {
    switch self {
    case .identity: Int32(fount_identity)
    case .relu: Int32(fount_relu)
    case .sigmoid: Int32(fount_sigmoid)
    case .tanh: Int32(fount_tanh)
    case .leakyRelu: Int32(fount_leaky_relu)
    }
  }
}

/// A function of single numbers.
package enum ScalarFunction: String, Sendable, Hashable, CaseIterable {
  case exp, log, sigmoid, softplus, tanh

  var code: Int32 {
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

/// One wrapper for each function of CKernels, of the same meaning. Raw pointers live in `Kernels.swift` and its extensions alone: each
/// `unsafe` follows from the preconditions above it, and no pointer leaves the closure that lent it.
package enum Kernels {
  /// `fount_kernel_set`: which clones this machine runs.
  package static var set: String { unsafe String(cString: fount_kernel_set()) }

  /// `fount_pause`.
  static func pause() { fount_pause() }

  /// `fount_peak_of_6_chains` and `fount_peak_of_12_chains`: 16 lanes of fused multiply-adds.
  /// - Returns: a number that depends on all of them.
  package static func multiplyAndAdd(chains: FusedChains, rounds: Int) -> Float {
    switch chains {
    case .six: fount_peak_of_6_chains(rounds, 0.5)
    case .twelve: fount_peak_of_12_chains(rounds, 0.5)
    }
  }

  /// How many independent chains of multiply-adds run beside each other.
  package enum FusedChains: Int, Sendable, CaseIterable { case six = 6, twelve = 12 }

  // MARK: Element by element

  /// Every number of y.
  static func fill(_ y: inout Tensor, with scalar: Float) {
    let count = y.count
    unsafe write(&y) { y in unsafe y.update(repeating: scalar, count: count) }
  }

  /// y[i] = f(i, y[i]), for tensors of few numbers.
  package static func update(_ y: inout Tensor, _ f: (Int, Float) -> Float) {
    let count = y.count
    unsafe write(&y) { y in for i in 0..<count { unsafe y[i] = f(i, y[i]) } }
  }

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

  /// `fount_add_activation_gradient`: dx += dy · f′, told by y = f(…).
  static func addActivationGradient(_ activation: Activation, y: Tensor, dy: Tensor, to dx: inout Tensor, _ team: ThreadTeam) {
    let count = y.count
    precondition(dy.count == count && dx.count == count, "shapes that do not meet: \(y.shape), \(dy.shape), \(dx.shape)")
    unsafe read(y) { y in
      unsafe read(dy) { dy in
        unsafe write(&dx) { dx in
          let lent = unsafe Lent((y: y, dy: dy, dx: dx))
          inStretches(of: count, team) { stretch in
            let (y, dy, dx) = unsafe lent.value
            let at = stretch.lowerBound
            unsafe fount_add_activation_gradient(dx + at, dy + at, y + at, stretch.count, activation.code)
          }
        }
      }
    }
  }

  /// `fount_sum`: y = a + b.
  static func sum(_ a: Tensor, _ b: Tensor, into y: inout Tensor, _ team: ThreadTeam) {
    let count = y.count
    precondition(a.count == count && b.count == count, "shapes that do not meet: \(a.shape), \(b.shape), \(y.shape)")
    unsafe read(a) { a in
      unsafe read(b) { b in
        unsafe write(&y) { y in
          let lent = unsafe Lent((a: a, b: b, y: y))
          inStretches(of: count, team) { stretch in
            let (a, b, y) = unsafe lent.value
            let at = stretch.lowerBound
            unsafe fount_sum(y + at, a + at, b + at, stretch.count)
          }
        }
      }
    }
  }

  /// `fount_finish_columns` without a bias: y = f(x).
  static func activate(_ x: Tensor, _ activation: Activation, into y: inout Tensor, _ team: ThreadTeam) {
    let count = x.count
    precondition(y.count == count, "shapes that do not meet: \(x.shape), \(y.shape)")
    unsafe read(x) { x in
      unsafe write(&y) { y in
        let lent = unsafe Lent((x: x, y: y))
        inStretches(of: count, team) { stretch in
          let (x, y) = unsafe lent.value
          let (at, length) = (stretch.lowerBound, stretch.count)
          unsafe fount_finish_columns(y + at, x + at, 1, length, nil, 0, length, activation.code)
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
  package static func add(_ x: Tensor, scale: Float = 1, to y: inout Tensor, adds: Bool, _ team: ThreadTeam) {
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

  /// `fount_average`: the running average of weights (Polyak & Juditsky 1992), average += (1 − decay) · (weights − average).
  package static func average(_ weights: Tensor, into average: inout Tensor, decay: Float, _ team: ThreadTeam) {
    let count = weights.count
    precondition(average.count == count, "shapes that do not meet: \(weights.shape), \(average.shape)")
    precondition((0...1).contains(decay), "a decay of 0 to 1, not \(decay)")
    unsafe read(weights) { weights in
      unsafe write(&average) { average in
        let lent = unsafe Lent((weights: weights, average: average))
        inStretches(of: count, team) { stretch in
          let (weights, average) = unsafe lent.value
          unsafe fount_average(average + stretch.lowerBound, weights + stretch.lowerBound, stretch.count, decay)
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

  // MARK: Lending pointers

  /// Pointers on their way into a team's blocks. Unchecked, because each block writes elements of its own and the closure that lent the
  /// pointers waits for the team.
  struct Lent<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// An empty tensor has nothing to lend, and nothing to compute.
  static func read(_ tensor: Tensor, _ body: (UnsafePointer<Float>) -> Void) {
    unsafe tensor.scalars.withUnsafeBufferPointer { if let pointer = $0.baseAddress { unsafe body(pointer) } }
  }

  /// Numbers that another tensor shares are copied first, which is counted.
  static func write(_ tensor: inout Tensor, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let before = unsafe tensor.scalars.withUnsafeBufferPointer { $0.baseAddress }
    unsafe tensor.scalars.withUnsafeMutableBufferPointer {
      guard let pointer = $0.baseAddress else { return }
      if unsafe UnsafePointer(pointer) != before { Allocations.note() }
      unsafe body(pointer)
    }
  }

  static func readIfAny(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> Void) {
    if let tensor { unsafe tensor.scalars.withUnsafeBufferPointer { unsafe body($0.baseAddress) } } else { body(nil) }
  }

  static func writeIfAny(_ tensor: inout Tensor?, _ body: (UnsafeMutablePointer<Float>?) -> Void) {
    guard var moved = tensor, moved.count > 0 else { return body(nil) }
    tensor = nil
    unsafe write(&moved) { unsafe body($0) }
    tensor = moved
  }

  static func writeIfAny(_ tensor: inout Tensor, _ body: (UnsafeMutablePointer<Float>?) -> Void) {
    if tensor.count > 0 { unsafe write(&tensor) { unsafe body($0) } } else { body(nil) }
  }

  static func writeIfAny(_ gradient: inout Gradient?, _ body: (UnsafeMutablePointer<Float>?) -> Void) {
    guard var moved = gradient, moved.tensor.count > 0 else { return body(nil) }
    gradient = nil
    unsafe write(&moved.tensor) { unsafe body($0) }
    gradient = moved
  }

  static func readIfAny(_ indices: [Int32]?, _ body: (UnsafePointer<Int32>?) -> Void) {
    if let indices { unsafe indices.withUnsafeBufferPointer { unsafe body($0.baseAddress) } } else { body(nil) }
  }

  /// Elements by stretches whose borders never depend on the team.
  static func inStretches(of count: Int, by length: Int = 16_384, _ team: ThreadTeam, _ body: @Sendable (Range<Int>) -> Void) {
    team.forEachBlock(of: (count + length - 1) / length) { body($0 * length..<min(($0 + 1) * length, count)) }
  }

  static func rowsAStretch(_ columns: Int) -> Int { max(1, 8_192 / max(columns, 1)) }
}
