/// y = (x − mean) / √(variance + ε) · gain + shift, the moments being those of each row (Ba, Kiros & Hinton 2016).
///
/// Inputs: x `[…, columns]`, gain `[columns]`, shift `[columns]`.
package struct LayerNorm: Primitive {
  package let epsilon: Float

  /// - Parameter epsilon: PyTorch's default.
  package init(epsilon: Float = 1e-5) { self.epsilon = epsilon }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.layerNorm(inputs[0], gain: inputs[1], shift: inputs[2], epsilon: epsilon, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    if dInputs[1] != nil || dInputs[2] != nil {
      let sums = Kernels.layerNormSums(inputs[0], gain: inputs[1], epsilon: epsilon, dy: dy, team)
      dInputs[1].take(sums.gain)
      dInputs[2].take(sums.shift)
    }
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write {
      Kernels.layerNormGradient(inputs[0], gain: inputs[1], epsilon: epsilon, dy: dy, into: &$0, adds: adds, team)
    }
  }

  package static var examples: [PrimitiveExample] {
    [
      PrimitiveExample(LayerNorm(), [.example(3, 21), .example(21, index: 1, in: 0.5..<1.5), .example(21, index: 2)]),
      PrimitiveExample(LayerNorm(), [.example(2, 3, 5), .example(5, index: 1, in: 0.5..<1.5), .example(5, index: 2)]),
    ]
  }
}

/// y = (x − mean) / √(variance + ε) · gain + shift, the moments being those of each column over the whole batch (Ioffe & Szegedy 2015).
///
/// Inputs: x `[…, columns]`, gain `[columns]`, shift `[columns]`. What scoring uses instead of a batch's moments is the model's to keep:
/// `Kernels.columnMoments` tells them and `Kernels.normalizeColumns` uses them.
package struct BatchNorm: Primitive {
  package let epsilon: Float

  /// - Parameter epsilon: PyTorch's default.
  package init(epsilon: Float = 1e-5) { self.epsilon = epsilon }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  private func moments(_ inputs: [Tensor], _ team: ThreadTeam) -> Kernels.ColumnMoments {
    let (mean, variance) = Kernels.columnMoments(inputs[0], team)
    let inverse = variance.scalars.map { Float(1 / (Double($0) + Double(epsilon)).squareRoot()) }
    let scale = zip(inverse, inputs[1].scalars).map { $0 * $1 }
    return Kernels.ColumnMoments(
      mean: mean, inverse: Tensor(shape: mean.shape, scalars: inverse), scale: Tensor(shape: mean.shape, scalars: scale))
  }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    let moments = moments(inputs, team)
    Kernels.normalizeColumns(inputs[0], mean: moments.mean, scale: moments.scale, shift: inputs[2], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    let moments = moments(inputs, team)
    let plain = Kernels.columnSums(dy, mean: nil, dy: nil, inverse: nil, team)
    let along = Kernels.columnSums(inputs[0], mean: moments.mean, dy: dy, inverse: moments.inverse, team)
    let rows = Double(inputs[0].count / plain.count)
    dInputs[1].take(along.scalars.map { Double($0) * rows })
    dInputs[2].take(plain.scalars.map { Double($0) * rows })
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write {
      Kernels.batchNormGradient(inputs[0], moments, dy: dy, plain: plain, along: along, into: &$0, adds: adds, team)
    }
  }

  package static var examples: [PrimitiveExample] {
    [
      PrimitiveExample(BatchNorm(), [.example(11, 3), .example(3, index: 1, in: 0.5..<1.5), .example(3, index: 2)]),
      PrimitiveExample(BatchNorm(), [.example(2, 3, 4, 19), .example(19, index: 1, in: 0.5..<1.5), .example(19, index: 2)]),
    ]
  }
}

extension Gradient? {
  /// Writes these numbers, or adds them, where a gradient is wanted.
  fileprivate mutating func take(_ numbers: [Double]) {
    guard let adds = self?.adds else { return }
    write { Kernels.update(&$0) { Float(numbers[$0]) + (adds ? $1 : 0) } }
  }
}
