/// The logits of conditionals that share one hidden layer: z_d = V_d · σ(c + Σ x_e · W_e over the e before d) + b_d, the sum being carried
/// along from dimension to dimension (NADE: Larochelle & Murray 2011, Algorithm 1).
///
/// Inputs: x `[batch, dims]`, bits or reals, which is data and has no gradient; W `[dims, hidden]`; c `[hidden]`;
/// V `[dims · outputs, hidden]` and b `[dims · outputs]`, a dimension's outputs beside each other; y `[batch, dims · outputs]`.
/// - Complexity: O(batch · dims · hidden); an input of 0 leaves the hidden units as they are and costs none of their sigmoids.
package struct RunningSum: Primitive {
  /// Which dimension comes at each place; nil for the data's own order.
  package let order: Order?
  package let outputs: Int

  /// - Parameter outputs: logits of each dimension: one for bits, as many as there are classes for others.
  package init(order: Order? = nil, outputs: Int = 1) {
    self.order = order
    self.outputs = outputs
  }

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0], inputs[3][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.runningLogits(inputs[0], Kernels.RunningWeights(inputs), self, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[0] == nil, "data has no gradient")
    var (dW, dc, dV) = (dInputs[1], dInputs[2], dInputs[3])
    for position in 1...3 { dInputs[position] = nil }
    Kernels.runningGradients(inputs[0], Kernels.RunningWeights(inputs), self, dy: dy, dW: &dW, dc: &dc, dV: &dV, team)
    (dInputs[1], dInputs[2], dInputs[3]) = (dW, dc, dV)
    guard let adds = dInputs[4]?.adds else { return }
    dInputs[4].write { Kernels.sumOfRows(dy, into: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] {
    func example(_ x: Tensor, hidden: Int, order: Order? = nil, outputs: Int = 1) -> PrimitiveExample {
      let dims = x.columns
      return PrimitiveExample(
        RunningSum(order: order, outputs: outputs),
        [
          x, .example(dims, hidden, index: 1), .example(hidden, index: 2), .example(dims * outputs, hidden, index: 3),
          .example(dims * outputs, index: 4),
        ],
        differentiable: [false, true, true, true, true])
    }
    // More rows than one block has, and more units than one panel.
    let bits = Tensor(shape: [19, 5], scalars: Tensor.example(19, 5).scalars.map { $0 < 0 ? 0 : 1 })
    return [
      example(bits, hidden: 18),
      example(.example(3, 4), hidden: 3, order: Order([2, 0, 3, 1], within: 4), outputs: 3),
      example(.example(2, 1), hidden: 16),
    ]
  }
}
