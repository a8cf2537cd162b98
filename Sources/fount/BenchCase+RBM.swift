import Tensors

// MARK: A restricted Boltzmann machine: contrastive divergence with one step, down a plain gradient

extension BenchCase {
  private static let (batch, visible, hidden) = (100, 784, 500)

  static let rbmCases = [
    BenchCase(
      name: "rbm_784_500_cd1_b100", what: "train_step",
      // Three half steps and two correlations, zeros counted in.
      operations: 5 * 2 * Double(batch * visible * hidden),
      leaving: { team in
        var parameters = Parameters(.sgd())
        let W = Tensor(uniformIn: -0.01..<0.01, shape: [visible, hidden], .initialization, index: 0, using: Philox(seed: 1))
        _ = parameters.add("W", W, decays: true)
        _ = parameters.add("visible", Tensor(repeating: 0, shape: [visible]), decays: false)
        _ = parameters.add("hidden", Tensor(repeating: 0, shape: [hidden]), decays: false)
        let v0 = bits(rows: batch, columns: visible)
        func units(_ count: Int) -> Tensor { Tensor(repeating: 0, shape: [batch, count]) }
        var (p0, h0, q1, v1, p1) = (units(hidden), units(hidden), units(visible), units(visible), units(hidden))
        var none = Tensor(repeating: 0, shape: [0])
        func gradient(_ index: Int) -> Tensor { Tensor(repeating: 0, shape: parameters[index].shape) }
        var (dW, da, db) = (gradient(0), gradient(1), gradient(2))
        var step = 0
        return {
          func draw(_ half: Int) -> Kernels.Draw {
            Kernels.Draw(.noise, step: 2 * step + half, examples: Array(0..<batch), using: Philox(seed: 1))
          }
          let (W, a, b) = (parameters[0], parameters[1], parameters[2])
          Kernels.units(v0, W, bias: b, draw(0), p: &p0, bits: &h0, team)
          Kernels.units(h0, W, transposed: true, bias: a, draw(1), p: &q1, bits: &v1, team)
          Kernels.units(v1, W, bias: b, nil, p: &p1, bits: &none, team)
          Kernels.contrast(data: (v0, p0), model: (v1, p1), dW: &dW, dVisible: &da, dHidden: &db, team)
          parameters.descend(learningRate: 0.05, step: step, gradients: [dW, da, db], team)
          step += 1
          return parameters.all.map(\.tensor)
        }
      })
  ]
}
