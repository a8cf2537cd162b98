import Tensors

/// A computation that other programs run, as ONNX has it: inputs, operations over them and over constants, outputs.
///
/// Built in the order of computation, so that each value is there before it is used. Operators are those of operator set 17.
package struct Graph: Sendable {
  /// A value of the graph, by its name.
  package struct Value: Sendable, Hashable {
    let name: String
  }

  /// An extent of an input or output: a number, or a name for one that is free.
  package enum Extent: Sendable, Hashable {
    case count(Int)
    case free(String)

    package static let batch = Extent.free("batch")
  }

  package enum Element: Int, Sendable {
    /// Their numbers in TensorProto.DataType.
    case float = 1
    case integer = 7
  }

  package enum Attribute: Sendable, Hashable {
    case integer(Int)
    case integers([Int])
  }

  struct Terminal: Sendable {
    let value: Value
    let element: Element
    let shape: [Extent]
  }

  struct Node: Sendable {
    let operation: String
    let inputs: [Value]
    let output: Value
    let attributes: [(name: String, value: Attribute)]
  }

  enum Scalars: Sendable {
    case floats([Float])
    case integers([Int])
  }

  struct Constant: Sendable {
    let name: String
    let shape: [Int]
    let scalars: Scalars
  }

  /// What it computes, and what its inputs mean.
  let description: String
  let name: String
  private(set) var inputs: [Terminal] = []
  private(set) var outputs: [Terminal] = []
  private(set) var nodes: [Node] = []
  private(set) var constants: [Constant] = []

  package init(name: String, _ description: String) {
    self.name = name
    self.description = description
  }

  package mutating func input(_ name: String, of element: Element = .float, _ shape: [Extent]) -> Value {
    inputs.append(Terminal(value: Value(name: name), element: element, shape: shape))
    return Value(name: name)
  }

  /// Gives a value to the world under a name of its own.
  package mutating func output(_ value: Value, _ name: String, _ shape: [Extent]) {
    let named = Value(name: name)
    nodes.append(Node(operation: "Identity", inputs: [value], output: named, attributes: []))
    outputs.append(Terminal(value: named, element: .float, shape: shape))
  }

  package mutating func constant(_ tensor: Tensor, shape: [Int]? = nil) -> Value {
    add(Constant(name: "constant.\(constants.count)", shape: shape ?? tensor.shape, scalars: .floats(tensor.scalars)))
  }

  package mutating func constant(_ scalar: Float) -> Value { constant(Tensor(shape: [], scalars: [scalar])) }

  package mutating func constant(_ integers: [Int]) -> Value {
    add(Constant(name: "constant.\(constants.count)", shape: [integers.count], scalars: .integers(integers)))
  }

  private mutating func add(_ constant: Constant) -> Value {
    constants.append(constant)
    return Value(name: constant.name)
  }

  /// - Parameter operation: an operator with one output.
  package mutating func apply(
    _ operation: String, _ inputs: [Value], _ attributes: (name: String, value: Attribute)...
  ) -> Value {
    let output = Value(name: "value.\(nodes.count)")
    nodes.append(Node(operation: operation, inputs: inputs, output: output, attributes: attributes))
    return output
  }

  /// How many numbers its constants hold.
  package var numberCount: Int { constants.reduce(0) { $0 + $1.shape.reduce(1, *) } }
}
