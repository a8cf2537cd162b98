/// y = tanh(a) · σ(b), a feature and the gate that it passes (van den Oord et al. 2016, Conditional Image Generation with PixelCNN
/// Decoders, eq. 2).
///
/// Input: `[…, 2 · units]`, the features a and then the gates b; y `[…, units]`.
package struct GatedUnit: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] {
    let width = inputs[0].last ?? 0
    precondition(width > 0 && width % 2 == 0, "\(inputs[0]) has no features with as many gates")
    return inputs[0].dropLast() + [width / 2]
  }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) { Kernels.gate(inputs[0], into: &y, team) }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write { Kernels.gateGradient(inputs[0], dy: dy, into: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] {
    [PrimitiveExample(GatedUnit(), [.example(2, 3, 38, in: -2..<2)]), PrimitiveExample(GatedUnit(), [.example(1, 2)])]
  }
}
