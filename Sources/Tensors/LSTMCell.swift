/// One step of a long short-term memory: c = σ(forget) · c before + σ(in) · tanh(candidate), h = σ(out) · tanh(c).
///
/// Inputs: the gates' sums `[batch, 4 · units]`, in the order in, forget, candidate, out, and the state before `[batch, 2 · units]`, h and
/// then c; y is the state after. A family takes h out of it by `Gather`.
package struct LSTMCell: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[1] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.lstm(gates: inputs[0], before: inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard var dgates = dInputs[0] else { preconditionFailure("gates without a gradient have nothing to learn") }
    var dbefore = dInputs[1]
    for position in dInputs.indices { dInputs[position] = nil }
    Kernels.lstmGradient(gates: inputs[0], before: inputs[1], y: y, dy: dy, dgates: &dgates, dbefore: &dbefore, team)
    dInputs[0] = dgates
    dInputs[1] = dbefore
  }

  package static var examples: [PrimitiveExample] {
    [
      PrimitiveExample(LSTMCell(), [.example(3, 76, in: -2..<2), .example(3, 38, index: 1)]),
      PrimitiveExample(LSTMCell(), [.example(1, 4), .example(1, 2, index: 1)]),
    ]
  }
}
