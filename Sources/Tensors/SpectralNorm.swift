/// y = w / σ, where σ = uᵀ·w·v estimates the largest singular value of w as a matrix `[all other axes, last axis]`: a layer with such
/// weights stretches no distance (Miyato, Kataoka, Koyama & Yoshida, ICLR 2018, §2.1). u and v are data, as in their §A.
///
/// Input: w, of two axes or more.
package struct SpectralNorm: Primitive {
  /// `[all other axes]` and `[last axis]`, both of length 1.
  package let u: Tensor
  package let v: Tensor

  /// - Parameter direction: where v was after the last step, `[1, last axis]`; one turn of the power method goes on from there.
  package init(_ w: Tensor, direction: Tensor, _ team: ThreadTeam) {
    let w = Self.matrix(w)
    precondition(direction.shape == [1, w.columns], "a direction of \(w.columns) numbers, not \(direction.shape)")
    u = Self.normalized(Self.product(direction, withTransposed: w, team))
    var along = Tensor(repeating: 0, shape: [1, w.columns])
    Kernels.dense(u, w, nil, nil, .identity, into: &along, team)
    v = Self.normalized(along)
  }

  /// Where the next step goes on from, `[1, last axis]`.
  package var direction: Tensor { v }

  private init(u: Tensor, v: Tensor) { (self.u, self.v) = (u, v) }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.add(inputs[0], scale: 1 / sigma(inputs[0], team), to: &y, adds: false, team)
  }

  /// By w: (dy − ⟨dy, y⟩ · u·vᵀ) / σ.
  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    let sigma = sigma(inputs[0], team)
    var along = 0.0
    for (a, b) in zip(dy.scalars, y.scalars) { along += Double(a) * Double(b) }
    let scaled = Tensor(shape: u.shape, scalars: u.scalars.map { $0 * Float(-along) / sigma })
    dInputs[0].write { dw in
      Kernels.add(dy, scale: 1 / sigma, to: &dw, adds: adds, team)
      let shape = dw.shape
      var (none, gradient) = (Gradient?.none, Gradient?.some(Gradient(tensor: Self.matrix(dw), adds: true)))
      dw = .empty
      var noBias = Gradient?.none
      Kernels.denseGradients(scaled, Self.matrix(inputs[0]), nil, dy: v, dx: &none, dw: &gradient, dbias: &noBias, team)
      if let gradient { dw = Tensor(shape: shape, scalars: gradient.tensor.scalars) }
    }
  }

  private func sigma(_ w: Tensor, _ team: ThreadTeam) -> Float {
    var along = Tensor(repeating: 0, shape: v.shape)
    Kernels.dense(u, Self.matrix(w), nil, nil, .identity, into: &along, team)
    let sigma = zip(along.scalars, v.scalars).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    // Weights that are all 0 stay what they are.
    return sigma > 1e-12 ? Float(sigma) : 1
  }

  private static func matrix(_ w: Tensor) -> Tensor {
    let columns = w.shape.last ?? 1
    return Tensor(shape: [w.count / max(columns, 1), columns], scalars: w.scalars)
  }

  private static func product(_ x: Tensor, withTransposed w: Tensor, _ team: ThreadTeam) -> Tensor {
    var (none, noBias) = (Gradient?.none, Gradient?.none)
    var dx = Gradient?.some(Gradient(tensor: Tensor(repeating: 0, shape: [1, w.rows]), adds: false))
    Kernels.denseGradients(Tensor(repeating: 0, shape: [1, w.rows]), w, nil, dy: x, dx: &dx, dw: &none, dbias: &noBias, team)
    return dx?.tensor ?? .empty
  }

  private static func normalized(_ x: Tensor) -> Tensor {
    let norm = x.scalars.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return Tensor(shape: x.shape, scalars: x.scalars.map { Float(Double($0) / max(norm, 1e-12)) })
  }

  package static var examples: [PrimitiveExample] {
    func example(_ w: Tensor) -> PrimitiveExample {
      let columns = w.shape.last ?? 1
      let (u, v) = (Tensor.example(1, w.count / columns, index: 1), Tensor.example(1, columns, index: 2))
      // Not where the power method would lead, so that the gradient by σ counts; and shifted, so that σ is not near 0.
      let shifted = Tensor(shape: w.shape, scalars: w.scalars.map { $0 + 0.5 })
      func positive(_ x: Tensor) -> Tensor { normalized(Tensor(shape: x.shape, scalars: x.scalars.map { $0 + 1.5 })) }
      return PrimitiveExample(SpectralNorm(u: positive(u), v: positive(v)), [shifted])
    }
    return [example(.example(7, 5)), example(.example(3, 2, 19))]
  }
}
