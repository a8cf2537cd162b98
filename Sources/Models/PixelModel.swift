import JSON
import Tensors

/// A distribution of images that a network tells pixel by pixel, p(x) = Π p(x_i | x_1 … x_(i−1)): what PixelCNN and PixelRNN share,
/// training, scoring and drawing (van den Oord, Kalchbrenner & Kavukcuoglu, ICML 2016, arXiv:1601.06759, §2 and §3.4).
///
/// After the network come a rectifier, a 1x1 layer, another rectifier, and the 1x1 layer that tells the distributions (Table 1).
package struct PixelModel: ScoresLikelihood {
  private var parameters: Parameters
  private let network: any PixelNetwork
  private let last: PixelConvolution
  private let tells: PixelConvolution
  private let output: PixelOutput
  private let image: ModelInput.ImageShape
  private let colours: Int
  /// Numbers that scoring keeps of an image.
  private let keptCount: Int
  private let team: ThreadTeam
  private var tape: Tape

  /// - Parameter makeNetwork: adds the network's weights to the parameters.
  init(
    _ configuration: Configuration, _ image: ModelInput.ImageShape, optimizer: OptimizerSettings, seed: UInt64, team: ThreadTeam,
    _ makeNetwork: (_ colours: Int, inout Parameters) -> any PixelNetwork
  ) {
    let output = PixelOutput(configuration)
    let colours = output.colours(of: image)
    var parameters = Parameters(optimizer)
    network = makeNetwork(colours, &parameters)
    let width = configuration.integer("head_channels")
    last = PixelConvolution("head.0", from: network.featureCount, to: width, colours: colours, in: &parameters, seed: seed)
    tells = PixelConvolution(
      "head.1", from: width, to: output.parameterCount(of: image), colours: colours, in: &parameters, seed: seed)
    // A bias for each number that a layer makes of a pixel; with what is done to it, three tensors.
    let made = parameters.all.filter { $0.tensor.shape.count == 1 }.reduce(0) { $0 + $1.tensor.count }
    keptCount = 3 * made * image.height * image.width
    self.parameters = parameters
    (self.output, self.image, self.colours, self.team) = (output, image, colours, team)
    tape = Tape(team)
  }

  /// Why a network of that configuration can't learn such examples.
  static func refusal(_ configuration: Configuration, _ input: ModelInput, title: String) -> Fault? {
    guard let image = input.imageShape else {
      return Fault(pointer: "", detail: "\(title) learns images; these examples are rows of a table")
    }
    let output = PixelOutput(configuration)
    if let fault = output.refusal(of: input, image) { return fault }
    let colours = output.colours(of: image)
    for name in ["channels", "head_channels"] where configuration.integer(name) < colours {
      return Fault(pointer: "/" + name, detail: "must be \(colours) or more, one for each channel; was \(configuration.integer(name))")
    }
    return nil
  }

  private var dims: Int { image.height * image.width * image.channels }
}

// MARK: Objective

extension PixelModel {
  /// The numbers that tell each pixel's distribution, `[batch, height, width, …]`.
  private func distributions(of x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    let h = tape.apply(Activate(.relu), [network.features(of: x, weights, on: &tape)])
    return tells.apply(to: last.apply(.relu, to: h, weights, on: &tape), weights, on: &tape)
  }

  private func asImages(_ x: Tensor, on tape: inout Tape) -> Tape.Variable {
    tape.apply(Reshape([x.rows, image.height, image.width, image.channels]), [tape.constant(x)])
  }

  package mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    // Out of the model while the equations are written down: they read the model, and a copy that they make would share its tensors.
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let x = asImages(x, on: &tape)
    let loss = tape.apply(Mean(), [output.nats(distributions(of: x, weights, on: &tape), of: x, channels: image.channels, on: &tape)])
    let nats = Double(tape.value(loss).scalars[0])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
    return nats
  }

  package func nats(of x: Tensor) -> [Double] {
    var tape = Tape(team)
    return batches(of: x).flatMap { x in
      tape.begin()
      let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
      let x = asImages(x, on: &tape)
      let nats = output.nats(distributions(of: x, weights, on: &tape), of: x, channels: image.channels, on: &tape)
      return tape.value(nats).scalars.map { Double($0) }
    }
  }

  /// The numbers that tell each pixel's distribution, `[batch, height · width · …]`.
  package func distributions(of x: Tensor) -> Tensor {
    var tape = Tape(team)
    let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
    let told = distributions(of: asImages(x, on: &tape), weights, on: &tape)
    let z = tape.value(told)
    return Tensor(shape: [z.rows, z.columns], scalars: z.scalars)
  }

  private func batches(of x: Tensor) -> [Tensor] {
    let rows = min(Self.rowsAtOnce, max(1, Self.numbersAtOnce / keptCount))
    return stride(from: 0, to: x.rows, by: rows).map { x.rows($0..<min($0 + rows, x.rows)) }
  }

  /// Images that are scored together, which keep all threads busy, and of large ones so few that what is kept of them takes some 256 MiB;
  /// chosen, nothing depends on it.
  private static let (rowsAtOnce, numbersAtOnce) = (32, 1 << 26)
}

// MARK: Sampling

extension PixelModel {
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    precondition(temperature > 0, "a temperature greater than 0, not \(temperature)")
    let starts = Array(stride(from: 0, to: indices.count, by: Self.samplesAtOnce))
    let drawn = team.map(blocks: starts.count) { block in
      let some = Array(indices[starts[block]..<min(starts[block] + Self.samplesAtOnce, indices.count)])
      return draw(some, temperature: temperature, using: randomness).x.scalars
    }
    return Tensor(shape: [indices.count, dims], scalars: drawn.flatMap(\.self))
  }

  /// Samples that go through the weights together, so that each weight is fetched once for all of them, and few enough that a usual grid is
  /// work for several threads; chosen, nothing depends on it.
  private static let samplesAtOnce = 4

  /// Draws pixel after pixel. Every unit is computed once, as soon as its inputs are known.
  /// - Complexity: that of scoring the samples once; where channels come one after the other, once a channel.
  /// - Returns: samples `[indices, dims]`, and the numbers that told their distributions, as `distributions` gives them.
  package func draw(_ indices: [Int], temperature: Float, using randomness: Philox) -> (x: Tensor, distributions: Tensor) {
    let (n, pixels, channels) = (indices.count, image.height * image.width, image.channels)
    let (uniformCount, parameterCount) = (output.uniformCount(of: image), output.parameterCount(of: image))
    let uniforms = Tensor(uniform: pixels * uniformCount, .sampling, examples: indices, using: randomness)
    let weights = parameters.all.indices.map { parameters.settled($0) }
    var walk = network.walk(weights, images: n, width: image.width)
    var last = last.stepwise(.relu, weights, images: n, width: image.width)
    var tells = tells.stepwise(.identity, weights, images: n, width: image.width)
    var x = Tensor(repeating: 0, shape: [n, dims])
    var distributions = Tensor(repeating: 0, shape: [n, pixels * parameterCount])
    var h = Tensor(repeating: 0, shape: [n, network.featureCount])
    for site in 0..<pixels {
      let (row, column) = (site / image.width, site % image.width)
      if column == 0 { walk.begin(row: row) }
      let u = Self.part(of: uniforms, from: site * uniformCount, count: uniformCount)
      var pixel = Tensor(repeating: 0, shape: [n, channels])
      var z = Tensor(repeating: 0, shape: [n, parameterCount])
      for colour in 0..<colours {
        Activate(.relu).forward([walk.features(row: row, column: column)], into: &h, .alone)
        z = tells.next(last.next(h, row: row, column: column), row: row, column: column)
        output.draw(colour: colour, z, temperature: temperature, uniforms: u, into: &pixel)
        walk.put(pixel, row: row, column: column)
      }
      for index in 0..<n {
        for channel in 0..<channels { x[index, site * channels + channel] = pixel[index, channel] }
        for (place, scalar) in z.row(index).enumerated() { distributions[index, site * parameterCount + place] = scalar }
      }
    }
    return (x, distributions)
  }

  /// Some columns of a matrix.
  private static func part(of x: Tensor, from: Int, count: Int) -> Tensor {
    let scalars = x.scalars
    let columns = x.columns
    return Tensor(
      shape: [x.rows, count], scalars: (0..<x.rows).flatMap { scalars[$0 * columns + from..<$0 * columns + from + count] })
  }
}

// MARK: Keeping

extension PixelModel {
  package var weights: [NamedTensor] { parameters.weights }
  package var trainingState: [NamedTensor] { parameters.state }
  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) { try parameters.restore(tensors) }
}
