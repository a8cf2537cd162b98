import Foundation
import JSON
import Models
import Tensors
import Testing

/// A small MADE and data on which it can be trained in no time.
private struct Subject {
  let configuration: Configuration
  let dims: Int
  var optimizer = OptimizerSettings.adam
  var seed: UInt64 = 7

  init(_ request: JSONValue, dims: Int) {
    let faults = Faults()
    configuration = ModelFamily.made.schema.resolve(FieldReader(request, faults: faults))
    self.dims = dims
    precondition(faults.isEmpty, "\(faults.all)")
  }

  func make(threads: Int = 1) -> MADE {
    MADE(configuration, dims: dims, optimizer: optimizer, seed: seed, team: ThreadTeam(count: threads))
  }

  /// Chains of bits: each is likely to be as the one two before it, the first is rare.
  func data(_ count: Int) -> Tensor {
    let uniforms = Tensor(uniform: dims, .data, examples: Array(0..<count), using: Philox(seed: 11))
    var x = Tensor(repeating: 0, shape: [count, dims])
    for row in 0..<count {
      for d in 0..<dims {
        let likely: Float = d < 2 ? 0.3 : x[row, d - 2] * 0.8 + 0.1
        x[row, d] = uniforms[row, d] < likely ? 1 : 0
      }
    }
    return x
  }

  func trained(steps: Int = 150, threads: Int = 1) -> MADE {
    var model = make(threads: threads)
    train(&model, steps: 0..<steps)
    return model
  }

  func train(_ model: inout MADE, steps: Range<Int>) {
    let x = data(400)
    for step in steps {
      let start = step * 40 % 400
      _ = model.trainStep(
        on: x.rows(start..<start + 40), examples: Array(start..<start + 40), step: step, learningRate: 0.02, using: Philox(seed: seed))
    }
  }

  /// The dimension at each place of each ordering, as the model keeps them.
  func orderings(of model: MADE) -> [[Int]] {
    guard let kept = model.weights.first(where: { $0.name == "orderings" })?.tensor else { return [Array(0..<dims)] }
    return (0..<kept.rows).map { kept.row($0).map { Int($0) } }
  }

  /// Every image there is.
  var images: Tensor {
    Tensor(shape: [1 << dims, dims], scalars: (0..<1 << dims).flatMap { image in (0..<dims).map { Float(image >> $0 & 1) } })
  }
}

private let requests: [JSONValue] = [
  ["hidden_layers": [30]],
  ["hidden_layers": [7], "direct_connections": false],
  ["hidden_layers": [25, 18], "activation": "tanh"],
  ["hidden_layers": [12, 40, 9], "activation": "sigmoid", "direct_connections": false],
  ["hidden_layers": [30], "orderings": 3],
  ["hidden_layers": [20, 20], "orderings": 4, "direct_connections": false],
  ["hidden_layers": [30, 10], "input_dropout": 0.1, "hidden_dropout": 0.2],
]

struct MADETests {
  @Test(arguments: requests)
  func `the probabilities of all images of a trained model sum to 1`(request: JSONValue) {
    let subject = Subject(request, dims: 10)
    let nats = subject.trained().nats(of: subject.images)
    #expect(abs(nats.reduce(0) { $0 + exp(-$1) } - 1) < 1e-5)
  }

  @Test(arguments: requests)
  func `training lowers the nats of data it has not seen`(request: JSONValue) {
    let subject = Subject(request, dims: 10)
    let unseen = subject.data(800).rows(400..<800)
    func mean(_ model: MADE) -> Double { model.nats(of: unseen).reduce(0, +) / 400 }
    // Independent bits cost 6.3 nats at best, the truth 3.9.
    #expect(mean(subject.make()) > 6)
    #expect(mean(subject.trained(steps: 400)) < 5.3)
  }

  @Test(arguments: requests)
  func `a logit changes with every earlier input of its ordering and with no later one`(request: JSONValue) {
    let subject = Subject(request, dims: 12)
    let model = subject.trained()
    let x = subject.data(1)
    for (number, order) in subject.orderings(of: model).enumerated() {
      let logits = model.logits(of: x, ordering: number)
      for (place, dim) in order.enumerated() {
        var flipped = x
        flipped[0, dim] = 1 - x[0, dim]
        let changed = model.logits(of: flipped, ordering: number)
        let moved = (0..<12).filter { changed[0, $0] != logits[0, $0] }
        #expect(moved.allSatisfy { $0 > place }, "input \(dim), the \(place)th of ordering \(number), moves \(moved)")
        // A rectifier may be silent where the one path to the next output goes through it.
        if subject.configuration.boolean("direct_connections") { #expect(moved == Array(place + 1..<12)) }
      }
    }
  }

  @Test func `the first ordering is the data's own and the others are shuffled, each in its own way`() {
    let subject = Subject(["hidden_layers": [4], "orderings": 5], dims: 20)
    let orderings = subject.orderings(of: subject.make())
    #expect(orderings.count == 5 && orderings[0] == Array(0..<20))
    #expect(orderings.allSatisfy { $0.sorted() == Array(0..<20) })
    #expect(Set(orderings).count == 5)
  }

  @Test(arguments: requests, [Float(1), 0.7])
  func `samples have the frequencies that likelihoods say`(request: JSONValue, temperature: Float) {
    let subject = Subject(request, dims: 6)
    let model = subject.trained()
    let orderings = subject.configuration.integer("orderings")
    guard temperature == 1 || orderings == 1 else { return }
    let images = subject.images
    let logits = model.logits(of: images)
    let expected: [Double] =
      temperature == 1
      ? model.nats(of: images).map { exp(-$0) }
      : (0..<64).map { image in
        (0..<6).reduce(1.0) { product, d in
          let p = 1 / (1 + exp(-Double(logits[image, d] / temperature)))
          return product * (images[image, d] == 1 ? p : 1 - p)
        }
      }
    let count = 20_000
    let x = model.sample(Array(0..<count), temperature: temperature, using: Philox(seed: 3))
    var counts = [Double](repeating: 0, count: 64)
    for row in 0..<count { counts[(0..<6).reduce(0) { $0 | Int(x[row, $1]) << $1 }] += 1 }
    // Images that are expected fewer than 5 times go together, as the test's theory asks.
    var (statistic, cells, restExpected, restCounted) = (0.0, 0, 0.0, 0.0)
    func add(_ expected: Double, _ counted: Double) {
      statistic += (counted - expected) * (counted - expected) / expected
      cells += 1
    }
    for image in 0..<64 {
      let expectation = expected[image] * Double(count)
      if expectation >= 5 {
        add(expectation, counts[image])
      } else {
        restExpected += expectation
        restCounted += counts[image]
      }
    }
    if restExpected >= 5 { add(restExpected, restCounted) }
    // Wilson and Hilferty's quantile of chi-square at 3.1 standard deviations, one in a thousand.
    let degrees = Double(cells - 1)
    let bound = degrees * pow(1 - 2 / (9 * degrees) + 3.1 * (2 / (9 * degrees)).squareRoot(), 3)
    #expect(cells > 8 && statistic < bound, "\(statistic) with \(degrees) degrees of freedom")
  }

  @Test(arguments: requests)
  func `sampling finds the very logits that scoring finds`(request: JSONValue) {
    let subject = Subject(request, dims: 70)
    let model = subject.trained(steps: 20)
    for (number, order) in subject.orderings(of: model).enumerated() {
      let drawn = model.draw(Array(0..<21), ordering: number, temperature: 1, using: Philox(seed: 5))
      // What was drawn stands in the ordering; scoring takes the data's own.
      var x = drawn.x
      for row in 0..<21 {
        for (place, dim) in order.enumerated() { x[row, dim] = drawn.x[row, place] }
      }
      #expect(model.logits(of: x, ordering: number) == drawn.logits)
    }
  }

  @Test(arguments: requests)
  func `a sample is the same alone, among others and with any team`(request: JSONValue) {
    let subject = Subject(request, dims: 30)
    let (one, three) = (subject.trained(steps: 20), subject.trained(steps: 20, threads: 3))
    let all = one.sample(Array(0..<50), temperature: 1, using: Philox(seed: 5))
    #expect(three.sample(Array(0..<50), temperature: 1, using: Philox(seed: 5)) == all)
    for index in [0, 17, 49] { #expect(one.sample([index], temperature: 1, using: Philox(seed: 5)) == all.rows(index..<index + 1)) }
    let picked = one.sample([40, 3, 40], temperature: 1, using: Philox(seed: 5))
    #expect(picked.scalars == Array(all.row(40)) + Array(all.row(3)) + Array(all.row(40)))
    #expect(one.sample(Array(0..<50), temperature: 1, using: Philox(seed: 6)) != all)
    #expect(one.sample([], temperature: 1, using: Philox(seed: 5)).shape == [0, 30])
  }

  @Test(arguments: requests)
  func `training gives the same bytes with 1, 2 and 4 threads`(request: JSONValue) {
    let subject = Subject(request, dims: 90)
    let one = subject.trained(steps: 30).trainingState
    #expect(subject.trained(steps: 30, threads: 2).trainingState == one)
    #expect(subject.trained(steps: 30, threads: 4).trainingState == one)
  }

  @Test(arguments: requests, [Float(0), 0.9])
  func `going on from a kept state is as if never stopped`(request: JSONValue, averaging: Float) throws {
    var subject = Subject(request, dims: 20)
    subject.optimizer.averagingDecay = averaging
    subject.optimizer.weightDecay = 0.01
    let whole = subject.trained(steps: 40)
    let half = subject.trained(steps: 25)
    subject.seed = 8
    var restored = subject.make()
    subject.seed = 7
    try restored.restore(half.trainingState.byName)
    subject.train(&restored, steps: 25..<40)
    #expect(restored.trainingState == whole.trainingState)
    let x = subject.data(9)
    #expect(restored.nats(of: x) == whole.nats(of: x))

    var scoring = subject.make()
    try scoring.restore(whole.weights.byName)
    #expect(scoring.nats(of: x) == whole.nats(of: x))
    #expect(
      scoring.sample([0, 1, 2], temperature: 1, using: Philox(seed: 5)) == whole.sample([0, 1, 2], temperature: 1, using: Philox(seed: 5)))
  }

  @Test func `tensors of another model are refused, and change nothing`() {
    let subject = Subject(["hidden_layers": [30], "orderings": 2], dims: 10)
    var model = subject.make()
    let before = model.trainingState
    var tensors = before.byName
    tensors["optimizer.mean.output.bias"] = nil
    #expect(throws: RestoreError.missing(name: "optimizer.mean.output.bias")) { try model.restore(tensors) }
    tensors["hidden.0.weight"] = Tensor(repeating: 0, shape: [10, 29])
    #expect(throws: RestoreError.wrongShape(name: "hidden.0.weight", expected: [10, 30], found: [10, 29])) { try model.restore(tensors) }
    tensors["orderings"] = Tensor(repeating: .nan, shape: [2, 10])
    #expect(throws: RestoreError.wrongValues(name: "orderings", detail: "row 0 is no ordering")) { try model.restore(tensors) }
    #expect(model.trainingState == before)
  }

  @Test func `scoring does not depend on how many examples there are`() {
    let subject = Subject(["hidden_layers": [30, 20]], dims: 40)
    let model = subject.trained(steps: 20)
    let x = subject.data(450)
    let nats = model.nats(of: x)
    #expect(nats.count == 450)
    for row in [0, 199, 200, 449] { #expect(model.nats(of: x.rows(row..<row + 1)) == [nats[row]]) }
  }

  @Test func `a single dimension can be learnt`() {
    let subject = Subject(["hidden_layers": [5]], dims: 1)
    let nats = subject.trained().nats(of: subject.images)
    #expect(abs(exp(-nats[0]) + exp(-nats[1]) - 1) < 1e-6)
    #expect(abs(exp(-nats[1]) - 0.3) < 0.1)
  }

  @Test func `averaged weights follow the weights, at first by a ninth of the steps so far`() {
    var subject = Subject(["hidden_layers": [4]], dims: 5)
    subject.optimizer.averagingDecay = 0.6
    var model = subject.make()
    var average = [Double](repeating: 0, count: 20)
    for step in 0..<30 {
      subject.train(&model, steps: step..<step + 1)
      guard let now = model.trainingState.first(where: { $0.name == "optimizer.current.hidden.0.weight" }) else { return }
      let keep = min(0.6, Double(step) / Double(step + 9))
      for (i, w) in now.tensor.scalars.enumerated() { average[i] = keep * average[i] + (1 - keep) * Double(w) }
    }
    for (mean, w) in zip(average, model.weights[0].tensor.scalars) { #expect(abs(mean - Double(w)) < 1e-5) }
  }

  @Test(arguments: [1, 2])
  func `a step of training gives tensors no memory after the first`(threads: Int) {
    var subject = Subject(["hidden_layers": [40, 30], "input_dropout": 0.1, "hidden_dropout": 0.1], dims: 20)
    subject.optimizer.averagingDecay = 0.6
    var model = subject.make(threads: threads)
    let (x, examples) = (subject.data(30), Array(0..<30))
    func train(_ step: Int) -> Int {
      Allocations.count {
        _ = model.trainStep(on: x, examples: examples, step: step, learningRate: 0.01, using: Philox(seed: 1))
      }
    }
    #expect(train(0) > 0)
    #expect((1..<5).map(train) == [0, 0, 0, 0])
  }
}
