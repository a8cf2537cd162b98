/// −ln p(x) of each row of levels, each under the softmax of its own 256 logits, nats.
///
/// Inputs: logits `[batch, …, 256 · channels]`, and x `[batch, …, channels]`, levels of 0…255 over 255, which is data and has no gradient.
package struct LevelNats: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.levelNats(logits: inputs[0], of: inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[1] == nil, "data has no gradient")
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write { Kernels.levelGradient(logits: inputs[0], of: inputs[1], dnats: dy, into: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] {
    let levels = Tensor(shape: [2, 1, 2], scalars: [0, 255, 7, 128].map { $0 * (1 / 255) })
    return [PrimitiveExample(LevelNats(), [.example(2, 1, 512, in: -2..<2), levels], differentiable: [true, false])]
  }
}

/// −ln p(x) of each row of pixels of three channels under discretized mixtures of logistics (Salimans et al. 2017, §2.2), nats: a
/// component's share is one for all three channels, its mean of green depends linearly on red, that of blue on red and green.
///
/// Inputs: parameters `[batch, …, 10 · components]`, for each pixel the logits of the shares, the means of red, green and blue on −1…1, the
/// logarithms of their scales, and what the tanh of is the part of red in green's mean, of red in blue's and of green in blue's; and x
/// `[batch, …, 3]`, levels of 0…255 over 255, which is data and has no gradient.
package struct ColourLogisticsNats: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.colourLogisticsNats(parameters: inputs[0], of: inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[1] == nil, "data has no gradient")
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write {
      Kernels.colourLogisticsGradient(parameters: inputs[0], of: inputs[1], dnats: dy, into: &$0, adds: adds, team)
    }
  }

  package static var examples: [PrimitiveExample] {
    // Both ends, and levels in between.
    let levels = Tensor(shape: [2, 2, 3], scalars: [0, 1, 100, 255, 254, 128, 12, 0, 255, 77, 78, 79].map { $0 / 255 })
    return [PrimitiveExample(ColourLogisticsNats(), [.example(2, 2, 30, in: -1.5..<1.5), levels], differentiable: [true, false])]
  }
}
