/// Convolutions one after the other as one primitive: image by image, forward and back, so that what a layer leaves is still in the cache
/// when the next one wants it, and nothing but layers' results is kept for the way back.
///
/// Layer l is y_l = f_l(s_l), s_l = y_(l−1) ∗ w_l + bias_l, to which a residual layer adds the sums s_j of an earlier one.
///
/// Inputs: x `[batch, height, width, channels]`, then each layer's w `[taps, channels, filters]` and bias `[filters]`.
package struct ConvolutionStack: Primitive {
  package struct Layer: Sendable {
    package let taps: Taps
    package let activation: Activation
    /// The earlier layer whose sums, before its activation, are added to this one's.
    package let joins: Int?

    package init(_ taps: Taps, _ activation: Activation = .identity, joins: Int? = nil) {
      (self.taps, self.activation, self.joins) = (taps, activation, joins)
    }
  }

  package let layers: [Layer]

  package init(_ layers: [Layer]) {
    precondition(!layers.isEmpty, "a stack of no layers")
    let joined = layers.compactMap(\.joins)
    precondition(Set(joined).count == joined.count, "sums that two layers join")
    for (index, layer) in layers.enumerated() {
      precondition(layer.joins.map { (0..<index).contains($0) } ?? true, "layer \(index) joins one that is not before it")
    }
    self.layers = layers
  }

  package func shape(of inputs: [[Int]]) -> [Int] { shapes(of: inputs).last ?? inputs[0] }

  /// What each layer makes.
  func shapes(of inputs: [[Int]]) -> [[Int]] {
    precondition(inputs.count == 1 + 2 * layers.count, "\(inputs.count) inputs for \(layers.count) layers")
    var shapes: [[Int]] = []
    for (index, layer) in layers.enumerated() {
      shapes.append(Convolution(layer.taps).shape(of: [shapes.last ?? inputs[0], inputs[1 + 2 * index]]))
      precondition(layer.joins.map { shapes[$0] == shapes[index] } ?? true, "layer \(index) joins one of another shape")
    }
    return shapes
  }

  package func keptShape(of inputs: [[Int]]) -> [Int] { [inputs[0][0], StackPlan(self, inputs).keptCount] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, keeping kept: inout Tensor, _ team: ThreadTeam) {
    Kernels.stack(inputs, StackPlan(self, inputs.map(\.shape)), into: &y, keeping: &kept, team)
  }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    var kept = Tensor(repeating: 0, shape: keptShape(of: inputs.map(\.shape)))
    forward(inputs, into: &y, keeping: &kept, team)
  }

  package func backward(
    _ inputs: [Tensor], y: Tensor, kept: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam
  ) {
    Kernels.stackGradients(inputs, StackPlan(self, inputs.map(\.shape)), y: y, kept: kept, dy: dy, into: &dInputs, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    var (again, kept) = (Tensor(repeating: 0, shape: y.shape), Tensor(repeating: 0, shape: keptShape(of: inputs.map(\.shape))))
    forward(inputs, into: &again, keeping: &kept, team)
    backward(inputs, y: y, kept: kept, dy: &dy, into: &dInputs, team)
  }

  package static var examples: [PrimitiveExample] {
    // Where rectifiers are, some filters are positive and some negative, biases included, and what they see is not negative: sums are far
    // from 0, where a rectifier has no derivative, on both sides of it.
    func example(_ layers: [Layer], image: [Int], filters: [Int], rectified: Bool = true) -> PrimitiveExample {
      var inputs = [Tensor.example(image[0], image[1], image[2], image[3], in: 0.5..<1)]
      func add(_ shape: [Int], _ range: Range<Float>) {
        var scalars = Tensor(uniformIn: range, shape: shape, .initialization, index: inputs.count, using: Philox(seed: 1)).scalars
        if rectified { for index in scalars.indices where index % (shape.last ?? 1) % 3 == 1 { scalars[index] *= -1 } }
        inputs.append(Tensor(shape: shape, scalars: scalars))
      }
      for (index, layer) in layers.enumerated() {
        let channels = index == 0 ? image[3] : filters[index - 1]
        add([layer.taps.count, channels, filters[index]], rectified ? 0.1..<0.3 : -0.5..<0.5)
        add([filters[index]], rectified ? 0.2..<0.3 : -0.5..<0.5)
      }
      return PrimitiveExample(ConvolutionStack(layers), inputs)
    }
    let (pixel, middle) = (Taps(height: 1, width: 1), Taps.causal(height: 3, width: 3, .upToCentre))
    return [
      example(
        [
          Layer(.causal(height: 3, width: 3, .beforeCentre), .relu), Layer(pixel, .relu), Layer(middle, .relu),
          Layer(pixel, .leakyRelu, joins: 0), Layer(middle, joins: 3), Layer(pixel),
        ], image: [3, 3, 4, 1], filters: [5, 3, 4, 5, 5, 2]),
      example(
        [
          Layer(Taps(height: 2, width: 3, stride: 2, border: .init(top: 1)), .tanh), Layer(middle, .sigmoid),
          Layer(Taps(height: 2, width: 2), .tanh),
        ], image: [2, 5, 7, 2], filters: [17, 3, 2], rectified: false),
    ]
  }
}
