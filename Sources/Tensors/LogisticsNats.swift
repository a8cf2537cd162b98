/// −ln p(x) of each row under independent discretized mixtures of logistics, nats (Salimans et al. 2017, §2.1).
///
/// Inputs: parameters `[batch, …, 3 · components]`, for each site the logits of the shares, the means on −1…1 and the logarithms of the
/// scales; and x `[batch, …]`, levels of 0…255 over 255, which is data and has no gradient.
package struct LogisticsNats: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.logisticsNats(parameters: inputs[0], of: inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[1] == nil, "data has no gradient")
    guard var gradient = dInputs[0] else { return }
    dInputs[0] = nil
    Kernels.logisticsGradient(parameters: inputs[0], of: inputs[1], dnats: dy, into: &gradient, team)
    dInputs[0] = gradient
  }

  package static var examples: [PrimitiveExample] {
    // Both ends, and levels in between.
    let levels = Tensor(shape: [3, 2], scalars: [0, 1, 100, 255, 254, 128].map { $0 / 255 })
    let grey = Tensor(shape: [2, 1], scalars: [77, 0].map { $0 / 255 })
    return [
      PrimitiveExample(LogisticsNats(), [.example(3, 2, 9, in: -1.5..<1.5), levels], differentiable: [true, false]),
      PrimitiveExample(LogisticsNats(), [.example(2, 1, 3), grey], differentiable: [true, false]),
    ]
  }
}
