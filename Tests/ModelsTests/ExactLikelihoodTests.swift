import Foundation
import JSON
import Models
import Tensors
import Testing

/// What holds of every family with an exact likelihood, whatever its configuration.
struct ExactLikelihoodTests {
  private static let cases = 0..<FamilyCase.all.count

  private func mean(_ nats: [Double]) -> Double { nats.reduce(0, +) / Double(nats.count) }

  @Test(arguments: cases)
  func `the probabilities of all there is sum to 1`(number: Int) {
    let one = FamilyCase.all[number]
    let nats = one.trained(dims: one.fewDims, steps: 80).nats(of: one.everything)
    let sum = nats.reduce(0) { $0 + exp(-$1) * one.volume }
    #expect(abs(sum - 1) < 1e-5, "\(one): \(sum)")
  }

  @Test(arguments: cases)
  func `training lowers the nats of data it has not seen`(number: Int) {
    let one = FamilyCase.all[number]
    let unseen = one.data(800, dims: 6).rows(400..<800)
    let (before, after) = (mean(one.make(dims: 6).nats(of: unseen)), mean(one.trained(dims: 6, steps: 600).nats(of: unseen)))
    // By a sixth of a nat a dimension at the least.
    #expect(after < before - 1, "\(one): \(before), \(after)")
  }

  @Test(arguments: cases)
  func `a conditional changes with what comes before it and with nothing else`(number: Int) {
    let one = FamilyCase.all[number]
    let (dims, model) = (7, one.trained(dims: 7, steps: 40))
    // Where a rectifier is silent for one example, another one speaks.
    let x = one.data(30, dims: dims)
    for (number, order) in model.orders.enumerated() {
      let told = model.conditionals(of: x, ordering: number)
      let outputs = told.columns / dims
      for (place, d) in order.enumerated() {
        var changed = x
        for row in 0..<x.rows { changed[row, d] = one.other(than: x[row, d]) }
        let now = model.conditionals(of: changed, ordering: number)
        let moved = Set(
          (0..<dims).filter { e in
            (0..<x.rows).contains { row in (e * outputs..<(e + 1) * outputs).contains { now[row, $0] != told[row, $0] } }
          })
        #expect(moved.isSubset(of: order[(place + 1)...]), "\(one): \(d) moves \(moved) in \(order)")
        if place + 1 < dims { #expect(!moved.isEmpty, "\(one): \(d) moves nothing in \(order)") }
      }
    }
  }

  @Test(arguments: cases)
  func `nats are those of the mixture of orderings`(number: Int) {
    let one = FamilyCase.all[number]
    let model = one.trained(dims: 6, steps: 40)
    let x = one.data(20, dims: 6)
    let each = model.orders.indices.map { Conditionals(model.conditionals(of: x, ordering: $0), one).nats(of: x) }
    for (row, nats) in model.nats(of: x).enumerated() {
      let mixed = -log(each.reduce(0) { $0 + exp(-$1[row]) } / Double(each.count))
      #expect(abs(nats - mixed) < 1e-4 * max(1, abs(mixed)), "\(one): \(nats), \(mixed)")
    }
  }

  @Test(arguments: cases)
  func `sampling finds the very conditionals that scoring finds`(number: Int) {
    let one = FamilyCase.all[number]
    let model = one.trained(dims: 19, steps: 10)
    for ordering in model.orders.indices {
      for temperature in [Float(1), 0.6] {
        let drawn = model.drawn(Array(3..<24), ordering: ordering, temperature: temperature)
        #expect(model.conditionals(of: drawn.x, ordering: ordering) == drawn.logits, "\(one)")
      }
    }
  }

  @Test(arguments: cases)
  func `samples have the frequencies that likelihoods say`(number: Int) {
    let one = FamilyCase.all[number]
    let model = one.trained(dims: one.fewDims, steps: 80)
    var expected = [Double](repeating: 0, count: 256)
    let everything = one.everything
    for (row, nats) in model.nats(of: everything).enumerated() { expected[one.cell(everything.row(row))] += exp(-nats) * one.volume }
    let count = 20_000
    let x = model.sample(Array(0..<count), temperature: 1, using: Philox(seed: 3))
    var counted = [Double](repeating: 0, count: 256)
    for row in 0..<count { counted[one.cell(x.row(row))] += 1 }
    // Cells that are expected fewer than 5 times go together, as the test's theory asks.
    let often = expected.indices.filter { expected[$0] * Double(count) >= 5 }
    var cells = often.map { (expected[$0] * Double(count), counted[$0]) }
    let rest = (Double(count) - cells.reduce(0) { $0 + $1.0 }, Double(count) - cells.reduce(0) { $0 + $1.1 })
    if rest.0 >= 5 { cells.append(rest) }
    let statistic = cells.reduce(0) { $0 + ($1.1 - $1.0) * ($1.1 - $1.0) / $1.0 }
    // Wilson and Hilferty's quantile of chi-square at 3.7 standard deviations, one in ten thousand.
    let degrees = Double(cells.count - 1)
    let bound = degrees * pow(1 - 2 / (9 * degrees) + 3.7 * (2 / (9 * degrees)).squareRoot(), 3)
    #expect(cells.count > 8 && statistic < bound, "\(one): \(statistic) with \(degrees) degrees of freedom")
  }

  @Test(arguments: cases)
  func `a sample is the same alone, among others and with any team`(number: Int) {
    let one = FamilyCase.all[number]
    let (alone, three) = (one.trained(dims: 11, steps: 10), one.trained(dims: 11, steps: 10, threads: 3))
    func draw(_ indices: [Int], seed: UInt64 = 5) -> Tensor { alone.sample(indices, temperature: 0.9, using: Philox(seed: seed)) }
    let all = draw(Array(0..<40))
    #expect(three.sample(Array(0..<40), temperature: 0.9, using: Philox(seed: 5)) == all)
    for index in [0, 17, 39] { #expect(draw([index]) == all.rows(index..<index + 1)) }
    #expect(draw([30, 3, 30]).scalars == Array(all.row(30)) + Array(all.row(3)) + Array(all.row(30)))
    #expect(draw(Array(0..<40), seed: 6) != all)
    #expect(draw([]).shape == [0, 11])
  }

  @Test(arguments: cases)
  func `training and scoring give the same bytes with 1, 2 and 4 threads`(number: Int) {
    let one = FamilyCase.all[number]
    let alone = one.trained(dims: 21, steps: 15)
    let x = one.data(130, dims: 21)
    let nats = alone.nats(of: x)
    for threads in [2, 4] {
      let team = one.trained(dims: 21, steps: 15, threads: threads)
      #expect(team.trainingState == alone.trainingState && team.nats(of: x) == nats, "\(one) with \(threads) threads")
    }
    for row in [0, 59, 60, 129] { #expect(alone.nats(of: x.rows(row..<row + 1)) == [nats[row]], "\(one), row \(row)") }
  }

  @Test(arguments: cases)
  func `going on from a kept state is as if never stopped`(number: Int) throws {
    var one = FamilyCase.all[number]
    one.optimizer.averagingDecay = 0.9
    let whole = one.trained(dims: 9, steps: 30)
    let half = one.trained(dims: 9, steps: 17)
    var other = one
    other.seed = 8
    var restored = other.make(dims: 9)
    try restored.restore(half.trainingState.byName)
    one.train(&restored, dims: 9, steps: 17..<30)
    #expect(restored.trainingState == whole.trainingState, "\(one)")
    var scoring = other.make(dims: 9)
    try scoring.restore(whole.weights.byName)
    let x = one.data(9, dims: 9)
    #expect(scoring.nats(of: x) == whole.nats(of: x))
    #expect(
      scoring.sample([0, 1, 2], temperature: 1, using: Philox(seed: 5)) == whole.sample([0, 1, 2], temperature: 1, using: Philox(seed: 5)))
  }

  /// A step of plain descent tells the gradient; steps of length 0 tell the loss about it.
  @Test(arguments: cases)
  func `the gradient of the whole loss is that of finite differences`(number: Int) throws {
    var one = FamilyCase.all[number]
    one.optimizer = .sgd()
    let model = one.trained(dims: 6, steps: 30)
    let (x, weights) = (one.data(12, dims: 6), model.weights.filter { $0.name != "orderings" && !$0.name.hasPrefix("degrees") })
    var stepped = model
    _ = stepped.trainStep(on: x, examples: Array(0..<12), step: 30, learningRate: 1, using: Philox(seed: 1))
    let after = Dictionary(uniqueKeysWithValues: stepped.weights.map { ($0.name, $0.tensor.scalars) })
    let gradient = weights.map { named in zip(named.tensor.scalars, after[named.name] ?? []).map { Double($0) - Double($1) } }
    let length = gradient.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(length > 0.01)
    for direction in 0..<4 {
      // The gradient itself, and then any.
      let signs = weights.indices.map { place in
        Tensor(uniformIn: -1..<1, shape: weights[place].tensor.shape, .noise, index: 100 * direction + place, using: Philox(seed: 2))
          .scalars.map { Double($0) }
      }
      let raw = direction == 0 ? gradient : signs
      let norm = raw.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
      func loss(_ distance: Double) throws -> Double {
        var moved = model
        var tensors = model.weights.byName
        for (named, along) in zip(weights, raw) {
          let scalars = zip(named.tensor.scalars, along).map { Float(Double($0) + distance * $1 / norm) }
          tensors[named.name] = Tensor(shape: named.tensor.shape, scalars: scalars)
        }
        try moved.restore(tensors)
        return moved.trainStep(on: x, examples: Array(0..<12), step: 30, learningRate: 0, using: Philox(seed: 1))
      }
      let h = 0.01
      let difference = try (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
      let slope = zip(gradient.joined(), raw.joined()).reduce(0) { $0 + $1.0 * $1.1 } / norm
      #expect(abs(difference - slope) < 0.01 * length + 1e-3, "\(one), direction \(direction): \(difference), \(slope)")
    }
  }

  @Test(arguments: cases)
  func `examples of another kind are refused`(number: Int) {
    let one = FamilyCase.all[number]
    for kind in [ModelInput.Kind.bits, .grey256, .real] {
      #expect((one.family.refusal(one.configuration, ModelInput(dims: 5, kind: kind)) == nil) == (kind == one.kind), "\(one), \(kind)")
    }
  }
}

/// Conditionals in double precision, from what tells them.
private struct Conditionals {
  let told: Tensor
  let one: FamilyCase

  init(_ told: Tensor, _ one: FamilyCase) { (self.told, self.one) = (told, one) }

  func nats(of x: Tensor) -> [Double] {
    let outputs = told.columns / x.columns
    return (0..<x.rows).map { row in
      (0..<x.columns).reduce(0) { nats, d in
        nats - log(probability(of: Double(x[row, d]), (0..<outputs).map { Double(told[row, d * outputs + $0]) }))
      }
    }
  }

  private func probability(of x: Double, _ z: [Double]) -> Double {
    switch one.kind {
    case .bits: return 1 / (1 + exp((1 - 2 * x) * z[0]))
    case .grey256: return exp(z[Int((x * 255).rounded())]) / z.reduce(0) { $0 + exp($1) }
    case .real:
      let count = z.count / 3
      return (0..<count).reduce(0) { sum, k in
        let deviation = exp(max(z[2 * count + k], -7))
        let density = exp(-pow((x - z[count + k]) / deviation, 2) / 2) / (deviation * (2 * Double.pi).squareRoot())
        return sum + exp(z[k]) * density
      } / z[..<count].reduce(0) { $0 + exp($1) }
    }
  }
}
