/// z = mean + σ · ε with ε standard normal: a draw that gradients go through (Kingma & Welling 2014, §2.4).
///
/// Inputs: parameters `[batch, 2 · dims]`, a row's means and then the logarithms of its variances; y `[batch, dims]`.
package struct GaussianDraw: Primitive {
  let stream: Philox.Stream
  let step: Int
  let examples: [Int]
  let randomness: Philox

  /// - Parameter examples: each row's number, on which its draw depends and on no neighbour.
  package init(_ stream: Philox.Stream, step: Int, examples: [Int], using randomness: Philox) {
    (self.stream, self.step, self.examples, self.randomness) = (stream, step, examples, randomness)
  }

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0], inputs[0][1] / 2] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.gaussian(inputs[0], self, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write { Kernels.gaussianGradient(inputs[0], self, dz: dy, into: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] {
    [PrimitiveExample(GaussianDraw(.noise, step: 1, examples: [5, 2, 9], using: Philox(seed: 1)), [.example(3, 42)])]
  }
}

/// The divergence KL(N(mean, σ²) ‖ N(0, 1)) of each row, nats, in closed form (Kingma & Welling 2014, appendix B).
///
/// Inputs: parameters `[batch, 2 · dims]`, as `GaussianDraw`'s; y `[batch]`.
package struct GaussianDivergence: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.gaussianDivergence(inputs[0], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write { Kernels.gaussianDivergenceGradient(inputs[0], dnats: dy, into: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] { [PrimitiveExample(GaussianDivergence(), [.example(3, 42)])] }
}
