import CKernels

/// Conditionals that share one hidden layer.
extension Kernels {
  /// The weights of a `RunningSum`.
  package struct RunningWeights: Sendable {
    let W, c, V, b: Tensor

    /// - Parameters:
    ///   - W: `[dims, hidden]`
    ///   - c: `[hidden]`
    ///   - V: `[dims · outputs, hidden]`
    ///   - b: `[dims · outputs]`
    package init(W: Tensor, c: Tensor, V: Tensor, b: Tensor) { (self.W, self.c, self.V, self.b) = (W, c, V, b) }

    /// The primitive's inputs, x before them.
    init(_ inputs: [Tensor]) { self.init(W: inputs[1], c: inputs[2], V: inputs[3], b: inputs[4]) }
  }

  /// `fount_running_logits`.
  /// - Parameters:
  ///   - x: `[batch, dims]`
  ///   - z: `[batch, dims · outputs]`
  static func runningLogits(_ x: Tensor, _ weights: RunningWeights, _ layer: RunningSum, into z: inout Tensor, _ team: ThreadTeam) {
    let batch = x.rows
    check(weights, layer, batch: batch, dims: x.columns)
    precondition(z.count == batch * weights.b.count, "z has shape \(z.shape), not \([batch, weights.b.count])")
    unsafe lend(weights, layer, batch: batch) { running in
      unsafe read(x) { x in
        unsafe write(&z) { z in
          var running = unsafe running
          unsafe (running.x, running.z) = (x, z)
          let lent = unsafe Lent(running)
          team.forEachBlock(of: blocks(batch, of: fount_running_rows)) { block in
            var running = unsafe lent.value
            unsafe fount_running_logits(&running, block)
          }
        }
      }
    }
  }

  /// `fount_running_gradients`: those of the weights that are wanted, from z's.
  static func runningGradients(
    _ x: Tensor, _ weights: RunningWeights, _ layer: RunningSum, dy: Tensor, dW: inout Gradient?, dc: inout Gradient?,
    dV: inout Gradient?, _ team: ThreadTeam
  ) {
    let (batch, dims, hidden) = (x.rows, x.columns, weights.c.count)
    check(weights, layer, batch: batch, dims: dims)
    precondition(batch > 0 && dy.count == batch * weights.b.count, "dy has shape \(dy.shape), not \([batch, weights.b.count])")
    precondition(
      dW.map { $0.tensor.count == weights.W.count } ?? true && dc.map { $0.tensor.count == hidden } ?? true
        && dV.map { $0.tensor.count == weights.V.count } ?? true, "gradients of other shapes")
    let adds = (dW: dW?.adds ?? false, dc: dc?.adds ?? false, dV: dV?.adds ?? false)
    unsafe lend(weights, layer, batch: batch) { running in
      unsafe read(x) { x in
        unsafe read(dy) { dy in
          unsafe writeIfAny(&dW) { dW in
            unsafe writeIfAny(&dc) { dc in
              unsafe writeIfAny(&dV) { dV in
                var running = unsafe running
                unsafe (running.x, running.dz, running.dw, running.dc, running.dv) = (x, dy, dW, dc, dV)
                unsafe (running.dw_adds, running.dc_adds, running.dv_adds) = (adds.dW ? 1 : 0, adds.dc ? 1 : 0, adds.dV ? 1 : 0)
                let blocks = blocks(batch, of: fount_running_gradient_rows)
                let numbers = blocks * dims * (2 + layer.outputs) * fount_running_gradient_rows
                let lent = unsafe Lent((running: running, packed: fount_scratch(Int32(fount_scratch_weights), numbers)))
                team.forEachBlock(of: blocks) { block in
                  var (running, packed) = unsafe lent.value
                  unsafe fount_running_pack(&running, packed, block)
                }
                let spread = Spread(over: panels(hidden))
                team.forEachBlock(of: spread.count) { block in
                  var (running, packed) = unsafe lent.value
                  unsafe fount_running_gradients(&running, packed, spread.place(block))
                }
              }
            }
          }
        }
      }
    }
  }

  /// `fount_running_draw`: bits drawn dimension after dimension, each by its uniform (stream `sampling`, the sample's number, the
  /// dimension) against the sigmoid of its logit over the temperature. A sample does not depend on its neighbours, their number or the team.
  /// - Parameter indices: the samples' numbers.
  /// - Returns: bits and their logits, `[indices, dims]`; the logits are those of scoring the bits, to the bit.
  package static func drawBits(
    _ weights: RunningWeights, order: Order?, _ indices: [Int], temperature: Float, using randomness: Philox, _ team: ThreadTeam
  ) -> (x: Tensor, logits: Tensor) {
    let (batch, dims) = (indices.count, weights.b.count)
    let layer = RunningSum(order: order)
    check(weights, layer, batch: batch, dims: dims)
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    var x = Tensor(repeating: 0, shape: [batch, dims])
    var logits = x
    let examples = indices.map { UInt32($0) }
    unsafe lend(weights, layer, batch: batch) { running in
      unsafe examples.withUnsafeBufferPointer { examples in
        unsafe write(&x) { x in
          unsafe write(&logits) { logits in
            var running = unsafe running
            unsafe running.z = logits
            let lent = unsafe Lent((running: running, x: x, examples: examples.baseAddress))
            team.forEachBlock(of: blocks(batch, of: fount_running_rows)) { block in
              var (running, x, examples) = unsafe lent.value
              let stream = Philox.Stream.sampling
              unsafe fount_running_draw(&running, x, examples, 0, stream.number, randomness.seed, temperature, block)
            }
          }
        }
      }
    }
    return (x, logits)
  }

  /// Panels in an order in which those that are taken one after the other lie apart: neighbours share lines of the cache, and threads that
  /// write to them at once would take the lines from each other.
  private struct Spread: Sendable {
    let count: Int
    private let step: Int

    init(over count: Int) {
      func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
      self.count = count
      step = (max(1, count * 2 / 5)...max(1, count)).first { divisor($0, count) == 1 } ?? 1
    }

    /// Each place comes once, since step and count have no divisor in common.
    func place(_ block: Int) -> Int { block * step % count }
  }

  private static func check(_ weights: RunningWeights, _ layer: RunningSum, batch: Int, dims: Int) {
    let (hidden, outputs) = (weights.c.count, layer.outputs)
    precondition(hidden > 0 && dims > 0 && outputs > 0, "\(dims) dimensions of \(outputs) outputs over \(hidden) units")
    precondition(weights.W.shape == [dims, hidden], "W has shape \(weights.W.shape), not \([dims, hidden])")
    precondition(weights.V.shape == [dims * outputs, hidden], "V has shape \(weights.V.shape), not \([dims * outputs, hidden])")
    precondition(weights.b.count == dims * outputs, "b has shape \(weights.b.shape), not \([dims * outputs])")
    precondition(layer.order.map { $0.isPermutation && $0.bound == dims } ?? true, "an order that is not one of \(dims) dimensions")
  }

  private static func lend(_ weights: RunningWeights, _ layer: RunningSum, batch: Int, _ body: (fount_running) -> Void) {
    let (dims, hidden, outputs) = (weights.b.count / layer.outputs, weights.c.count, layer.outputs)
    unsafe read(weights.W) { W in
      unsafe read(weights.c) { c in
        unsafe read(weights.V) { V in
          unsafe read(weights.b) { b in
            unsafe readIfAny(layer.order?.indices) { order in
              var running = unsafe fount_running()
              unsafe (running.batch, running.dims, running.hidden, running.outputs) = (batch, dims, hidden, outputs)
              unsafe (running.order, running.w, running.c, running.v, running.bias) = (order, W, c, V, b)
              unsafe body(running)
            }
          }
        }
      }
    }
  }

  private static func blocks(_ rows: Int, of length: Int) -> Int { (rows + length - 1) / length }
}
