/// y = f(x ∗ w + bias) over the taps that are alive.
///
/// Inputs: x `[batch, height, width, channels]`, w `[taps, channels, filters]`, and bias `[filters]` where there is one;
/// y `[batch, height, width, filters]`, of extents that the taps' stride and border tell.
package struct Convolution: Primitive {
  package let taps: Taps
  package let activation: Activation

  package init(_ taps: Taps, _ activation: Activation = .identity) {
    self.taps = taps
    self.activation = activation
  }

  package func shape(of inputs: [[Int]]) -> [Int] {
    let result = taps.result(height: inputs[0][1], width: inputs[0][2])
    return [inputs[0][0], result.height, result.width, inputs[1][2]]
  }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.convolution(inputs[0], inputs[1], inputs.count > 2 ? inputs[2] : nil, taps, activation, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    Kernels.activationGradient(activation, y: y, dy: &dy, team)
    var (dw, dbias) = (dInputs[1], dInputs.count > 2 ? dInputs[2] : nil)
    for position in dInputs.indices.dropFirst() { dInputs[position] = nil }
    Kernels.convolutionWeightGradient(inputs[0], dy: dy, taps, dw: &dw, dbias: &dbias, team)
    dInputs[1] = dw
    if dInputs.count > 2 { dInputs[2] = dbias }
    if let adds = dInputs[0]?.adds {
      dInputs[0].write { Kernels.convolutionDataGradient(dy, inputs[1], nil, taps, .identity, into: &$0, adds: adds, team) }
    }
  }

  package static var examples: [PrimitiveExample] {
    func example(_ taps: Taps, _ activation: Activation = .identity, image: [Int], filters: Int, bias: Bool = true) -> PrimitiveExample {
      // Large sums of one sign where a rectifier has no derivative at 0.
      let range: Range<Float> = activation == .relu ? 0.5..<1 : -1..<1
      let x = Tensor.example(image[0], image[1], image[2], image[3], in: range)
      let w = Tensor.example(taps.count, image[3], filters, index: 1, in: range)
      return PrimitiveExample(Convolution(taps, activation), bias ? [x, w, .example(filters, index: 2)] : [x, w])
    }
    return [
      example(.causal(height: 3, width: 3, .upToCentre), .relu, image: [2, 4, 5, 3], filters: 17),
      example(.causal(height: 7, width: 7, .beforeCentre), .tanh, image: [1, 5, 4, 1], filters: 3),
      example(Taps(height: 1, width: 4, border: .init(left: 3)), image: [2, 1, 7, 2], filters: 2, bias: false),
      example(Taps(height: 4, width: 4, stride: 2, border: .init(all: 1)), .sigmoid, image: [9, 6, 8, 2], filters: 4),
      example(Taps(height: 2, width: 3, stride: 3, border: .init(top: 1)), image: [2, 7, 8, 2], filters: 1),
    ]
  }
}

/// The convolution's transpose: y is the image whose convolution has x for its data's gradient; with a stride it is the larger one.
///
/// Inputs: x `[batch, height, width, filters]`, w `[taps, channels, filters]`, and bias `[channels]` where there is one;
/// y `[batch, height, width, channels]`.
package struct TransposedConvolution: Primitive {
  package let taps: Taps
  package let activation: Activation

  package init(_ taps: Taps, _ activation: Activation = .identity) {
    self.taps = taps
    self.activation = activation
  }

  package func shape(of inputs: [[Int]]) -> [Int] {
    let image = taps.image(ofResult: inputs[0][1], inputs[0][2])
    return [inputs[0][0], image.height, image.width, inputs[1][1]]
  }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.convolutionDataGradient(inputs[0], inputs[1], inputs.count > 2 ? inputs[2] : nil, taps, activation, into: &y, adds: false, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    Kernels.activationGradient(activation, y: y, dy: &dy, team)
    var none = Gradient?.none
    var dw = dInputs[1]
    dInputs[1] = nil
    if dw != nil { Kernels.convolutionWeightGradient(dy, dy: inputs[0], taps, dw: &dw, dbias: &none, team) }
    dInputs[1] = dw
    if let adds = dInputs[0]?.adds {
      dInputs[0].write { Kernels.convolution(dy, inputs[1], nil, taps, .identity, into: &$0, adds: adds, team) }
    }
    if dInputs.count > 2, let adds = dInputs[2]?.adds { dInputs[2].write { Kernels.sumOfRows(dy, into: &$0, adds: adds, team) } }
  }

  package static var examples: [PrimitiveExample] {
    let doubling = Taps(height: 4, width: 4, stride: 2, border: .init(all: 1))
    let plain = Taps(height: 3, width: 2, border: .init(top: 1))
    return [
      PrimitiveExample(
        TransposedConvolution(doubling, .tanh), [.example(9, 3, 4, 2), .example(16, 3, 2, index: 1), .example(3, index: 2)]),
      PrimitiveExample(
        TransposedConvolution(doubling, .relu),
        [.example(1, 3, 2, 2, in: 0.5..<1), .example(16, 17, 2, index: 1, in: 0.5..<1), .example(17, index: 2, in: 0..<1)]),
      PrimitiveExample(TransposedConvolution(plain), [.example(2, 4, 3, 2), .example(6, 1, 2, index: 1)]),
    ]
  }
}
