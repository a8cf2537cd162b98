import ONNX
import Tensors

/// Families of which one pass, or one step, can be written down as a graph that other programs run. Randomness is an input.
package protocol WritesGraph: GenerativeModel {
  /// With the weights that score and draw.
  func graph() throws(NoGraph) -> Graph
}

/// Why a model, as it is configured, is no single pass.
package struct NoGraph: Error, Hashable {
  package let detail: String
}

// MARK: Layers

extension Graph {
  /// f(xW + b).
  /// - Parameters:
  ///   - x: `[batch, inputs]`
  ///   - weights: `[inputs, outputs]`
  ///   - bias: `[outputs]`; nil for none.
  mutating func dense(_ x: Value, _ weights: Tensor, _ bias: Tensor?, _ activation: Activation = .identity) -> Value {
    let product = apply("MatMul", [x, constant(weights)])
    return activate(bias.map { apply("Add", [product, constant($0)]) } ?? product, activation)
  }

  mutating func activate(_ x: Value, _ activation: Activation) -> Value {
    switch activation {
    case .identity: return x
    case .relu: return apply("Relu", [x])
    case .sigmoid: return apply("Sigmoid", [x])
    case .tanh: return apply("Tanh", [x])
    case .leakyRelu: return apply("Max", [x, apply("Mul", [x, constant(0.2)])])  // The kernels' own slope.
    }
  }

  /// A transposed convolution of 4x4 taps by strides of 2, which doubles both sides.
  /// - Parameters:
  ///   - x: `[batch, height, width, channels]`; ONNX has channels before the sides.
  ///   - weights: `[16, filters, channels]`
  mutating func doubling(_ x: Value, _ weights: Tensor, _ bias: Tensor, _ activation: Activation) -> Value {
    let (filters, channels) = (weights.shape[1], weights.shape[2])
    var turned = [Float](repeating: 0, count: weights.count)
    for tap in 0..<16 {
      for filter in 0..<filters {
        for channel in 0..<channels {
          turned[(channel * filters + filter) * 16 + tap] = weights.scalars[(tap * filters + filter) * channels + channel]
        }
      }
    }
    let kernel = constant(Tensor(shape: [channels, filters, 4, 4], scalars: turned))
    let y = apply(
      "ConvTranspose", [apply("Transpose", [x], ("perm", .integers([0, 3, 1, 2]))), kernel, constant(bias)],
      ("strides", .integers([2, 2])), ("pads", .integers([1, 1, 1, 1])), ("kernel_shape", .integers([4, 4])))
    return activate(apply("Transpose", [y], ("perm", .integers([0, 2, 3, 1]))), activation)
  }

  /// - Parameter extents: the batch's, which stays as it is, is left out.
  mutating func reshape(_ x: Value, _ extents: [Int]) -> Value { apply("Reshape", [x, constant([-1] + extents)]) }

  /// From −1…1 to 0…1, and what lies beyond cut off.
  mutating func unitInterval(_ x: Value) -> Value {
    let half = apply("Mul", [apply("Add", [x, constant(1)]), constant(0.5)])
    return apply("Clip", [half, constant(0), constant(1)])
  }

  /// 1 with the probability of each logit, else 0: where a number uniform in 0…1 is less than it.
  mutating func bits(_ logits: Value, uniforms: Value) -> Value {
    numbers(apply("Less", [uniforms, apply("Sigmoid", [logits])]))
  }

  /// 1 for what is true, else 0.
  mutating func numbers(_ truths: Value) -> Value { apply("Cast", [truths], ("to", .integer(Element.float.rawValue))) }
}

extension Staircase {
  /// The weights with zeros where the mask kills them.
  func masked(_ weights: Tensor) -> Tensor {
    var scalars = weights.scalars
    for input in 0..<inputs {
      for output in 0..<first[input] { scalars[input * outputs + output] = 0 }
    }
    return Tensor(shape: weights.shape, scalars: scalars)
  }
}

extension ConditionalOutput {
  /// Gives what tells some dimensions to the world, and draws of them where they are bits.
  /// - Parameter z: `[batch, count · outputs]`
  func close(_ graph: inout Graph, _ z: Graph.Value, count: Int) {
    guard self == .bernoulli else {
      let name = self == .categorical ? "logits" : "parameters"
      return graph.output(graph.reshape(z, [count, outputs]), name, [.batch, .count(count), .count(outputs)])
    }
    let shape: [Graph.Extent] = [.batch, .count(count)]
    let uniforms = graph.input("uniforms", shape)
    graph.output(z, "logits", shape)
    graph.output(graph.bits(z, uniforms: uniforms), "sample", shape)
  }
}
