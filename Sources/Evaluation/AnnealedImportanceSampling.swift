import JSON
import Models
import Tensors

/// ln Z by chains that are annealed from a simple distribution to the model.
/// Neal, Annealed Importance Sampling, Statistics and Computing 11, 2001; for Boltzmann machines Salakhutdinov & Murray, ICML 2008.
///
/// Each chain's weight is an unbiased estimate of Z over the simple distribution's constant. Too few temperatures make it vary, so that
/// the logarithm of a mean of a few is too small.
package struct AnnealedImportanceSampling: Sendable {
  package let chains: Int
  package let betas: Int

  package init(chains: Int, betas: Int) {
    precondition(chains >= 1 && betas >= 1, "\(chains) chains over \(betas) temperatures")
    (self.chains, self.betas) = (chains, betas)
  }

  /// The inverse temperature after so many of `betas` steps. A thirtieth of them lead to 0.5, a quarter to 0.9 and the rest to 1
  /// (Salakhutdinov & Murray 2008, §4.1: 500, 4000 and 10 000).
  package func beta(_ step: Int) -> Float {
    let done = Double(step) / Double(betas)
    let (first, second) = (500.0 / 14_500, 4500.0 / 14_500)
    switch done {
    case ..<first: return Float(0.5 * done / first)
    case ..<second: return Float(0.5 + 0.4 * (done - first) / (second - first))
    case ..<1: return Float(0.9 + 0.1 * (done - second) / (1 - second))
    default: return 1
    }
  }

  /// ln of each chain's weight (Neal 2001, eq. 6); nil when stopped.
  package func logWeights(
    of density: any AnnealedDensity, using randomness: Philox, isStopped: () -> Bool = { false }
  ) -> [Double]? {
    let numbers = Array(0..<chains)
    var x = density.start(numbers, using: randomness)
    var logs = [Double](repeating: 0, count: chains)
    for step in 1...betas {
      if isStopped() { return nil }
      let ratios = density.anneal(&x, from: beta(step - 1), to: beta(step), step: step, numbers, using: randomness)
      for chain in numbers { logs[chain] += ratios[chain] }
    }
    return logs
  }

  package func logPartition(
    of density: any AnnealedDensity, using randomness: Philox, isStopped: () -> Bool = { false }
  ) -> LogPartition? {
    guard let logs = logWeights(of: density, using: randomness, isStopped: isStopped) else { return nil }
    return LogPartition(logWeights: logs, logConstant: density.logConstantAtStart, betas: betas)
  }

  /// For each example so many weights of chains that lead from it back to the simple distribution, whose mean is the probability, times Z
  /// over the constant, that annealing forwards ends there, over the example's own p* (Burda, Grosse & Salakhutdinov 2015, §3).
  /// - Returns: logarithms of the weights, `[examples][chainsEach]`.
  func reverseLogWeights(
    of density: any AnnealedDensity, from x: Tensor, _ examples: [Int], chainsEach: Int, using randomness: Philox
  ) -> [[Double]] {
    // An address of its own for each chain; those of examples beyond all numbers meet again.
    let numbers = examples.flatMap { example in (0..<chainsEach).map { Int(UInt32(truncatingIfNeeded: example * chainsEach + $0)) } }
    let started = Tensor(
      shape: [numbers.count, x.columns], scalars: (0..<x.rows).flatMap { row in (0..<chainsEach).flatMap { _ in x.row(row) } })
    var (state, logs) = density.reversedStart(started, numbers, using: randomness)
    // Every step back first leaves the density at its temperature as it is, and then goes to the one before.
    _ = density.anneal(&state, from: 1, to: 1, step: betas + 1, numbers, using: randomness)
    for step in stride(from: betas, to: 0, by: -1) {
      let ratios = density.anneal(&state, from: beta(step), to: beta(step - 1), step: step, numbers, using: randomness)
      for chain in logs.indices { logs[chain] += ratios[chain] }
    }
    return examples.indices.map { Array(logs[$0 * chainsEach..<($0 + 1) * chainsEach]) }
  }
}

/// −ln p of the distribution that annealing forwards ends in, from above: what an example's chains that go backwards say of it
/// (RAISE: Burda, Grosse & Salakhutdinov, AISTATS 2015). With more temperatures that distribution comes near the model.
struct ReverseLikelihood: Likelihood {
  private let model: any TellsEnergy
  private let annealing: AnnealedImportanceSampling
  private let randomness: Philox

  init(_ model: any TellsEnergy, _ annealing: AnnealedImportanceSampling, using randomness: Philox) {
    (self.model, self.annealing, self.randomness) = (model, annealing, randomness)
  }

  let estimator = LikelihoodEstimator.raise

  /// So many fill the threads and stay in the cache; chosen, no result depends on it.
  private static let chainsAtOnce = 500

  /// A request to stop is seen within seconds; chosen, no result depends on it.
  var examplesAtOnce: Int { 10 }

  var settings: JSONObject { ["chains": .integer(annealing.chains), "betas": .integer(annealing.betas)] }

  func nats(of x: Tensor, examples: [Int]) -> [Double] {
    let (density, energies) = (model.annealed, model.energies(of: x))
    let rowsAtOnce = max(1, Self.chainsAtOnce / annealing.chains)
    return stride(from: 0, to: x.rows, by: rowsAtOnce).flatMap { start in
      let rows = start..<min(start + rowsAtOnce, x.rows)
      let logs = annealing.reverseLogWeights(
        of: density, from: x.rows(rows), Array(examples[rows]), chainsEach: annealing.chains, using: randomness)
      // −ln p(x) = F(x) + ln Z, and ln Z is no more, on the average, than what the chains say.
      return zip(rows, logs).map { energies[$0] + density.logConstantAtStart - LogPartition.logMean($1).value }
    }
  }
}
