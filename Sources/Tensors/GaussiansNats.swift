/// −ln of the density of each row under independent mixtures of Gaussians, nats (RNADE: Uria, Murray & Larochelle 2013, eqs. 9 to 13). A
/// deviation of less than e^−7 counts as that much.
///
/// Inputs: parameters, for each number of x the logits of the shares, the means and the logarithms of the deviations, in all
/// `[batch, …, 3 · components]` under any shape; and x `[batch, …]`, which is data and has no gradient.
package struct GaussiansNats: Primitive {
  package let components: Int

  package init(components: Int) { self.components = components }

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[1][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    let nats = Kernels.gaussiansNats(inputs[0], components: components, of: inputs[1], team)
    Kernels.update(&y) { row, _ in Float(nats[row]) }
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[1] == nil, "data has no gradient")
    guard var gradient = dInputs[0] else { return }
    dInputs[0] = nil
    Kernels.gaussiansGradient(inputs[0], components: components, of: inputs[1], dnats: dy, into: &gradient, team)
    dInputs[0] = gradient
  }

  package static var examples: [PrimitiveExample] {
    // Deviations that are no narrower than numbers of single precision can follow, and one beyond the bound.
    var bounded = Tensor.example(2, 3, in: -0.1..<0.1)
    bounded[1, 2] = -8
    return [
      PrimitiveExample(GaussiansNats(components: 3), [.example(3, 2, 9), .example(3, 2, index: 1)], differentiable: [true, false]),
      PrimitiveExample(GaussiansNats(components: 1), [.example(2, 3), .example(2, 1, index: 1)], differentiable: [true, false]),
      PrimitiveExample(
        GaussiansNats(components: 1), [bounded, Tensor(shape: [2], scalars: [0.3, bounded[1, 1]])], differentiable: [true, false]),
    ]
  }
}
