import JSON
import ONNX
import Tensors

/// The encoder and the decoder of a VAE: layers that lead from an example's numbers to its latents' moments, and from latents to what is
/// said of the numbers.
protocol VAENetwork: Sendable {
  /// The last hidden layer of the encoder.
  func encode(_ x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable
  /// What tells an example given its latents, `[batch, dims · outputs]`.
  func decode(_ z: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable
  /// The same as a graph. `settled` gives the weights.
  func decode(_ z: Graph.Value, _ settled: (Int) -> Tensor, in graph: inout Graph) -> Graph.Value
  /// Units of the encoder's last hidden layer.
  var codeWidth: Int { get }
}

/// A dense layer among a model's parameters.
struct DenseLayer: Sendable {
  private let w: Int
  private let b: Int
  private let activation: Activation

  /// Weights uniform within Glorot & Bengio's bound (2010, eq. 16), biases 0.
  init(
    _ name: String, _ inputs: Int, _ outputs: Int, _ activation: Activation = .identity, in parameters: inout Parameters, seed: UInt64
  ) {
    let bound = (6 / Float(inputs + outputs)).squareRoot()
    let weights = Tensor(
      uniformIn: -bound..<bound, shape: [inputs, outputs], .initialization, index: parameters.all.count, using: Philox(seed: seed))
    w = parameters.add(name + ".weight", weights, decays: true)
    b = parameters.add(name + ".bias", Tensor(repeating: 0, shape: [outputs]), decays: false)
    self.activation = activation
  }

  func apply(to x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    tape.apply(Dense(activation), [x, weights[w], weights[b]])
  }

  func apply(to x: Graph.Value, _ settled: (Int) -> Tensor, in graph: inout Graph) -> Graph.Value {
    graph.dense(x, settled(w), settled(b), activation)
  }
}

/// Dense layers: the encoder's as configured, the decoder's the same the other way round.
struct DenseVAENetwork: VAENetwork {
  private let encoder: [DenseLayer]
  private let decoder: [DenseLayer]
  let codeWidth: Int

  init(_ configuration: Configuration, dims: Int, outputs: Int, in parameters: inout Parameters, seed: UInt64) {
    let widths = configuration.integers("hidden_layers")
    let activation = Activation(rawValue: configuration.string("activation")) ?? .tanh
    codeWidth = widths[widths.count - 1]
    let up = [dims] + widths
    encoder = zip(up, widths).enumerated().map { number, sides in
      DenseLayer("encoder.\(number)", sides.0, sides.1, activation, in: &parameters, seed: seed)
    }
    let down = [configuration.integer("latent")] + widths.reversed()
    let hidden = zip(down, down.dropFirst()).enumerated().map { number, sides in
      DenseLayer("decoder.\(number)", sides.0, sides.1, activation, in: &parameters, seed: seed)
    }
    decoder = hidden + [DenseLayer("output", widths[0], dims * outputs, in: &parameters, seed: seed)]
  }

  func encode(_ x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    encoder.reduce(x) { $1.apply(to: $0, weights, on: &tape) }
  }

  func decode(_ z: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    decoder.reduce(z) { $1.apply(to: $0, weights, on: &tape) }
  }

  func decode(_ z: Graph.Value, _ settled: (Int) -> Tensor, in graph: inout Graph) -> Graph.Value {
    decoder.reduce(z) { $1.apply(to: $0, settled, in: &graph) }
  }
}

/// Convolutions of 4x4 by strides of 2 down to a quarter of each side, and their transposes back up (as Radford, Metz & Chintala 2016 have
/// them, without normalization).
struct ConvolutionalVAENetwork: VAENetwork {
  private let image: ModelInput.ImageShape
  private let channels: Int
  private let down: [(w: Int, b: Int)]
  private let code: DenseLayer
  private let grow: DenseLayer
  private let up: [(w: Int, b: Int)]
  let codeWidth: Int

  private static let taps = Taps(height: 4, width: 4, stride: 2, border: .init(all: 1))
  private var small: (height: Int, width: Int) { (image.height / 4, image.width / 4) }

  init(_ configuration: Configuration, image: ModelInput.ImageShape, outputs: Int, in parameters: inout Parameters, seed: UInt64) {
    let channels = configuration.integer("channels")
    (self.image, self.channels) = (image, channels)
    codeWidth = configuration.integers("hidden_layers")[0]
    // He et al. 2015, eq. 10, as a uniform distribution; a transposed convolution's pixel has a quarter of the taps.
    func layer(_ name: String, _ small: Int, _ large: Int, fan: Int, bias: Int) -> (w: Int, b: Int) {
      let bound = (6 / Float(fan)).squareRoot()
      let w = Tensor(
        uniformIn: -bound..<bound, shape: [16, small, large], .initialization, index: parameters.all.count, using: Philox(seed: seed))
      return (
        parameters.add(name + ".weight", w, decays: true),
        parameters.add(name + ".bias", Tensor(repeating: 0, shape: [bias]), decays: false)
      )
    }
    let sites = image.height / 4 * (image.width / 4) * 2 * channels
    down = [
      layer("encoder.0", image.channels, channels, fan: 16 * image.channels, bias: channels),
      layer("encoder.1", channels, 2 * channels, fan: 16 * channels, bias: 2 * channels),
    ]
    code = DenseLayer("encoder.2", sites, codeWidth, .relu, in: &parameters, seed: seed)
    grow = DenseLayer("decoder.0", configuration.integer("latent"), sites, .relu, in: &parameters, seed: seed)
    up = [
      layer("decoder.1", channels, 2 * channels, fan: 4 * 2 * channels, bias: channels),
      layer("output", image.channels * outputs, channels, fan: 4 * channels, bias: image.channels * outputs),
    ]
  }

  func encode(_ x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    let rows = tape.value(x).rows
    var h = tape.apply(Reshape([rows, image.height, image.width, image.channels]), [x])
    for layer in down { h = tape.apply(Convolution(Self.taps, .relu), [h, weights[layer.w], weights[layer.b]]) }
    return code.apply(to: tape.apply(Reshape([rows, tape.value(h).columns]), [h]), weights, on: &tape)
  }

  func decode(_ z: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    let rows = tape.value(z).rows
    var h = tape.apply(Reshape([rows, small.height, small.width, 2 * channels]), [grow.apply(to: z, weights, on: &tape)])
    for (number, layer) in up.enumerated() {
      h = tape.apply(TransposedConvolution(Self.taps, number == 0 ? .relu : .identity), [h, weights[layer.w], weights[layer.b]])
    }
    return tape.apply(Reshape([rows, tape.value(h).columns]), [h])
  }

  func decode(_ z: Graph.Value, _ settled: (Int) -> Tensor, in graph: inout Graph) -> Graph.Value {
    var h = graph.reshape(grow.apply(to: z, settled, in: &graph), [small.height, small.width, 2 * channels])
    for (number, layer) in up.enumerated() { h = graph.doubling(h, settled(layer.w), settled(layer.b), number == 0 ? .relu : .identity) }
    return graph.reshape(h, [image.height * image.width * settled(up[1].b).count])
  }

  /// Why there is none for such examples.
  static func refusal(of input: ModelInput) -> Fault? {
    guard let image = input.imageShape else {
      return Fault(pointer: "/architecture", detail: "convolutions are of images; \"mlp\" is of tables")
    }
    guard image.height % 4 == 0, image.width % 4 == 0 else {
      return Fault(
        pointer: "/architecture",
        detail:
          "convolutions halve each side twice, so that both must be multiples of 4; these images have \(image.height) by \(image.width)")
    }
    return nil
  }
}
