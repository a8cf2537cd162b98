import Foundation
import JSON
import Models
import Tensors
import Testing

private let bits: [PixelSubject] = [
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 2, "head_channels": 8], 3, 3),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 1, "head_channels": 9], 1, 3, 3),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 3, "head_channels": 8, "gated": true], 3, 3),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 3, "head_channels": 9, "gated": true], 1, 3, 3),
  PixelSubject(.pixelRNN, ["channels": 5, "layers": 2, "head_channels": 8, "variant": "row_lstm"], 3, 3),
  PixelSubject(.pixelRNN, ["channels": 6, "layers": 1, "head_channels": 9, "variant": "row_lstm"], 1, 3, 3),
  PixelSubject(.pixelRNN, ["channels": 5, "layers": 2, "head_channels": 8], 3, 3),
  PixelSubject(.pixelRNN, ["channels": 6, "layers": 2, "head_channels": 9], 1, 3, 3),
]

private let levels: [PixelSubject] = [
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 1, "output": "categorical"], 3, 3, 1, .grey256),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 1, "output": "categorical"], 2, 2, 3, .grey256),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 1, "output": "logistic_mixture", "components": 3], 3, 3, 1, .grey256),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 3, "output": "logistic_mixture", "gated": true], 2, 2, 3, .grey256),
  PixelSubject(.pixelCNN, ["channels": 6, "blocks": 3, "output": "categorical", "gated": true], 2, 2, 3, .grey256),
  PixelSubject(.pixelRNN, ["channels": 6, "layers": 1, "output": "categorical"], 2, 2, 3, .grey256),
  PixelSubject(.pixelRNN, ["channels": 5, "layers": 1, "output": "logistic_mixture", "variant": "row_lstm"], 2, 2, 3, .grey256),
  PixelSubject(.pixelRNN, ["channels": 5, "layers": 2, "output": "logistic_mixture"], 3, 3, 1, .grey256),
]

private let all = bits + levels

@Suite struct `A model of pixels` {
  @Test(arguments: bits)
  func `gives all images of bits probabilities that sum to 1`(subject: PixelSubject) {
    let nats = subject.trained().nats(of: subject.images)
    #expect(abs(nats.reduce(0) { $0 + exp(-$1) } - 1) < 1e-5)
  }

  @Test(arguments: levels.filter { $0.image.channels == 1 })
  func `gives all levels of a pixel, given those before it, probabilities that sum to 1`(subject: PixelSubject) {
    let model = subject.sized(1, 2).trained(steps: 20)
    let told = model.distributions(of: Tensor(repeating: 0, shape: [1, 2])).scalars
    for level in [0, 77, 255] {
      let levels = (0..<256).flatMap { [level, $0] }
      let pairs = Tensor(shape: [256, 2], scalars: levels.map { Float($0) / 255 })
      let sum = model.nats(of: pairs).reduce(0) { $0 + exp(-$1) }
      // What the first pixel's own distribution gives that level.
      let expected = subject.mass(ofRed: level, told)
      #expect(abs(sum / expected - 1) < 1e-5, "\(sum) after level \(level), not \(expected)")
    }
  }

  @Test(arguments: levels.filter { $0.image.channels == 3 })
  func `gives all greens and blues of a pixel, given its red, probabilities that sum to 1`(subject: PixelSubject) {
    let one = subject.sized(1, 1)
    let model = one.trained(steps: 20)
    for red in [0, 100] {
      let colours = (0..<1 << 16).flatMap { number -> [Float] in
        let levels = [red, number >> 8, number & 255]
        return levels.map { Float($0) / 255 }
      }
      let sum = model.nats(of: Tensor(shape: [1 << 16, 3], scalars: colours)).reduce(0) { $0 + exp(-$1) }
      let expected = one.mass(ofRed: red, model.distributions(of: Tensor(shape: [1, 3], scalars: [0, 0, 0])).scalars)
      #expect(abs(sum / expected - 1) < 1e-5, "\(sum), not \(expected)")
    }
  }

  @Test(arguments: all)
  func `learns: training lowers the nats of data it has not seen`(subject: PixelSubject) {
    let unseen = subject.data(400).rows(160..<400)
    func mean(_ model: PixelModel) -> Double { model.nats(of: unseen).reduce(0, +) / 240 }
    let (before, after) = (mean(subject.make()), mean(subject.trained(steps: subject.kind == .bits ? 200 : 40)))
    // Independent bits cost some 6.2 nats, the truth 3.9.
    if subject.kind == .bits { #expect(before > after + 0.5 && after < 5) } else { #expect(after < 0.97 * before) }
  }

  @Test(arguments: all)
  func `tells a channel by the channels and pixels before it, and by no later one`(subject: PixelSubject) {
    var wide = subject.sized(4, 7)
    let sites = 28 * wide.colours
    var moved = [[Bool]](repeating: [Bool](repeating: false, count: sites), count: wide.dims)
    // A rectifier may be silent in one model where the one path goes through it.
    for seed in 1...4 {
      wide.seed = UInt64(seed)
      let (model, x) = (wide.make(), wide.data(4).rows(seed - 1..<seed))
      let told = model.distributions(of: x).scalars
      for dim in 0..<wide.dims {
        var other = x
        other[0, dim] = wide.kind == .bits || x[0, dim] < 0.5 ? 1 - x[0, dim] : 0
        let changed = model.distributions(of: other).scalars
        for place in told.indices where told[place] != changed[place] { moved[dim][place * sites / told.count] = true }
      }
    }
    for dim in 0..<wide.dims {
      // Where channels do not come one after the other, the pixel is told as one.
      let site = wide.colours == 1 ? dim / wide.image.channels : dim
      let reached = (0..<sites).filter { moved[dim][$0] }
      #expect(reached.allSatisfy { $0 > site }, "number \(dim) moves \(reached)")
      if wide.hasBlindSpot { continue }
      let unseen = wide.sitesBlind(to: site)
      #expect(reached == (site + 1..<sites).filter { !unseen.contains($0) }, "number \(dim)")
    }
  }

  @Test(arguments: all)
  func `draws by the very numbers that scoring finds`(subject: PixelSubject) {
    let wide = subject.sized(6, 5)
    let drawn = wide.trained(steps: 5).draw(Array(0..<7), temperature: 1, using: Philox(seed: 5))
    #expect(wide.trained(steps: 5).distributions(of: drawn.x) == drawn.distributions)
    #expect(Set(drawn.x.scalars).count > 1)
  }

  @Test(arguments: bits, [Float(1), 0.7])
  func `samples have the frequencies that likelihoods say`(subject: PixelSubject, temperature: Float) {
    let (model, images, dims) = (subject.trained(), subject.images, subject.dims)
    let told = model.distributions(of: images)
    let count = 8_000
    let expected = (0..<images.rows).map { image in
      (0..<dims).reduce(Double(count)) { product, d in
        let p = 1 / (1 + exp(-Double(told[image, d] / temperature)))
        return product * (images[image, d] == 1 ? p : 1 - p)
      }
    }
    let x = model.sample(Array(0..<count), temperature: temperature, using: Philox(seed: 3))
    var counts = [Double](repeating: 0, count: images.rows)
    for row in 0..<count { counts[(0..<dims).reduce(0) { $0 | Int(x[row, $1]) << $1 }] += 1 }
    let test = ChiSquare(counts: counts, expected: expected)
    #expect(test.cells > 20 && test.statistic < test.bound, "\(test.statistic) of \(test.cells) cells")
  }

  @Test(arguments: levels)
  func `a pixel's first channel has the frequencies that likelihoods say`(subject: PixelSubject) {
    let one = subject.sized(1, 1)
    let (model, channels, count) = (one.trained(steps: 40), one.image.channels, 20_000)
    let told = model.distributions(of: Tensor(repeating: 0, shape: [1, channels])).scalars
    let x = model.sample(Array(0..<count), temperature: 1, using: Philox(seed: 3))
    var counts = [Double](repeating: 0, count: 256)
    for row in 0..<count { counts[Int((x[row, 0] * 255).rounded())] += 1 }
    let test = ChiSquare(counts: counts, expected: (0..<256).map { Double(count) * one.mass(ofRed: $0, told) })
    #expect(test.cells > 20 && test.statistic < test.bound, "\(test.statistic) of \(test.cells) cells")
  }

  @Test(arguments: levels)
  func `another model's likelihood over the own has a mean of 1 over samples`(subject: PixelSubject) {
    let model = subject.trained(steps: 40)
    var other = model
    subject.train(&other, steps: 40..<44, rate: 0.003)
    let x = model.sample(Array(0..<4_000), temperature: 1, using: Philox(seed: 4))
    let ratios = zip(model.nats(of: x), other.nats(of: x)).map { exp($0 - $1) }
    let mean = ratios.reduce(0, +) / 4_000
    let deviation = (ratios.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4_000).squareRoot()
    #expect(deviation > 0.01 && abs(mean - 1) < 4 * deviation / Double(4_000).squareRoot(), "\(mean) ± \(deviation)")
  }

  @Test(arguments: all)
  func `a sample is the same alone, among others and with any team`(subject: PixelSubject) {
    let (one, three) = (subject.trained(steps: 5), subject.trained(steps: 5, threads: 3))
    let drawn = one.sample(Array(0..<11), temperature: 1, using: Philox(seed: 5))
    #expect(three.sample(Array(0..<11), temperature: 1, using: Philox(seed: 5)) == drawn)
    for index in [0, 6, 10] { #expect(one.sample([index], temperature: 1, using: Philox(seed: 5)) == drawn.rows(index..<index + 1)) }
    let picked = one.sample([9, 3, 9], temperature: 1, using: Philox(seed: 5))
    #expect(picked.scalars == Array(drawn.row(9)) + Array(drawn.row(3)) + Array(drawn.row(9)))
    #expect(one.sample(Array(0..<11), temperature: 1, using: Philox(seed: 6)) != drawn)
    #expect(one.sample([], temperature: 1, using: Philox(seed: 5)).shape == [0, subject.dims])
  }

  @Test(arguments: all)
  func `training gives the same bytes with 1, 2 and 4 threads`(subject: PixelSubject) {
    let wide = subject.sized(7, 6)
    let one = wide.trained(steps: 4).trainingState
    #expect(wide.trained(steps: 4, threads: 2).trainingState == one)
    #expect(wide.trained(steps: 4, threads: 4).trainingState == one)
  }

  @Test(arguments: all)
  func `the loss' gradient is that of finite differences, weight by weight`(subject: PixelSubject) throws {
    var subject = subject.sized(3, 3)
    subject.optimizer = .sgd()
    var start = subject.make()
    // Where biases are 0, sums of nothing are where a rectifier has no derivative.
    let moved = start.weights.enumerated().map { place, weight -> NamedTensor in
      guard weight.tensor.shape.count == 1 else { return weight }
      return NamedTensor(
        weight.name, Tensor(uniformIn: -0.5..<0.5, shape: weight.tensor.shape, .noise, index: place, using: Philox(seed: 4)))
    }
    try start.restore(moved.byName)
    let x = subject.data(12)
    var stepped = start
    _ = stepped.trainStep(on: x, examples: Array(0..<12), step: 3, learningRate: 1, using: Philox(seed: 1))
    // A step of plain descent at rate 1 takes the gradient itself.
    for (place, (before, after)) in zip(start.weights, stepped.weights).enumerated() {
      let gradient = zip(before.tensor.scalars, after.tensor.scalars).map { Double($0) - Double($1) }
      let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(length > 0, "\(before.name) learns nothing")
      // Along the gradient the loss grows by its length.
      func loss(_ step: Double) throws -> Double {
        var tensors = start.weights.byName
        let scalars = zip(before.tensor.scalars, gradient).map { Float(Double($0) + step * $1 / length) }
        tensors[before.name] = Tensor(shape: before.tensor.shape, scalars: scalars)
        var model = start
        try model.restore(tensors)
        return model.nats(of: x).reduce(0, +) / 12
      }
      let h = 0.001
      let difference = try (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
      #expect(abs(difference - length) < 6e-3 + 0.02 * length, "\(place) \(before.name): \(length), not \(difference)")
    }
  }

  @Test(arguments: all, [Float(0), 0.9])
  func `going on from a kept state is as if never stopped`(subject: PixelSubject, averaging: Float) throws {
    var subject = subject
    subject.optimizer.averagingDecay = averaging
    subject.optimizer.weightDecay = 0.01
    let whole = subject.trained(steps: 8)
    let half = subject.trained(steps: 5)
    subject.seed = 8
    var restored = subject.make()
    subject.seed = 7
    try restored.restore(half.trainingState.byName)
    subject.train(&restored, steps: 5..<8)
    #expect(restored.trainingState == whole.trainingState)
    #expect(restored.nats(of: subject.data(5)) == whole.nats(of: subject.data(5)))
  }

  @Test(arguments: all)
  func `a step of training gives tensors no memory after the first`(subject: PixelSubject) {
    for threads in [1, 2] {
      var model = subject.make(threads: threads)
      let x = subject.data(30)
      func train(_ step: Int) -> Int {
        Allocations.count {
          _ = model.trainStep(on: x, examples: Array(0..<30), step: step, learningRate: 0.01, using: Philox(seed: 1))
        }
      }
      #expect(train(0) > 0)
      #expect((1..<4).map(train) == [0, 0, 0])
    }
  }

  @Test(arguments: all)
  func `scoring does not depend on how many examples there are`(subject: PixelSubject) {
    let (model, x) = (subject.trained(steps: 3), subject.data(70))
    let nats = model.nats(of: x)
    #expect(nats.count == 70)
    for row in [0, 31, 32, 69] { #expect(model.nats(of: x.rows(row..<row + 1)) == [nats[row]]) }
  }
}
