/// y = f(x), where what comes before has no activation of its own.
package struct Activate: Primitive {
  package let activation: Activation

  package init(_ activation: Activation) { self.activation = activation }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.activate(inputs[0], activation, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    if adds {
      dInputs[0].write { Kernels.addActivationGradient(activation, y: y, dy: dy, to: &$0, team) }
    } else {
      Kernels.activationGradient(activation, y: y, dy: &dy, team)
      dInputs[0].take(&dy, isLast: true, team)
    }
  }

  package static var examples: [PrimitiveExample] {
    // Away from 0, where a rectifier has no derivative.
    [(Activation.relu, 0.5), (.leakyRelu, -0.5), (.relu, -0.5), (.tanh, 0), (.sigmoid, 0), (.identity, 0)].map { activation, middle in
      PrimitiveExample(Activate(activation), [.example(3, 7, in: Float(middle) - 0.25..<Float(middle) + 0.25)])
    }
  }
}

/// The same numbers under another shape.
package struct Reshape: Primitive {
  let shape: [Int]

  package init(_ shape: [Int]) { self.shape = shape }

  package func shape(of inputs: [[Int]]) -> [Int] { shape }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.add(inputs[0], to: &y, adds: false, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write { Kernels.add(dy, to: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] { [PrimitiveExample(Reshape([2, 3, 2]), [.example(4, 3)])] }
}
