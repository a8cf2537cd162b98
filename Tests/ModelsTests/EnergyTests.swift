import Evaluation
import Foundation
import JSON
import Models
import Tensors
import Testing

/// What holds of every family that tells an energy, whatever its configuration.
struct EnergyTests {
  private static let cases = 0..<EnergyCase.all.count
  private static let ofBits = 0..<EnergyCase.bits.count
  private static let everyFamily = 0..<EnergyCase.everyFamily.count
  private static let states = EnergyCase.bits + EnergyCase.deep

  private func probabilities(_ model: any Energetic, dims: Int) throws -> [Double] {
    let exact = try #require(LikelihoodSettings().likelihood(.exact, of: model, using: Philox(seed: 1)))
    return exact.nats(of: EnergyCase.states(dims), examples: Array(0..<1 << dims)).map { exp(-$0) }
  }

  @Test(arguments: ofBits)
  func `the probabilities of all there is sum to 1`(number: Int) throws {
    let sum = try probabilities(EnergyCase.bits[number].trained(dims: 7, steps: 200), dims: 7).reduce(0, +)
    #expect(abs(sum - 1) < 1e-5, "\(EnergyCase.bits[number]): \(sum)")
  }

  @Test(arguments: 0..<EnergyCase.reals.count)
  func `the density of all there is sums to 1`(number: Int) throws {
    let model = EnergyCase.reals[number].trained(dims: 2, steps: 200)
    let exact = try #require(LikelihoodSettings().likelihood(.exact, of: model, using: Philox(seed: 1)))
    let (count, reach) = (400, Float(8))
    let middles = (0..<count).map { reach * ((2 * Float($0) + 1) / Float(count) - 1) }
    let x = Tensor(shape: [count * count, 2], scalars: middles.flatMap { first in middles.flatMap { [first, $0] } })
    let sum = exact.nats(of: x, examples: Array(0..<x.rows)).reduce(0) { $0 + exp(-$1) } * pow(2 * Double(reach) / Double(count), 2)
    #expect(abs(sum - 1) < 1e-4, "\(EnergyCase.reals[number]): \(sum)")
  }

  @Test(arguments: cases)
  func `training lowers the nats of data it has not seen`(number: Int) throws {
    let one = EnergyCase.all[number]
    let unseen = one.data(1200, dims: 6).rows(400..<1200)
    func nats(_ model: any Energetic) throws -> Double {
      let exact = try #require(LikelihoodSettings().likelihood(.exact, of: model, using: Philox(seed: 1)))
      return MeanEstimate(of: exact.nats(of: unseen, examples: Array(0..<800))).mean
    }
    let (before, after) = (try nats(one.make(dims: 6)), try nats(one.trained(dims: 6, steps: 1500)))
    #expect(after < before - 0.4, "\(one): \(before), \(after)")
  }

  @Test(arguments: ofBits)
  func `samples of chains have the frequencies that likelihoods say`(number: Int) throws {
    let one = EnergyCase.bits[number]
    let model = one.trained(dims: 6, steps: 300)
    let count = 20_000
    let x = model.sample(Array(0..<count), chain: ChainLength(burnIn: 400), temperature: 1, using: Philox(seed: 3))
    var counted = [Double](repeating: 0, count: 64)
    for row in 0..<count { counted[EnergyCase.number(x.row(row))] += 1 }
    let test = ChiSquare(counts: counted, expected: try probabilities(model, dims: 6).map { $0 * Double(count) })
    #expect(test.cells > 8 && test.statistic < test.bound, "\(one): \(test)")
  }

  /// Chains that begin in the model's own distribution go from one state to another as often as back.
  @Test(arguments: 0..<states.count)
  func `a step of annealing is in detailed balance with the model`(number: Int) throws {
    let one = Self.states[number]
    let model = one.trained(dims: 4, steps: 300)
    let count = 60_000
    let chains = Array(0..<count)
    // Far along its chains a sample is one of the model's.
    let x = model.sample(chains, chain: ChainLength(burnIn: 60), temperature: 1, using: Philox(seed: 4))
    var (state, _) = model.annealed.reversedStart(x, chains, using: Philox(seed: 5))
    let before = state
    let ratios = model.annealed.anneal(&state, from: 1, to: 1, step: 1, chains, using: Philox(seed: 5))
    #expect(ratios.allSatisfy { $0 == 0 })
    let side = 1 << state.columns
    try #require(side <= 64)
    var counted = [Double](repeating: 0, count: side * side)
    for row in chains { counted[EnergyCase.number(before.row(row)) * side + EnergyCase.number(state.row(row))] += 1 }
    var (there, back) = ([Double](), [Double]())
    for a in 0..<side {
      for b in 0..<a {
        there.append(counted[a * side + b])
        back.append(counted[b * side + a])
      }
    }
    // Of what goes between two states, half is expected each way.
    let both = zip(there, back).map { ($0 + $1) / 2 }
    let often = both.indices.filter { both[$0] >= 10 }
    let statistic = often.reduce(0) { $0 + pow(there[$1] - both[$1], 2) / both[$1] * 2 }
    let many = Double(often.count)
    #expect(often.count > 5 && statistic < many * pow(1 - 2 / (9 * many) + 3.7 * (2 / (9 * many)).squareRoot(), 3), "\(one): \(statistic)")
  }

  @Test(arguments: everyFamily)
  func `a sample is the same alone, among others and with any team`(number: Int) {
    let one = EnergyCase.everyFamily[number]
    let (alone, three) = (one.trained(dims: 11, steps: 30), one.trained(dims: 11, steps: 30, threads: 3))
    func draw(_ indices: [Int], _ chain: ChainLength = ChainLength(burnIn: 7, thin: 3), seed: UInt64 = 5) -> Tensor {
      alone.sample(indices, chain: chain, temperature: 0.9, using: Philox(seed: seed))
    }
    let all = draw(Array(0..<40))
    #expect(three.sample(Array(0..<40), chain: ChainLength(burnIn: 7, thin: 3), temperature: 0.9, using: Philox(seed: 5)) == all)
    for index in [0, 17, 39] { #expect(draw([index]) == all.rows(index..<index + 1)) }
    #expect(draw([30, 3, 30]).scalars == Array(all.row(30)) + Array(all.row(3)) + Array(all.row(30)))
    #expect(draw(Array(0..<40), seed: 6) != all)
    #expect(draw([]).shape == [0, 11])
    // The 19th is of the second chain, after three times three steps more.
    #expect(draw([19]) == draw([1], ChainLength(burnIn: 16)))
  }

  @Test(arguments: everyFamily)
  func `training, scoring and annealing give the same bytes with 1, 2 and 4 threads`(number: Int) {
    let one = EnergyCase.everyFamily[number]
    let alone = one.trained(dims: 21, steps: 25)
    let x = one.data(130, dims: 21)
    let (energies, annealing) = (alone.energies(of: x), AnnealedImportanceSampling(chains: 9, betas: 30))
    let weights = annealing.logWeights(of: alone.annealed, using: Philox(seed: 2))
    for threads in [2, 4] {
      let team = one.trained(dims: 21, steps: 25, threads: threads)
      #expect(team.trainingState == alone.trainingState && team.energies(of: x) == energies, "\(one) with \(threads) threads")
      #expect(annealing.logWeights(of: team.annealed, using: Philox(seed: 2)) == weights)
    }
    for row in [0, 59, 129] { #expect(alone.energies(of: x.rows(row..<row + 1)) == [energies[row]], "\(one), row \(row)") }
  }

  @Test(arguments: everyFamily)
  func `going on from a kept state is as if never stopped`(number: Int) throws {
    var one = EnergyCase.everyFamily[number]
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
    #expect(scoring.energies(of: x) == whole.energies(of: x))
    let chain = ChainLength(burnIn: 5)
    #expect(
      scoring.sample([0, 1, 2], chain: chain, temperature: 1, using: Philox(seed: 5))
        == whole.sample([0, 1, 2], chain: chain, temperature: 1, using: Philox(seed: 5)))
  }

  @Test(arguments: cases)
  func `completions keep what is known and draw the rest as the model says`(number: Int) throws {
    let one = EnergyCase.all[number]
    let model = try #require(one.trained(dims: 6, steps: 300) as? any Completes & Energetic)
    let known = [true, false, true, false, false, true]
    let x = one.data(1, dims: 6)
    let count = one.kind == .bits ? 4000 : 20
    let drawn = model.complete(x, known: known, Array(0..<count), temperature: 1, using: Philox(seed: 3))
    for d in known.indices where known[d] { #expect((0..<count).allSatisfy { drawn[$0, d] == x[0, d] }) }
    #expect(model.complete(x, known: known, [17], temperature: 1, using: Philox(seed: 3)) == drawn.rows(17..<18))
    guard one.kind == .bits else { return }
    var (expected, counted) = (try probabilities(model, dims: 6), [Double](repeating: 0, count: 64))
    let states = EnergyCase.states(6)
    for state in expected.indices where known.indices.contains(where: { known[$0] && states[state, $0] != x[0, $0] }) {
      expected[state] = 0
    }
    let whole = expected.reduce(0, +)
    for row in 0..<count { counted[EnergyCase.number(drawn.row(row))] += 1 }
    let test = ChiSquare(counts: counted, expected: expected.map { $0 / whole * Double(count) })
    #expect(test.cells > 4 && test.statistic < test.bound, "\(one): \(test)")
  }

  @Test(arguments: everyFamily)
  func `examples of another kind are refused`(number: Int) {
    let one = EnergyCase.everyFamily[number]
    for kind in [ModelInput.Kind.bits, .grey256, .real] {
      #expect((one.family.refusal(one.configuration, ModelInput(dims: 5, kind: kind)) == nil) == (kind == one.kind), "\(one), \(kind)")
    }
  }
}

/// Estimates of ln Z, beside the count.
struct AnnealingTests {
  @Test(arguments: 0..<EnergyCase.all.count)
  func `the estimate is within three standard errors of the count, and both ways bracket it`(number: Int) throws {
    let one = EnergyCase.all[number]
    let model = one.trained(dims: 8, steps: 600)
    let exact = try #require(model.countedLogPartition { false })
    var (sum, count) = (0.0, 0.0)
    for seed in 0..<UInt64(5) {
      let annealing = AnnealedImportanceSampling(chains: 200, betas: 300)
      let estimate = try #require(annealing.logPartition(of: model.annealed, using: Philox(seed: seed)))
      #expect(estimate.interval.contains(exact), "\(one), seed \(seed): \(exact), \(estimate)")
      sum += estimate.value - exact
      count += 1
    }
    #expect(abs(sum / count) < 0.1, "\(one): off by \(sum / count)")
    // One temperature is too few: from below forwards, from above backwards.
    let hasty = AnnealedImportanceSampling(chains: 1000, betas: 3)
    let logs = try #require(hasty.logWeights(of: model.annealed, using: Philox(seed: 1)))
    let below = MeanEstimate(of: logs.map { $0 + model.annealed.logConstantAtStart })
    let x = model.sample(Array(0..<1000), chain: ChainLength(burnIn: 100), temperature: 1, using: Philox(seed: 2))
    var settings = LikelihoodSettings()
    (settings.reverseChains, settings.betas) = (1, 3)
    let backwards = try #require(settings.likelihood(.raise, of: model, using: Philox(seed: 1)))
    let counted = try #require(settings.likelihood(.exact, of: model, using: Philox(seed: 1)))
    let numbers = Array(0..<1000)
    let above = MeanEstimate(of: zip(backwards.nats(of: x, examples: numbers), counted.nats(of: x, examples: numbers)).map { $0 - $1 })
    #expect(below.mean < exact - 4 * below.standardError && above.mean > 4 * above.standardError, "\(one): \(below), \(above)")
    // With many they meet.
    (settings.reverseChains, settings.betas) = (20, 300)
    let careful = try #require(settings.likelihood(.raise, of: model, using: Philox(seed: 1)))
    let near = MeanEstimate(
      of: zip(careful.nats(of: x.rows(0..<100), examples: Array(0..<100)), counted.nats(of: x.rows(0..<100), examples: numbers)).map {
        $0 - $1
      })
    #expect(abs(near.mean) < 0.1 + 4 * near.standardError, "\(one): \(near)")
  }

  @Test func `temperatures rise from 0 to 1, most of them near the model`() {
    let betas = (0...14_500).map { AnnealedImportanceSampling(chains: 1, betas: 14_500).beta($0) }
    #expect(betas.first == 0 && betas.last == 1 && zip(betas, betas.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(abs(betas[500] - 0.5) < 1e-6 && abs(betas[4500] - 0.9) < 1e-6)
  }

  @Test func `an interval of weights that are alike is narrow, and one of a few that outweigh the rest wide but no nonsense`() {
    let alike = LogPartition.logMean([1000, 1000, 1000])
    #expect(alike.value == 1000 && alike.relativeError == 0)
    let few = LogPartition.logMean([0, 0, 0, log(5)])
    #expect(abs(few.value - log(2)) < 1e-12 && abs(few.relativeError - 0.5) < 1e-12)
  }
}
