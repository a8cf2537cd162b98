import Tensors

/// A network that learns to tell two sets apart: two strided convolutions for pictures, two hidden layers for rows of a table. It is the
/// same for every model that it judges: what a two-sample test by it says can be compared.
package struct SmallClassifier: Sendable {
  package static let version = "small_classifier_v1"

  private enum Body: Sendable {
    case convolutional(height: Int, width: Int, channels: Int, layers: [(w: Int, b: Int)])
    case dense(layers: [(w: Int, b: Int)])
  }

  private var parameters: Parameters
  private let body: Body
  private let judge: (w: Int, b: Int)
  private let team: ThreadTeam
  private var tape: Tape

  // Chosen once and part of the version: enough for the differences that a person sees, and some seconds for 5 000 pictures.
  private static let filters = [32, 64]
  private static let widths = [128, 128]
  private static let (steps, batch, learningRate): (Int, Int, Float) = (1000, 100, 1e-3)
  private static let taps = Taps(height: 3, width: 3, stride: 2, border: .init(all: 1))

  /// - Parameter picture: nil for rows of a table.
  package init(dims: Int, picture: (height: Int, width: Int, channels: Int)?, using randomness: Philox, _ team: ThreadTeam) {
    var optimizer = OptimizerSettings.adamW
    optimizer.averagingDecay = 0.98
    var parameters = Parameters(optimizer)
    func layer(_ name: String, _ shape: [Int], outputs: Int) -> (w: Int, b: Int) {
      // He et al. 2015, as uniform numbers of that variance.
      let bound = (6 / Float(shape.dropLast().reduce(1, *))).squareRoot()
      let w = Tensor(uniformIn: -bound..<bound, shape: shape, .initialization, index: parameters.all.count, using: randomness)
      let place = parameters.add(name + ".weight", w, decays: true)
      return (place, parameters.add(name + ".bias", Tensor(repeating: 0, shape: [outputs]), decays: false))
    }
    if let picture, min(picture.height, picture.width) >= 4 {
      var (height, width, channels) = picture
      var layers: [(w: Int, b: Int)] = []
      for filters in Self.filters {
        layers.append(layer("convolution.\(layers.count)", [Self.taps.count, channels, filters], outputs: filters))
        (height, width, channels) = ((height + 1) / 2, (width + 1) / 2, filters)
      }
      body = .convolutional(height: picture.height, width: picture.width, channels: picture.channels, layers: layers)
      judge = layer("judge", [height * width * channels, 1], outputs: 1)
    } else {
      var (inputs, layers) = (dims, [(w: Int, b: Int)]())
      for width in Self.widths {
        layers.append(layer("hidden.\(layers.count)", [inputs, width], outputs: width))
        inputs = width
      }
      body = .dense(layers: layers)
      judge = layer("judge", [inputs, 1], outputs: 1)
    }
    self.parameters = parameters
    self.team = team
    tape = Tape(team)
  }

  /// Learns which rows are 1.
  /// - Parameters:
  ///   - x: `[n, dims]`
  ///   - isOne: `[n]`, 0 or 1.
  package mutating func train(on x: Tensor, isOne: [Float], using randomness: Philox) {
    var (epoch, left) = (0, [Int]())
    for step in 0..<Self.steps {
      if left.isEmpty {
        left = randomness.permutation(of: x.rows, .shuffling, step: epoch)
        epoch += 1
      }
      let rows = Array(left.prefix(Self.batch))
      left.removeFirst(rows.count)
      trainStep(on: x.rows(rows), isOne: Tensor(shape: [rows.count, 1], scalars: rows.map { isOne[$0] }), step: step)
    }
  }

  private mutating func trainStep(on x: Tensor, isOne: Tensor, step: Int) {
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let z = logits(of: tape.constant(x), rows: x.rows, weights, on: &tape)
    let loss = tape.apply(Mean(), [tape.apply(BernoulliNats(), [z, tape.constant(isOne)])])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: Self.learningRate, step: step, gradients: weights.map { tape.gradient($0) }, team)
  }

  /// The log odds that each row is 1.
  package func logits(of x: Tensor) -> [Float] {
    var (tape, logits) = (Tape(team), [Float]())
    for start in stride(from: 0, to: x.rows, by: Self.batch) {
      let rows = x.rows(start..<min(start + Self.batch, x.rows))
      tape.begin()
      let weights = parameters.all.indices.map { tape.constant(parameters.settled($0)) }
      let z = self.logits(of: tape.constant(rows), rows: rows.rows, weights, on: &tape)
      logits += tape.value(z).scalars
    }
    return logits
  }

  /// `[rows, 1]`
  private func logits(of x: Tape.Variable, rows: Int, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var h = x
    switch body {
    case .convolutional(let height, let width, let channels, let layers):
      h = tape.apply(Reshape([rows, height, width, channels]), [h])
      for layer in layers { h = tape.apply(Convolution(Self.taps, .leakyRelu), [h, weights[layer.w], weights[layer.b]]) }
      h = tape.apply(Reshape([rows, parameters[judge.w].rows]), [h])
    case .dense(let layers):
      for layer in layers { h = tape.apply(Dense(.leakyRelu), [h, weights[layer.w], weights[layer.b]]) }
    }
    return tape.apply(Dense(), [h, weights[judge.w], weights[judge.b]])
  }
}
