import JSON
import ONNX
import Tensors

/// Where a layer's weights and its bias or shift are among the parameters.
private struct Layer: Sendable {
  let w: Int
  let b: Int
}

extension Parameters {
  /// A layer whose weights are uniform, of the variance that keeps its outputs at the scale of its inputs (He et al. 2015).
  /// - Parameter first: the number of the network's first tensor among those of its model, so that no two start with the same numbers.
  fileprivate mutating func layer(
    _ name: String, _ shape: [Int], inputs: Int, outputs: Int, first: Int = 0, using randomness: Philox
  ) -> Layer {
    let bound = (6 / Float(inputs)).squareRoot()
    let w = add(
      name + ".weight", Tensor(uniformIn: -bound..<bound, shape: shape, .initialization, index: first + all.count, using: randomness),
      decays: true)
    return Layer(w: w, b: add(name + ".bias", Tensor(repeating: 0, shape: [outputs]), decays: false))
  }

  /// Gain 1 and shift 0.
  fileprivate mutating func norm(_ name: String, channels: Int) -> Layer {
    let gain = add(name + ".gain", Tensor(repeating: 1, shape: [channels]), decays: false)
    return Layer(w: gain, b: add(name + ".shift", Tensor(repeating: 0, shape: [channels]), decays: false))
  }
}

/// The pictures of each layer of a DCGAN (Radford, Metz & Chintala 2016): from the coarsest to the whole one sides double each time.
private struct Pyramid: Sendable {
  /// Sides that are halved as long as they stay even and no shorter than this: 28 becomes 7, 32 and 64 become 4.
  static let sideLeast = 4
  static let sides = 8...64
  /// Halves sides, and transposed doubles them.
  static let taps = Taps(height: 4, width: 4, stride: 2, border: .init(all: 1))

  let height: Int
  let width: Int
  /// Of the coarsest picture first, and of the whole one last.
  let channels: [Int]

  init(_ image: ModelInput.ImageShape, channels: Int) {
    var (height, width, doublings) = (image.height, image.width, 0)
    while height % 2 == 0, width % 2 == 0, min(height, width) / 2 >= Self.sideLeast {
      (height, width, doublings) = (height / 2, width / 2, doublings + 1)
    }
    (self.height, self.width) = (height, width)
    self.channels = (0..<doublings).reversed().map { channels << $0 } + [image.channels]
  }

  /// How many numbers the coarsest picture has.
  var coarsest: Int { height * width * channels[0] }
}

/// G: from noise to examples, pictures within −1…1.
struct GeneratorNetwork: Sendable {
  private enum Body: Sendable {
    case dense([Layer])
    case convolutional(Pyramid, opening: Layer, norms: [Layer], convolutions: [Layer])
  }

  var parameters: Parameters
  private let body: Body
  /// Reals have no bounds.
  private let closing: Activation
  private let dims: Int
  /// Of what is normed: a running mean and variance of each channel, which sampling uses, so that no sample depends on its neighbours.
  private var moments: [(mean: Tensor, variance: Tensor)]
  /// What was normed in the step under way.
  private var normed: [Tape.Variable] = []

  init(_ configuration: Configuration, input: ModelInput, _ optimizer: OptimizerSettings, using randomness: Philox) {
    var parameters = Parameters(optimizer)
    let latent = configuration.integer("latent")
    if configuration.string("architecture") == "dcgan", let image = input.imageShape {
      let pyramid = Pyramid(image, channels: configuration.integer("channels"))
      let opening = parameters.layer(
        "generator.opening", [latent, pyramid.coarsest], inputs: latent, outputs: pyramid.coarsest, using: randomness)
      var (norms, convolutions) = ([Layer](), [Layer]())
      for (number, (from, to)) in zip(pyramid.channels, pyramid.channels.dropFirst()).enumerated() {
        norms.append(parameters.norm("generator.norm.\(number)", channels: from))
        // Of the taps a fourth meets each pixel.
        convolutions.append(
          parameters.layer(
            "generator.convolution.\(number)", [Pyramid.taps.count, to, from], inputs: from * Pyramid.taps.count / 4, outputs: to,
            using: randomness))
      }
      body = .convolutional(pyramid, opening: opening, norms: norms, convolutions: convolutions)
      moments = pyramid.channels.dropLast().map { (Tensor(repeating: 0, shape: [$0]), Tensor(repeating: 1, shape: [$0])) }
    } else {
      let widths = [latent] + configuration.integers("hidden_layers") + [input.dims]
      body = .dense(
        zip(widths, widths.dropFirst()).enumerated().map { number, sides in
          parameters.layer("generator.dense.\(number)", [sides.0, sides.1], inputs: sides.0, outputs: sides.1, using: randomness)
        })
      moments = []
    }
    self.parameters = parameters
    closing = input.kind == .real ? .identity : .tanh
    dims = input.dims
  }

  /// Why such examples can't be made by such a network.
  static func refusal(of input: ModelInput, _ configuration: Configuration) -> Fault? {
    var count: Double
    if configuration.string("architecture") == "dcgan" {
      guard let image = input.imageShape else {
        return Fault(pointer: "/architecture", detail: "must be \"mlp\" for rows of a table; was \"dcgan\"")
      }
      guard [image.height, image.width].allSatisfy({ Pyramid.sides.contains($0) && $0 % 2 == 0 }) else {
        let range = "\(Pyramid.sides.lowerBound) to \(Pyramid.sides.upperBound)"
        let size = "\(image.height)x\(image.width)"
        return Fault(pointer: "/architecture", detail: "must be \"mlp\" unless sides are even and from \(range); pictures are \(size)")
      }
      let pyramid = Pyramid(image, channels: configuration.integer("channels"))
      count = Double(configuration.integer("latent")) * Double(pyramid.coarsest)
      for (from, to) in zip(pyramid.channels, pyramid.channels.dropFirst()) { count += 16 * Double(from) * Double(to) }
    } else {
      let widths = ([configuration.integer("latent")] + configuration.integers("hidden_layers") + [input.dims]).map { Double($0) }
      count = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    }
    guard count <= weightsMax else {
      let field = configuration.string("architecture") == "dcgan" ? "/channels" : "/hidden_layers"
      return Fault(pointer: field, detail: "makes \(Int(count)) weights of the generator; at most \(Int(weightsMax))")
    }
    return nil
  }

  /// 256 MiB, which training needs some ten times: both networks, gradients, the optimizer's state. Chosen.
  private static let weightsMax = 67_108_864.0

  /// Examples as the generator makes them: pictures within −1…1 in place of 0…1.
  func asGenerated(_ x: Tensor) -> Tensor {
    closing == .identity ? x : Tensor(shape: x.shape, scalars: x.scalars.map { 2 * $0 - 1 })
  }

  /// G(z) in training, `[rows, dims]`: norms are those of the batch.
  mutating func images(of z: Tape.Variable, rows: Int, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var normed: [Tape.Variable] = []
    let images = images(of: z, rows: rows, weights, on: &tape) { h, norm, tape in
      normed.append(h)
      return tape.apply(BatchNorm(), [h, weights[norm.w], weights[norm.b]])
    }
    self.normed = normed
    return images
  }

  private func images(
    of z: Tape.Variable, rows: Int, _ weights: [Tape.Variable], on tape: inout Tape,
    norm: (Tape.Variable, Layer, inout Tape) -> Tape.Variable
  ) -> Tape.Variable {
    var h = z
    switch body {
    case .dense(let layers):
      for (number, layer) in layers.enumerated() {
        let activation = number == layers.count - 1 ? closing : .relu
        h = tape.apply(Dense(activation), [h, weights[layer.w], weights[layer.b]])
      }
      return h
    case .convolutional(let pyramid, let opening, let norms, let convolutions):
      h = tape.apply(Dense(), [h, weights[opening.w], weights[opening.b]])
      h = tape.apply(Reshape([rows, pyramid.height, pyramid.width, pyramid.channels[0]]), [h])
      for (number, layer) in convolutions.enumerated() {
        h = tape.apply(Activate(.relu), [norm(h, norms[number], &tape)])
        let activation = number == convolutions.count - 1 ? closing : .identity
        h = tape.apply(TransposedConvolution(Pyramid.taps, activation), [h, weights[layer.w], weights[layer.b]])
      }
      return tape.apply(Reshape([rows, dims]), [h])
    }
  }

  /// Takes in the moments of what the step under way normed.
  mutating func noteMoments(on tape: Tape, step: Int, _ team: ThreadTeam) {
    // As long a memory as the averaged weights have, whose moments they are to be, and 0.9 at the least, as PyTorch has.
    let decay = min(max(0.9, parameters.settings.averagingDecay), Float(step) / Float(step + 9))
    for (place, h) in normed.enumerated() {
      let (mean, variance) = Kernels.columnMoments(tape.value(h), team)
      Kernels.average(mean, into: &moments[place].mean, decay: decay, team)
      Kernels.average(variance, into: &moments[place].variance, decay: decay, team)
    }
    normed = []
  }

  /// G(z) by the settled weights and the kept moments.
  func settledImages(of z: Tensor, _ team: ThreadTeam) -> Tensor {
    var tape = Tape(team)
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    var place = 0
    let images = images(of: tape.constant(z), rows: z.rows, weights, on: &tape) { h, norm, tape in
      let x = tape.value(h)
      var y = x
      Kernels.normalizeColumns(
        x, mean: moments[place].mean, scale: scale(ofNorm: place), shift: parameters.settled(norm.b), into: &y, team)
      place += 1
      return tape.constant(y)
    }
    return tape.value(images)
  }

  /// `settledImages` as a graph: from `[batch, latent]` to `[batch, dims]`.
  func images(of z: Graph.Value, in graph: inout Graph) -> Graph.Value {
    var h = z
    switch body {
    case .dense(let layers):
      for (number, layer) in layers.enumerated() {
        let activation = number == layers.count - 1 ? closing : .relu
        h = graph.dense(h, parameters.settled(layer.w), parameters.settled(layer.b), activation)
      }
      return h
    case .convolutional(let pyramid, let opening, let norms, let convolutions):
      h = graph.dense(h, parameters.settled(opening.w), parameters.settled(opening.b))
      h = graph.reshape(h, [pyramid.height, pyramid.width, pyramid.channels[0]])
      for (number, layer) in convolutions.enumerated() {
        let (norm, scale) = (norms[number], scale(ofNorm: number))
        let centred = graph.apply("Sub", [h, graph.constant(moments[number].mean)])
        let normed = graph.apply("Mul", [centred, graph.constant(scale)])
        h = graph.activate(graph.apply("Add", [normed, graph.constant(parameters.settled(norm.b))]), .relu)
        let activation = number == convolutions.count - 1 ? closing : .identity
        h = graph.doubling(h, parameters.settled(layer.w), parameters.settled(layer.b), activation)
      }
      return graph.reshape(h, [dims])
    }
  }

  /// What a norm's channels are multiplied by once their kept means are subtracted.
  private func scale(ofNorm place: Int) -> Tensor {
    guard case .convolutional(_, _, let norms, _) = body else { preconditionFailure("a dense generator has no norms") }
    let (gain, variance) = (parameters.settled(norms[place].w), moments[place].variance)
    return Tensor(
      shape: gain.shape,
      scalars: zip(gain.scalars, variance.scalars).map {
        Float(Double($0) / (Double($1) + Double(BatchNorm().epsilon)).squareRoot())
      })
  }

  private var keptMoments: [NamedTensor] {
    moments.enumerated().flatMap {
      [NamedTensor("generator.norm.\($0).mean", $1.mean), NamedTensor("generator.norm.\($0).variance", $1.variance)]
    }
  }

  var weights: [NamedTensor] { parameters.weights + keptMoments }
  var state: [NamedTensor] { parameters.state + keptMoments }

  mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    try parameters.restore(tensors)
    for (place, kept) in moments.enumerated() {
      moments[place].mean = try tensors.tensor("generator.norm.\(place).mean", like: kept.mean)
      moments[place].variance = try tensors.tensor("generator.norm.\(place).variance", like: kept.variance)
      guard moments[place].variance.scalars.allSatisfy({ $0 >= 0 }) else {
        throw .wrongValues(name: "generator.norm.\(place).variance", detail: "variances are not negative")
      }
    }
  }
}

/// The logit of D: from examples to how real they seem.
struct DiscriminatorNetwork: Sendable {
  private enum Body: Sendable {
    case dense([Layer])
    /// Norms of all but the first, which has none (Radford et al. 2016, §3).
    case convolutional(ModelInput.ImageShape, [Layer], norms: [Layer])
  }

  var parameters: Parameters
  private let body: Body
  private let closing: Layer
  /// Where the power method is, for each weight matrix by its place among the parameters; empty without spectral norms.
  private var directions: [Int: Tensor] = [:]

  init(_ configuration: Configuration, input: ModelInput, _ optimizer: OptimizerSettings, using randomness: Philox) {
    var parameters = Parameters(optimizer)
    let isSpectral = configuration.boolean("spectral_norm")
    func layer(_ name: String, _ shape: [Int], inputs: Int, outputs: Int) -> Layer {
      parameters.layer("discriminator." + name, shape, inputs: inputs, outputs: outputs, first: 1000, using: randomness)
    }
    if configuration.string("architecture") == "dcgan", let image = input.imageShape {
      let pyramid = Pyramid(image, channels: configuration.integer("channels"))
      var (layers, norms) = ([Layer](), [Layer]())
      let channels = Array(pyramid.channels.reversed())
      for (number, (from, to)) in zip(channels, channels.dropFirst()).enumerated() {
        layers.append(
          layer("convolution.\(number)", [Pyramid.taps.count, from, to], inputs: from * Pyramid.taps.count, outputs: to))
        if number > 0, !isSpectral { norms.append(parameters.norm("discriminator.norm.\(number)", channels: to)) }
      }
      body = .convolutional(image, layers, norms: norms)
      closing = layer("closing", [pyramid.coarsest, 1], inputs: pyramid.coarsest, outputs: 1)
    } else {
      let widths = [input.dims] + configuration.integers("hidden_layers")
      body = .dense(
        zip(widths, widths.dropFirst()).enumerated().map { number, sides in
          layer("dense.\(number)", [sides.0, sides.1], inputs: sides.0, outputs: sides.1)
        })
      closing = layer("closing", [widths.last ?? 1, 1], inputs: widths.last ?? 1, outputs: 1)
    }
    self.parameters = parameters
    guard isSpectral else { return }
    for (place, parameter) in parameters.all.enumerated() where parameter.tensor.shape.count > 1 {
      let columns = parameter.tensor.shape.last ?? 1
      directions[place] = Tensor(normal: columns, .structure, examples: [place], using: randomness)
    }
  }

  /// The parameters with spectral norms, where there are such.
  /// - Parameter turns: whether the power method goes on: once in a step.
  mutating func normalized(_ parameters: [Tape.Variable], turns: Bool, on tape: inout Tape, _ team: ThreadTeam) -> [Tape.Variable] {
    var weights = parameters
    for place in parameters.indices {
      guard let direction = directions[place] else { continue }
      let norm = SpectralNorm(self.parameters[place], direction: direction, team)
      if turns { directions[place] = norm.direction }
      weights[place] = tape.apply(norm, [parameters[place]])
    }
    return weights
  }

  /// - Parameter x: `[rows, dims]`, as the generator makes it.
  /// - Returns: `[rows, 1]`
  func logits(of x: Tape.Variable, rows: Int, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var h = x
    switch body {
    case .dense(let layers):
      for layer in layers { h = tape.apply(Dense(.leakyRelu), [h, weights[layer.w], weights[layer.b]]) }
    case .convolutional(let image, let layers, let norms):
      h = tape.apply(Reshape([rows, image.height, image.width, image.channels]), [h])
      for (number, layer) in layers.enumerated() {
        let operands = [h, weights[layer.w], weights[layer.b]]
        guard number > 0, number <= norms.count else {
          h = tape.apply(Convolution(Pyramid.taps, .leakyRelu), operands)
          continue
        }
        let norm = norms[number - 1]
        h = tape.apply(Convolution(Pyramid.taps), operands)
        h = tape.apply(Activate(.leakyRelu), [tape.apply(BatchNorm(), [h, weights[norm.w], weights[norm.b]])])
      }
      h = tape.apply(Reshape([rows, parameters[closing.w].rows]), [h])
    }
    return tape.apply(Dense(), [h, weights[closing.w], weights[closing.b]])
  }

  var state: [NamedTensor] {
    parameters.state
      + directions.sorted { $0.key < $1.key }.map { NamedTensor(name(ofDirection: $0.key), $0.value) }
  }

  private func name(ofDirection place: Int) -> String { "spectral." + parameters.all[place].name }

  /// A model that only samples has no discriminator, and needs none.
  mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    guard tensors.keys.contains(where: { $0.hasPrefix("discriminator.") }) else { return }
    try parameters.restore(tensors)
    for (place, direction) in directions {
      directions[place] = try tensors.tensor(name(ofDirection: place), like: direction)
    }
  }
}
