import Foundation
import JSON
import Models
import Tensors
import Testing

/// Eight Gaussians on a ring.
private enum Ring {
  static let (modes, radius, deviation): (Int, Float, Float) = (8, 2, 0.05)

  static func point(_ mode: Int) -> (x: Float, y: Float) {
    let angle = 2 * Double.pi * Double(mode) / Double(modes)
    return (radius * Float(cos(angle)), radius * Float(sin(angle)))
  }

  /// `[count, 2]`, over √2 so that each column has deviation 1, as a model sees reals.
  static func examples(_ numbers: [Int], using randomness: Philox) -> Tensor {
    var x = Tensor(normal: 2, .data, step: 7, examples: numbers, using: randomness)
    for (row, number) in numbers.enumerated() {
      let centre = point(randomness.integer(below: modes, .data, step: 8, example: number))
      x[row, 0] = (centre.x + deviation * x[row, 0]) / Float(2).squareRoot()
      x[row, 1] = (centre.y + deviation * x[row, 1]) / Float(2).squareRoot()
    }
    return x
  }

  /// The share of samples within three deviations of a mode, and how many modes have such.
  static func quality(_ samples: Tensor) -> (good: Double, modes: Int) {
    var (good, met) = (0, Set<Int>())
    for row in 0..<samples.rows {
      let (x, y) = (samples[row, 0] * Float(2).squareRoot(), samples[row, 1] * Float(2).squareRoot())
      guard let mode = (0..<modes).first(where: { hypot(x - point($0).x, y - point($0).y) <= 3 * deviation }) else { continue }
      good += 1
      met.insert(mode)
    }
    return (Double(good) / Double(samples.rows), met.count)
  }
}

/// A game on few examples.
private struct Game {
  let configuration: Configuration
  let input: ModelInput
  var optimizer = OptimizerSettings.adam

  init(_ request: JSONValue, _ input: ModelInput, averaging: Float = 0) {
    let faults = Faults()
    configuration = ModelFamily.gan.schema.resolve(FieldReader(request, faults: faults))
    self.input = input
    optimizer.averagingDecay = averaging
    precondition(faults.isEmpty && ModelFamily.gan.refusal(configuration, input) == nil, "\(request): \(faults.all)")
  }

  func make(seed: UInt64 = 1, threads: Int = 1) -> any GenerativeModel {
    ModelFamily.gan.make(configuration, input, optimizer, seed, ThreadTeam(count: threads))
  }

  func data(_ count: Int) -> Tensor {
    let x = Tensor(uniform: input.dims, .data, examples: Array(0..<count), using: Philox(seed: 3))
    return input.kind == .bits ? Tensor(shape: x.shape, scalars: x.scalars.map { $0 < 0.5 ? 0 : 1 }) : x
  }

  func train(_ model: inout any GenerativeModel, steps: Range<Int>) {
    let x = data(40)
    for step in steps {
      let start = step * 20 % 40
      _ = model.trainStep(
        on: x.rows(start..<start + 20), examples: Array(start..<start + 20), step: step, learningRate: 1e-3, using: Philox(seed: 5))
    }
  }

  static let all: [Game] = {
    let picture = ModelInput(dims: 8 * 12, imageShape: .init(height: 8, width: 12, channels: 1), kind: .grey256)
    let colours = ModelInput(dims: 16 * 16 * 3, imageShape: .init(height: 16, width: 16, channels: 3), kind: .grey256)
    let bits = ModelInput(dims: 10, kind: .bits)
    let reals = ModelInput(dims: 3, kind: .real)
    return [
      Game(["hidden_layers": [17, 9], "latent": 5], bits),
      Game(["hidden_layers": [20], "objective": "hinge", "spectral_norm": true], reals, averaging: 0.9),
      Game(["hidden_layers": [20], "objective": "wasserstein", "spectral_norm": true, "discriminator_steps": 3], reals),
      Game(["architecture": "dcgan", "channels": 6, "latent": 7, "label_smoothing": 0.1], picture, averaging: 0.9),
      Game(["architecture": "dcgan", "channels": 4, "latent": 3, "objective": "hinge", "spectral_norm": true], colours),
    ]
  }()
}

@Suite struct `A GAN` {
  private static let games = 0..<Game.all.count

  @Test(arguments: games) func `learns the same at any thread count`(number: Int) {
    let game = Game.all[number]
    let states = [1, 2, 3].map { threads in
      var model = game.make(threads: threads)
      game.train(&model, steps: 0..<4)
      return model.trainingState
    }
    #expect(states[0] == states[1] && states[0] == states[2])
    #expect(states[0].allSatisfy { $0.tensor.scalars.allSatisfy(\.isFinite) })
    #expect(states[0] != game.make().trainingState)
  }

  @Test(arguments: games) func `goes on from its state as if it had never stopped`(number: Int) throws {
    let game = Game.all[number]
    var (whole, first) = (game.make(), game.make())
    game.train(&whole, steps: 0..<6)
    game.train(&first, steps: 0..<3)
    var second = game.make(seed: 9)
    try second.restore(first.trainingState.byName)
    game.train(&second, steps: 3..<6)
    #expect(second.trainingState == whole.trainingState)
  }

  @Test(arguments: games) func `draws each sample by its own number, from weights alone`(number: Int) throws {
    let game = Game.all[number]
    var model = game.make()
    game.train(&model, steps: 0..<5)
    let all = model.sample(Array(0..<9), temperature: 1, using: Philox(seed: 2))
    #expect(all.shape == [9, game.input.dims] && all != model.sample(Array(0..<9), temperature: 1, using: Philox(seed: 3)))
    switch game.input.kind {
    case .bits: #expect(all.scalars.allSatisfy { $0 == 0 || $0 == 1 })
    case .grey256: #expect(all.scalars.allSatisfy { (0...1).contains($0) })
    case .real: #expect(all.scalars.allSatisfy { $0.isFinite })
    }
    var other = game.make(seed: 8, threads: 2)
    try other.restore(model.weights.byName)
    let some = other.sample([7, 2], temperature: 1, using: Philox(seed: 2))
    #expect(Array(some.row(0)) == Array(all.row(7)) && Array(some.row(1)) == Array(all.row(2)))
  }

  @Test(arguments: games) func `refuses a checkpoint that lacks a tensor or has one of another shape`(number: Int) {
    let game = Game.all[number]
    let model = game.make()
    let state = model.trainingState.byName
    for name in state.keys where !name.hasPrefix("course") {
      var (lacking, wrong) = (state, state)
      lacking[name] = nil
      wrong[name] = Tensor(repeating: 0, shape: [1, 2, 3])
      var restored = game.make()
      #expect(throws: RestoreError.missing(name: name)) { try restored.restore(lacking) }
      #expect(throws: RestoreError.self) { try restored.restore(wrong) }
    }
  }

  /// Five seeds with FOUNT_SEEDS=5.
  @Test func `meets all eight Gaussians of a ring, and little else`() {
    let seeds = ProcessInfo.processInfo.environment["FOUNT_SEEDS"].flatMap { Int($0) } ?? 1
    let game = Game(
      ["hidden_layers": [128, 128], "latent": 2, "discriminator_rate": 2], ModelInput(dims: 2, kind: .real), averaging: 0.998)
    for seed in 1...seeds {
      let randomness = Philox(seed: UInt64(seed))
      var model = game.make(seed: UInt64(seed), threads: 2)
      let steps = 12_000
      for step in 0..<steps {
        let examples = (0..<256).map { (step * 256 + $0) % 50_000 }
        let rate = 5e-4 * (1 - Float(step) / Float(steps))
        _ = model.trainStep(
          on: Ring.examples(examples, using: Philox(seed: 4)), examples: examples, step: step, learningRate: rate, using: randomness)
      }
      let quality = Ring.quality(model.sample(Array(0..<2000), temperature: 1, using: randomness))
      #expect(quality.modes == 8 && quality.good >= 0.85, "seed \(seed): \(quality)")
    }
  }

  @Test func `tells its curves, and what is wrong with them`() throws {
    // A generator that hardly learns, of samples far from data of little variance, against a discriminator that does.
    let game = Game(["hidden_layers": [64], "discriminator_rate": 100], ModelInput(dims: 8, kind: .real))
    var model = game.make()
    #expect((model as? any TellsCourse)?.curves == [] && (model as? any TellsCourse)?.complaint == nil)
    let x = Tensor(shape: [50, 8], scalars: game.data(50).scalars.map { 10 + $0 })
    for step in 0..<1500 {
      _ = model.trainStep(on: x, examples: Array(0..<50), step: step, learningRate: 1e-5, using: Philox(seed: 5))
    }
    var told = try #require(model as? any TellsCourse)
    let names = ["generator_loss", "discriminator_loss", "discriminator_accuracy", "diversity"]
    #expect(told.curves.map(\.name) == names && told.curves.allSatisfy { $0.value.isFinite })
    #expect(told.complaint?.contains("the discriminator is right about") == true, "\(told.curves)")
    // The same samples among data that are far apart are all alike.
    let apart = Tensor(shape: [50, 8], scalars: game.data(50).scalars.map { 300 * ($0 - 0.5) })
    for step in 1500..<2000 {
      _ = model.trainStep(on: apart, examples: Array(0..<50), step: step, learningRate: 1e-6, using: Philox(seed: 5))
    }
    told = try #require(model as? any TellsCourse)
    #expect(told.complaint?.contains("mode collapse") == true, "\(told.curves)")
  }

  @Test func `refuses what it can't make`() {
    func refusal(_ request: JSONValue, _ input: ModelInput) -> Fault? {
      ModelFamily.gan.refusal(ModelFamily.gan.schema.resolve(FieldReader(request, faults: Faults())), input)
    }
    func picture(_ height: Int, _ width: Int) -> ModelInput {
      ModelInput(dims: height * width, imageShape: .init(height: height, width: width, channels: 1), kind: .grey256)
    }
    #expect(refusal(["objective": "wasserstein"], picture(28, 28))?.pointer == "/spectral_norm")
    #expect(refusal(["architecture": "dcgan"], ModelInput(dims: 4, kind: .real))?.pointer == "/architecture")
    for (height, width) in [(27, 28), (6, 8), (66, 64)] {
      #expect(refusal(["architecture": "dcgan"], picture(height, width))?.pointer == "/architecture")
    }
    for side in stride(from: 8, through: 64, by: 2) { #expect(refusal(["architecture": "dcgan"], picture(side, side)) == nil) }
    #expect(refusal(["hidden_layers": [8192, 8192]], picture(64, 64))?.pointer == "/hidden_layers")
  }
}
