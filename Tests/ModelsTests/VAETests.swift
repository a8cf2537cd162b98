import Evaluation
import Foundation
import JSON
import Models
import Tensors
import Testing

/// A VAE so configured, on examples of its kind.
struct VAECase: Sendable, CustomStringConvertible {
  let configuration: Configuration
  let input: ModelInput
  let description: String
  var optimizer = OptimizerSettings.adam
  var seed: UInt64 = 7

  init(_ request: JSONValue, _ input: ModelInput) {
    let faults = Faults()
    configuration = ModelFamily.vae.schema.resolve(FieldReader(request, faults: faults))
    self.input = input
    description = request.serialized()
    precondition(faults.isEmpty && ModelFamily.vae.refusal(configuration, input) == nil, "\(description): \(faults.all)")
  }

  private static let image = ModelInput.ImageShape(height: 4, width: 8, channels: 1)

  static let all: [VAECase] = [
    .init(["hidden_layers": [12], "latent": 2], ModelInput(dims: 6, kind: .bits)),
    .init(["hidden_layers": [10, 8], "latent": 3, "importance_samples": 4], ModelInput(dims: 6, kind: .bits)),
    .init(["hidden_layers": [12], "latent": 2, "activation": "relu", "likelihood": "gaussian"], ModelInput(dims: 5, kind: .real)),
    .init(["hidden_layers": [12], "latent": 2, "likelihood": "discretized_logistic"], ModelInput(dims: 5, kind: .grey256)),
    .init(
      ["architecture": "convolutional", "hidden_layers": [9], "channels": 4, "latent": 3],
      ModelInput(dims: 32, imageShape: image, kind: .bits)),
    .init(
      ["architecture": "convolutional", "hidden_layers": [9], "channels": 3, "latent": 2, "likelihood": "discretized_logistic"],
      ModelInput(dims: 32, imageShape: image, kind: .grey256)),
  ]

  typealias Model = WeighsLatents & HasLatents

  func make(threads: Int = 1) -> any Model {
    let model = ModelFamily.vae.make(configuration, input, optimizer, seed, ThreadTeam(count: threads))
    guard let model = model as? any Model else { preconditionFailure("\(description) has no latents") }
    return model
  }

  func trained(steps: Int, threads: Int = 1) -> any Model {
    var model = make(threads: threads)
    train(&model, steps: 0..<steps)
    return model
  }

  func train(_ model: inout any Model, steps: Range<Int>) {
    let x = data(400)
    for step in steps {
      let rows = step % 10 * 40..<step % 10 * 40 + 40
      _ = model.trainStep(on: x.rows(rows), examples: Array(rows), step: step, learningRate: 0.01, using: Philox(seed: seed))
    }
  }

  /// Examples each number of which is much like the one before it.
  func data(_ count: Int) -> Tensor {
    let (examples, randomness, dims) = (Array(0..<count), Philox(seed: 11), input.dims)
    let uniforms = Tensor(uniform: dims, .data, examples: examples, using: randomness)
    let normals = Tensor(normal: dims, .data, step: 1, examples: examples, using: randomness)
    var x = Tensor(repeating: 0, shape: [count, dims])
    for row in 0..<count {
      for d in 0..<dims {
        let (before, uniform) = (d == 0 ? nil : x[row, d - 1], uniforms[row, d])
        switch input.kind {
        case .bits: x[row, d] = uniform < (before.map { $0 * 0.8 + 0.1 } ?? 0.3) ? 1 : 0
        case .grey256: x[row, d] = ((before.map { 0.7 * $0 + 0.2 * uniform } ?? uniform) * 255).rounded() * (1 / 255)
        case .real: x[row, d] = before.map { 0.8 * $0 + 0.4 * normals[row, d] } ?? (uniform < 0.5 ? -1 : 1) + 0.3 * normals[row, d]
        }
      }
    }
    return x
  }
}

struct VAETests {
  private static let cases = 0..<VAECase.all.count

  private func likelihood(_ model: any VAECase.Model, _ estimator: LikelihoodEstimator, draws: Int, seed: UInt64 = 1) throws
    -> any Likelihood
  {
    var settings = LikelihoodSettings()
    settings.importanceSamples = draws
    return try #require(settings.likelihood(estimator, of: model, using: Philox(seed: seed)))
  }

  /// −ln p(x) of every x of 6 bits, by a fine grid over two latents.
  private func integrated(_ model: any VAECase.Model) -> [Double] {
    let (count, reach) = (160, 6.0)
    let middles = (0..<count).map { reach * ((2 * Double($0) + 1) / Double(count) - 1) }
    let points = middles.flatMap { first in middles.map { (first, $0) } }
    let p = model.expected(Tensor(shape: [points.count, 2], scalars: points.flatMap { [Float($0.0), Float($0.1)] }))
    let states = EnergyCase.states(6)
    var sums = [Double](repeating: 0, count: 64)
    for (row, point) in points.enumerated() {
      let prior = exp(-(point.0 * point.0 + point.1 * point.1) / 2) / (2 * Double.pi) * pow(2 * reach / Double(count), 2)
      let on = p.row(row).map { Double($0) }
      for state in 0..<64 {
        var product = prior
        for d in 0..<6 { product *= states[state, d] == 1 ? on[d] : 1 - on[d] }
        sums[state] += product
      }
    }
    return sums.map { -log($0) }
  }

  @Test func `the evidence bound is below the importance weighted ones, which rise to the likelihood with each draw`() throws {
    let model = VAECase.all[0].trained(steps: 1500)
    let (x, numbers, exact) = (EnergyCase.states(6), Array(0..<64), integrated(model))
    #expect(abs(exact.reduce(0) { $0 + exp(-$1) } - 1) < 1e-4)
    func mean(_ estimator: LikelihoodEstimator, _ draws: Int) throws -> Double {
      // Of several seeds, for a bound holds on the average.
      var sum = 0.0
      for seed in 0..<UInt64(20) {
        let nats = try likelihood(model, estimator, draws: draws, seed: seed).nats(of: x, examples: numbers)
        for state in 0..<64 { sum += (nats[state] - exact[state]) * exp(-exact[state]) / 20 }
      }
      return sum
    }
    let (elbo, two, ten, hundred) = (try mean(.elbo, 50), try mean(.iwae, 2), try mean(.iwae, 10), try mean(.iwae, 100))
    #expect(elbo > two && two > ten && ten > hundred && hundred > -0.002, "\(elbo), \(two), \(ten), \(hundred)")
    #expect(elbo > 0.01, "\(elbo)")
    let many = try likelihood(model, .iwae, draws: 5000).nats(of: x, examples: numbers)
    // Rare states, of which few draws tell anything, count as little as they come.
    let off = (0..<64).reduce(0.0) { $0 + abs(many[$1] - exact[$1]) * exp(-exact[$1]) }
    #expect(off < 0.02, "\(off)")
  }

  @Test func `samples have the frequencies that the integral says`() {
    let model = VAECase.all[0].trained(steps: 600)
    let count = 20_000
    let x = model.sample(Array(0..<count), temperature: 1, using: Philox(seed: 3))
    var counted = [Double](repeating: 0, count: 64)
    for row in 0..<count { counted[EnergyCase.number(x.row(row))] += 1 }
    let test = ChiSquare(counts: counted, expected: integrated(model).map { exp(-$0) * Double(count) })
    #expect(test.cells > 8 && test.statistic < test.bound, "\(test)")
  }

  @Test(arguments: cases)
  func `training lowers the nats of data it has not seen`(number: Int) throws {
    let one = VAECase.all[number]
    let unseen = one.data(600).rows(400..<600)
    func nats(_ model: any VAECase.Model) throws -> Double {
      MeanEstimate(of: try likelihood(model, .iwae, draws: 50).nats(of: unseen, examples: Array(0..<200))).mean
    }
    let (before, after) = (try nats(one.make()), try nats(one.trained(steps: 500)))
    #expect(after < before - 0.5, "\(one): \(before), \(after)")
  }

  @Test(arguments: cases)
  func `what is told of an example, and a sample, depends on no neighbour and no team`(number: Int) throws {
    let one = VAECase.all[number]
    let alone = one.trained(steps: 12)
    let x = one.data(60)
    let bound = try likelihood(alone, .iwae, draws: 7)
    let nats = bound.nats(of: x, examples: Array(0..<60))
    let samples = alone.sample(Array(0..<40), temperature: 0.9, using: Philox(seed: 5))
    for threads in [2, 4] {
      let team = one.trained(steps: 12, threads: threads)
      #expect(team.trainingState == alone.trainingState, "\(one) with \(threads) threads")
      #expect(try likelihood(team, .iwae, draws: 7).nats(of: x, examples: Array(0..<60)) == nats)
      #expect(team.sample(Array(0..<40), temperature: 0.9, using: Philox(seed: 5)) == samples)
    }
    for row in [0, 33, 59] {
      #expect(bound.nats(of: x.rows(row..<row + 1), examples: [row]) == [nats[row]], "\(one), row \(row)")
      #expect(alone.encode(x.rows(row..<row + 1)) == alone.encode(x).rows(row..<row + 1))
    }
    for index in [0, 17, 39] {
      #expect(alone.sample([index], temperature: 0.9, using: Philox(seed: 5)) == samples.rows(index..<index + 1))
    }
    #expect(alone.sample([], temperature: 1, using: Philox(seed: 5)).shape == [0, one.input.dims])
  }

  @Test(arguments: cases)
  func `going on from a kept state is as if never stopped`(number: Int) throws {
    var one = VAECase.all[number]
    one.optimizer.averagingDecay = 0.9
    let (whole, half) = (one.trained(steps: 20), one.trained(steps: 11))
    var other = one
    other.seed = 8
    var restored = other.make()
    try restored.restore(half.trainingState.byName)
    one.train(&restored, steps: 11..<20)
    #expect(restored.trainingState == whole.trainingState, "\(one)")
    var scoring = other.make()
    try scoring.restore(whole.weights.byName)
    #expect(scoring.encode(one.data(9)) == whole.encode(one.data(9)))
  }

  /// A step of plain descent tells the gradient; steps of length 0 tell the loss about it, with the same draws.
  @Test(arguments: cases)
  func `the gradient of the whole loss is that of finite differences`(number: Int) throws {
    var one = VAECase.all[number]
    one.optimizer = .sgd()
    let model = one.trained(steps: 0)
    let x = one.data(12)
    var stepped = model
    _ = stepped.trainStep(on: x, examples: Array(0..<12), step: 30, learningRate: 1, using: Philox(seed: 1))
    let after = Dictionary(uniqueKeysWithValues: stepped.weights.map { ($0.name, $0.tensor.scalars) })
    let gradient = model.weights.map { named in zip(named.tensor.scalars, after[named.name] ?? []).map { Double($0) - Double($1) } }
    let length = gradient.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(length > 0.01)
    for direction in 0..<4 {
      let signs = model.weights.enumerated().map { place, named in
        Tensor(uniformIn: -1..<1, shape: named.tensor.shape, .noise, index: 100 * direction + place, using: Philox(seed: 2))
          .scalars.map { Double($0) }
      }
      let raw = direction == 0 ? gradient : signs
      let norm = raw.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
      func loss(_ distance: Double) throws -> Double {
        var moved = model
        var tensors: [String: Tensor] = [:]
        for (named, along) in zip(model.weights, raw) {
          let scalars = zip(named.tensor.scalars, along).map { Float(Double($0) + distance * $1 / norm) }
          tensors[named.name] = Tensor(shape: named.tensor.shape, scalars: scalars)
        }
        try moved.restore(tensors)
        return moved.trainStep(on: x, examples: Array(0..<12), step: 30, learningRate: 0, using: Philox(seed: 1))
      }
      let h = 0.01
      let difference = try (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
      let slope = zip(gradient.joined(), raw.joined()).reduce(0) { $0 + $1.0 * $1.1 } / norm
      #expect(abs(difference - slope) < 0.01 * length + 2e-3, "\(one), direction \(direction): \(difference), \(slope)")
    }
  }

  /// The mean square of the latents' means, which is 0 where examples and latents know nothing of each other.
  private func spread(_ members: JSONObject) -> Double {
    var request: JSONObject = ["hidden_layers": [12], "latent": 2]
    for (key, value) in members { request[key] = value }
    let one = VAECase(.object(request), ModelInput(dims: 6, kind: .bits))
    let z = one.trained(steps: 800).encode(one.data(400))
    return z.scalars.reduce(0) { $0 + Double($1 * $1) } / Double(z.count)
  }

  @Test func `a divergence that counts more leaves less in the latents, unless some of it is free or it does not count yet`() {
    let (one, heavy) = (spread([:]), spread(["beta": 8]))
    #expect(heavy < 0.05 && one > 0.1, "\(one), \(heavy)")
    #expect(spread(["beta": 8, "free_nats": 0.5]) > 0.2)
    #expect(spread(["beta": 8, "warm_up_steps": 1_000_000]) > 0.5)
  }

  @Test func `what the family can't be made for is refused with its field`() {
    func pointer(_ request: JSONValue, _ input: ModelInput) -> String? {
      let configuration = ModelFamily.vae.schema.resolve(FieldReader(request, faults: Faults()))
      return ModelFamily.vae.refusal(configuration, input)?.pointer
    }
    let table = ModelInput(dims: 784, kind: .bits)
    let odd = ModelInput(dims: 6 * 6, imageShape: .init(height: 6, width: 6, channels: 1), kind: .bits)
    #expect(pointer([:], table) == nil)
    #expect(pointer(["architecture": "convolutional"], table) == "/architecture")
    #expect(pointer(["architecture": "convolutional"], odd) == "/architecture")
    #expect(pointer(["likelihood": "gaussian"], table) == "/likelihood")
    #expect(pointer(["importance_samples": 5, "beta": 2], table) == "/importance_samples")
    #expect(pointer(["hidden_layers": [16_384, 16_384, 16_384]], table) == "/hidden_layers")
  }
}

struct SphericalWayTests {
  @Test func `it leads from one end to the other at an even pace about the origin`() {
    let way = SphericalWay(from: [3, 0], to: [0, 3])
    for step in 0...6 {
      let (point, angle) = (way.point(Double(step) / 6), Double(step) * Double.pi / 12)
      #expect(abs(Double(point[0]) - 3 * cos(angle)) < 1e-6 && abs(Double(point[1]) - 3 * sin(angle)) < 1e-6)
    }
  }

  @Test func `between ends in one direction, in opposite ones and at the origin it is straight`() {
    #expect(SphericalWay(from: [1, 1], to: [3, 3]).point(0.5) == [2, 2])
    #expect(SphericalWay(from: [1, 0], to: [-1, 0]).point(0.25) == [0.5, 0])
    #expect(SphericalWay(from: [0, 0], to: [2, 0]).point(0.5) == [1, 0])
  }
}
