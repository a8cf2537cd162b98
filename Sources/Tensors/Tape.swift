/// Reverse-mode differentiation over whole tensors.
///
/// A step writes its equations down on the tape: each is computed at once and remembered. `backward` then goes the other way and gives
/// every variable that can be learnt its gradient of the loss. The tape is a value that a model keeps from step to step: the same
/// equations of the same shapes find last step's tensors, so that a step allocates none after the first.
package struct Tape: Sendable {
  /// A tensor on the tape, in this step.
  package struct Variable: Sendable, Hashable {
    fileprivate let index: Int
  }

  private struct Node: Sendable {
    /// Nil for what comes from outside.
    let primitive: (any Primitive)?
    let inputs: [Int]
    /// Whether anything that can be learnt is behind it.
    let learns: Bool
    var gradientIsWritten = false
  }

  private let team: ThreadTeam
  private var nodes: [Node] = []
  /// One for each node, and those left over from longer steps.
  private var values: [Tensor] = []
  private var gradients: [Tensor] = []
  /// What operations keep beside their results.
  private var kept: [Tensor] = []

  package init(_ team: ThreadTeam) { self.team = team }

  /// Starts a step.
  package mutating func begin() { nodes.removeAll(keepingCapacity: true) }

  /// Data: no gradient.
  package mutating func constant(_ tensor: Tensor) -> Variable { outside(tensor, learns: false) }

  /// A weight: its gradient is wanted.
  package mutating func parameter(_ tensor: Tensor) -> Variable { outside(tensor, learns: true) }

  private mutating func outside(_ tensor: Tensor, learns: Bool) -> Variable {
    nodes.append(Node(primitive: nil, inputs: [], learns: learns))
    let index = nodes.count - 1
    if values.count == index {
      values.append(tensor)
      gradients.append(.empty)
      kept.append(.empty)
    } else {
      values[index] = tensor
    }
    return Variable(index: index)
  }

  /// Computes `primitive` and remembers it.
  package mutating func apply(_ primitive: some Primitive, _ inputs: [Variable]) -> Variable {
    let operands = inputs.map { values[$0.index] }
    let shape = primitive.shape(of: operands.map(\.shape))
    nodes.append(Node(primitive: primitive, inputs: inputs.map(\.index), learns: inputs.contains { nodes[$0.index].learns }))
    let index = nodes.count - 1
    if values.count == index {
      values.append(.empty)
      gradients.append(.empty)
      kept.append(.empty)
    }
    if values[index].shape != shape { values[index] = Tensor(repeating: 0, shape: shape) }
    let keptShape = primitive.keptShape(of: operands.map(\.shape))
    if kept[index].shape != keptShape { kept[index] = Tensor(repeating: 0, shape: keptShape) }
    // In its place: a tensor that is moved out first may be shared for the compiler's convenience, and then a write copies it.
    primitive.forward(operands, into: &values[index], keeping: &kept[index], team)
    return Variable(index: index)
  }

  package func value(_ variable: Variable) -> Tensor { values[variable.index] }

  /// The gradient of the loss by `variable`, of its shape; 0 where the loss does not depend on it.
  package func gradient(_ variable: Variable) -> Tensor {
    let index = variable.index
    return nodes[index].gradientIsWritten ? gradients[index] : Tensor(repeating: 0, shape: values[index].shape)
  }

  /// Computes the gradients of `loss`, a single number.
  package mutating func backward(from loss: Variable) {
    precondition(values[loss.index].count == 1, "a loss is one number, not \(values[loss.index].shape)")
    if gradients[loss.index].shape != values[loss.index].shape {
      gradients[loss.index] = Tensor(repeating: 1, shape: values[loss.index].shape)
    } else {
      gradients[loss.index].fill(1)
    }
    nodes[loss.index].gradientIsWritten = true
    for index in stride(from: loss.index, through: 0, by: -1) {
      guard let primitive = nodes[index].primitive, nodes[index].learns, nodes[index].gradientIsWritten else { continue }
      let inputs = nodes[index].inputs
      let operands = inputs.map { values[$0] }
      // Where a variable is used twice by one primitive, the second use gets a tensor of its own, that is added afterwards.
      let repeats = inputs.indices.map { inputs[..<$0].contains(inputs[$0]) }
      var wanted = zip(inputs, repeats).map { takeGradient($0, again: $1) }
      primitive.backward(operands, y: values[index], kept: kept[index], dy: &gradients[index], into: &wanted, team)
      for position in inputs.indices {
        guard var gradient = wanted[position] else { continue }
        wanted[position] = nil
        if repeats[position] {
          Kernels.add(gradient.tensor, to: &gradients[inputs[position]], adds: true, team)
        } else {
          swap(&gradients[inputs[position]], &gradient.tensor)
        }
        nodes[inputs[position]].gradientIsWritten = true
      }
    }
  }

  /// Moves a gradient's tensor out of the tape, so that it can be written in place; nil where nobody learns from it.
  private mutating func takeGradient(_ index: Int, again: Bool) -> Gradient? {
    guard nodes[index].learns else { return nil }
    if again { return Gradient(tensor: Tensor(repeating: 0, shape: values[index].shape), adds: false) }
    var tensor = Tensor.empty
    swap(&tensor, &gradients[index])
    if tensor.shape != values[index].shape { tensor = Tensor(repeating: 0, shape: values[index].shape) }
    return Gradient(tensor: tensor, adds: nodes[index].gradientIsWritten)
  }

  /// Lets go of the tensors that came from outside, so that their owner can change them in place.
  package mutating func release() {
    for index in nodes.indices where nodes[index].primitive == nil { values[index] = .empty }
  }
}

extension Tensor {
  /// No numbers at all: what stands where a tensor was moved out, or where there is none.
  static let empty = Tensor(shape: [0], scalars: [])
}
