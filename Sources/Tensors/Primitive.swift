/// One differentiable operation: a forward, with its backward right under it, and inputs on which the two are checked against each other.
package protocol Primitive: Sendable {
  func shape(of inputs: [[Int]]) -> [Int]

  /// Writes every element of `y`, which has the shape told above.
  func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam)

  /// Writes the wanted gradients of the inputs, or adds to them where they say so. `dy` may be changed: nobody reads it afterwards.
  func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam)

  /// The shape of what forward keeps for backward beside y.
  func keptShape(of inputs: [[Int]]) -> [Int]

  /// As above, with memory for what it keeps.
  func forward(_ inputs: [Tensor], into y: inout Tensor, keeping kept: inout Tensor, _ team: ThreadTeam)
  func backward(_ inputs: [Tensor], y: Tensor, kept: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam)

  /// Examples for the gradient check, every case of the operation among them.
  static var examples: [PrimitiveExample] { get }
}

/// Most operations keep nothing but y.
extension Primitive {
  package func keptShape(of inputs: [[Int]]) -> [Int] { [0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, keeping kept: inout Tensor, _ team: ThreadTeam) {
    forward(inputs, into: &y, team)
  }

  package func backward(
    _ inputs: [Tensor], y: Tensor, kept: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam
  ) {
    backward(inputs, y: y, dy: &dy, into: &dInputs, team)
  }
}

package struct PrimitiveExample: Sendable {
  package let primitive: any Primitive
  package let inputs: [Tensor]
  /// Which inputs have a gradient.
  package let differentiable: [Bool]

  init(_ primitive: any Primitive, _ inputs: [Tensor], differentiable: [Bool]? = nil) {
    self.primitive = primitive
    self.inputs = inputs
    self.differentiable = differentiable ?? inputs.map { _ in true }
  }
}

/// The table that the gradient check walks.
package enum Primitives {
  package static let all: [any Primitive.Type] = [
    Dense.self, Convolution.self, TransposedConvolution.self, ConvolutionStack.self,
    Add.self, Multiply.self, Map.self, Gather.self, Dropout.self,
    Activate.self, Reshape.self, LayerNorm.self, BatchNorm.self, LSTMCell.self, RunningSum.self,
    GaussianDraw.self, GaussianDivergence.self, BernoulliNats.self, SoftmaxNats.self, LogisticsNats.self, GaussiansNats.self, Mean.self,
    LevelNats.self, ColourLogisticsNats.self, GatedUnit.self, ImageLSTM.self, LogMeanExp.self, SpectralNorm.self,
  ]
}

extension Tensor {
  /// Numbers for the examples, from −1 to 1.
  static func example(_ shape: Int..., index: Int = 0, in range: Range<Float> = -1..<1) -> Tensor {
    Tensor(uniformIn: range, shape: shape, .initialization, index: index, using: Philox(seed: 1))
  }
}

/// y = f(x·w + bias), where a mask may say which inputs each output sees.
///
/// Inputs: x `[batch, inputs]`, w `[inputs, outputs]`, and bias `[outputs]` where there is one.
package struct Dense: Primitive {
  package let activation: Activation
  package let mask: Staircase?

  package init(_ activation: Activation = .identity, mask: Staircase? = nil) {
    self.activation = activation
    self.mask = mask
  }

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0], inputs[1][1]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.dense(inputs[0], inputs[1], inputs.count > 2 ? inputs[2] : nil, mask, activation, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    Kernels.activationGradient(activation, y: y, dy: &dy, team)
    var (dx, dw, dbias) = (dInputs[0], dInputs[1], dInputs.count > 2 ? dInputs[2] : nil)
    for position in dInputs.indices { dInputs[position] = nil }
    Kernels.denseGradients(inputs[0], inputs[1], mask, dy: dy, dx: &dx, dw: &dw, dbias: &dbias, team)
    dInputs[0] = dx
    dInputs[1] = dw
    if dInputs.count > 2 { dInputs[2] = dbias }
  }

  package static var examples: [PrimitiveExample] {
    let mask = Staircase(inputs: 19, live: (0..<21).map { ($0 * 19) / 20 })
    // Away from 0, where the rectifier has no derivative: the sums are large and of one sign a column.
    let steep = Tensor.example(19, 21, index: 1, in: 0.5..<1)
    let positive = Tensor.example(7, 19, in: 0.5..<1)
    return [Activation.identity, .sigmoid, .tanh].flatMap { activation in
      [nil, mask].map {
        PrimitiveExample(Dense(activation, mask: $0), [.example(7, 19), .example(19, 21, index: 1), .example(21, index: 2)])
      }
    } + [
      PrimitiveExample(Dense(.leakyRelu), [positive, steep]),
      PrimitiveExample(
        Dense(.leakyRelu), [positive, Tensor(shape: steep.shape, scalars: steep.scalars.map { -$0 })]),
      PrimitiveExample(Dense(.relu), [positive, steep, .example(21, index: 2)]),
      PrimitiveExample(Dense(), [.example(7, 19), .example(19, 21, index: 1)]),
    ]
  }
}

/// y = a + b, of one shape.
package struct Add: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.sum(inputs[0], inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    // The last one may have dy itself.
    for position in dInputs.indices { dInputs[position].take(&dy, isLast: position == 1 || dInputs[1] == nil, team) }
  }

  package static var examples: [PrimitiveExample] { [PrimitiveExample(Add(), [.example(3, 5), .example(3, 5, index: 1)])] }
}

/// y = a · b, element by element, of one shape.
package struct Multiply: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.multiply(inputs[0], inputs[1], into: &y, adds: false, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    for position in dInputs.indices {
      guard let adds = dInputs[position]?.adds else { continue }
      dInputs[position].write { Kernels.multiply(inputs[1 - position], dy, into: &$0, adds: adds, team) }
    }
  }

  package static var examples: [PrimitiveExample] { [PrimitiveExample(Multiply(), [.example(3, 5), .example(3, 5, index: 1)])] }
}

/// y = f(x), element by element.
package struct Map: Primitive {
  package let function: ScalarFunction

  package init(_ function: ScalarFunction) { self.function = function }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.map(function, inputs[0], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write {
      if !adds { $0.fill(0) }
      Kernels.mapGradient(function, x: inputs[0], y: y, dy: dy, addingTo: &$0, team)
    }
  }

  package static var examples: [PrimitiveExample] {
    ScalarFunction.allCases.map { PrimitiveExample(Map($0), [.example(3, 7, in: $0 == .log ? 0.5..<2 : -2..<2)]) }
  }
}

/// y[r, c] = x[rows[r], columns[c]]: rows and columns in another order.
package struct Gather: Primitive {
  package let rows: Order?
  package let columns: Order?

  package init(rows: Order? = nil, columns: Order? = nil) {
    self.rows = rows
    self.columns = columns
  }

  package func shape(of inputs: [[Int]]) -> [Int] {
    var shape = inputs[0]
    if let rows { shape[0] = rows.indices.count }
    if let columns { shape[1] = columns.indices.count }
    return shape
  }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.gather(inputs[0], rows: rows, columns: columns, into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write {
      if !adds { $0.fill(0) }
      Kernels.scatterAdd(dy, rows: rows, columns: columns, to: &$0, team)
    }
  }

  package static var examples: [PrimitiveExample] {
    let (rows, columns) = (Order([2, 0, 1], within: 3), Order([4, 4, 1, 0], within: 5))
    return [
      PrimitiveExample(Gather(rows: rows), [.example(3, 5)]), PrimitiveExample(Gather(columns: columns), [.example(3, 5)]),
      PrimitiveExample(Gather(rows: rows), [.example(3)]),
      PrimitiveExample(Gather(rows: rows, columns: columns), [.example(3, 5)]),
    ]
  }
}

/// y = x with each number dropped, to 0, or kept, and divided by the share that is kept (Srivastava et al. 2014). What is dropped depends
/// on the seed, the stream, the step, the example and the column alone.
///
/// Input: x `[batch, columns]`, a row for each example.
package struct Dropout: Primitive {
  let keep: Float
  let stream: Philox.Stream
  let step: Int
  let examples: [Int]
  let randomness: Philox

  package init(keep: Float, _ stream: Philox.Stream, step: Int, examples: [Int], using randomness: Philox) {
    (self.keep, self.stream, self.step, self.examples, self.randomness) = (keep, stream, step, examples, randomness)
  }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.dropout(inputs[0], self, to: &y, adds: false, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    dInputs[0].write { Kernels.dropout(dy, self, to: &$0, adds: adds, team) }
  }

  package static var examples: [PrimitiveExample] {
    [PrimitiveExample(Dropout(keep: 0.75, .noise, step: 1, examples: [5, 2, 9], using: Philox(seed: 1)), [.example(3, 21)])]
  }
}

/// −ln p(x) of each row under independent Bernoullis, nats.
///
/// Inputs: logits and x, both `[batch, dims]`; x is data and has no gradient.
package struct BernoulliNats: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.bernoulliNats(logits: inputs[0], of: inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[1] == nil, "data has no gradient")
    guard var dlogits = dInputs[0] else { return }
    dInputs[0] = nil
    Kernels.bernoulliGradient(logits: inputs[0], of: inputs[1], dnats: dy, into: &dlogits, team)
    dInputs[0] = dlogits
  }

  package static var examples: [PrimitiveExample] {
    let bits = Tensor(shape: [3, 19], scalars: Tensor.example(3, 19, index: 1).scalars.map { $0 < 0 ? 0 : 1 })
    return [PrimitiveExample(BernoulliNats(), [.example(3, 19, in: -3..<3), bits], differentiable: [true, false])]
  }
}

/// −ln p of each row's class under the softmax of its logits, nats.
///
/// Inputs: logits `[rows, classes]`, and the classes `[rows]`, whole numbers, which are data and have no gradient.
package struct SoftmaxNats: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [inputs[0][0]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.softmaxNats(logits: inputs[0], of: inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    precondition(dInputs[1] == nil, "data has no gradient")
    guard var dlogits = dInputs[0] else { return }
    dInputs[0] = nil
    Kernels.softmaxGradient(logits: inputs[0], of: inputs[1], dnats: dy, into: &dlogits, team)
    dInputs[0] = dlogits
  }

  package static var examples: [PrimitiveExample] {
    [
      PrimitiveExample(
        SoftmaxNats(), [.example(4, 19, in: -3..<3), Tensor(shape: [4], scalars: [0, 18, 7, 7])], differentiable: [true, false]),
      PrimitiveExample(SoftmaxNats(), [.example(2, 1), Tensor(shape: [2], scalars: [0, 0])], differentiable: [true, false]),
    ]
  }
}

/// The mean of all numbers, summed in order.
package struct Mean: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { [] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    let sum = inputs[0].scalars.reduce(0.0) { $0 + Double($1) }
    y.fill(Float(sum / Double(max(inputs[0].count, 1))))
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard let adds = dInputs[0]?.adds else { return }
    let share = dy.scalars[0] / Float(max(inputs[0].count, 1))
    dInputs[0].write { if adds { $0.shift(by: share) } else { $0.fill(share) } }
  }

  package static var examples: [PrimitiveExample] { [PrimitiveExample(Mean(), [.example(3, 5)])] }
}

extension Gradient? {
  /// Writes or adds dy; where it is written and nobody needs dy after it, the two tensors change places and nothing is copied.
  mutating func take(_ dy: inout Tensor, isLast: Bool, _ team: ThreadTeam) {
    guard let adds = self?.adds else { return }
    write {
      if isLast && !adds && $0.shape == dy.shape { swap(&$0, &dy) } else { Kernels.add(dy, to: &$0, adds: adds, team) }
    }
  }

  /// Changes the tensor in place, where there is one.
  mutating func write(_ body: (inout Tensor) -> Void) {
    guard var gradient = self else { return }
    self = nil
    body(&gradient.tensor)
    self = gradient
  }
}
