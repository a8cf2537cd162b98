import Models
import Tensors

/// How much is spent on an estimate.
package struct LikelihoodSettings: Sendable, Equatable {
  /// Of annealing.
  package var chains = 100
  /// Temperatures between the simple distribution and the model.
  package var betas = 10_000
  /// Of annealing backwards: chains from each example, and how many examples they go from, evenly strided.
  package var reverseChains = 10
  package var reverseExamples = 100
  /// Draws of an example's latents.
  package var importanceSamples = 1000

  package init() {}

  package static let chainsRange = 2...10_000
  package static let betasRange = 1...1_000_000
  package static let reverseChainsRange = 1...1000
  package static let reverseExamplesRange = 1...100_000
  package static let importanceSamplesRange = 1...100_000

  /// What an answer within seconds has time for.
  package static let score: LikelihoodSettings = {
    var settings = LikelihoodSettings()
    settings.betas = 1000
    settings.importanceSamples = 100
    return settings
  }()

  /// What each epoch of a training run has time for: the same estimate each time, so that epochs can be compared.
  package static let validation = score
}

extension LikelihoodSettings {
  /// The likelihood of a model by one of the estimators that its family admits.
  /// - Parameter isStopped: asked between steps.
  /// - Returns: nil when stopped on the way, and where the model has no likelihood of that kind.
  package func likelihood(
    _ estimator: LikelihoodEstimator, of model: any GenerativeModel, using randomness: Philox, isStopped: () -> Bool = { false }
  ) -> (any Likelihood)? {
    switch (estimator, model) {
    case (.exact, let model as any ScoresLikelihood): return ExactLikelihood(model)
    case (.exact, let model as any TellsEnergy) where !model.energiesAreBounds:
      return counted(model, isStopped: isStopped)
    case (.ais, let model as any TellsEnergy) where !model.energiesAreBounds:
      return annealed(model, using: randomness, isStopped: isStopped)
    case (.elbo, let model as any TellsEnergy) where model.energiesAreBounds:
      return isQuicklyCounted(model) ? counted(model, isStopped: isStopped) : annealed(model, using: randomness, isStopped: isStopped)
    case (.elbo, let model as any WeighsLatents), (.iwae, let model as any WeighsLatents):
      return ImportanceWeightedLikelihood(model, estimator, draws: importanceSamples, using: randomness)
    case (.raise, let model as any TellsEnergy):
      return ReverseLikelihood(model, AnnealedImportanceSampling(chains: reverseChains, betas: betas), using: randomness)
    default: return nil
    }
  }

  /// What validates a model while it trains: the surest that is quick.
  package func validating(
    _ model: any GenerativeModel, using randomness: Philox, isStopped: () -> Bool = { false }
  ) -> (any Likelihood)? {
    if let model = model as? any ScoresLikelihood { return ExactLikelihood(model.validating) }
    if let model = model as? any WeighsLatents {
      return ImportanceWeightedLikelihood(model, model.drawsOfLoss > 1 ? .iwae : .elbo, draws: model.drawsOfLoss, using: randomness)
    }
    guard let model = model as? any TellsEnergy else { return nil }
    return isQuicklyCounted(model) ? counted(model, isStopped: isStopped) : annealed(model, using: randomness, isStopped: isStopped)
  }

  private func counted(_ model: any TellsEnergy, isStopped: () -> Bool) -> (any Likelihood)? {
    guard let bits = model.bitsToCount, bits <= LikelihoodEstimator.bitsToCountMax else { return nil }
    return model.countedLogPartition(isStopped: isStopped).map { EnergyLikelihood(model, LogPartition(counted: $0)) }
  }

  private func annealed(_ model: any TellsEnergy, using randomness: Philox, isStopped: () -> Bool) -> (any Likelihood)? {
    let annealing = AnnealedImportanceSampling(chains: chains, betas: betas)
    return annealing.logPartition(of: model.annealed, using: randomness, isStopped: isStopped).map { EnergyLikelihood(model, $0) }
  }

  private func isQuicklyCounted(_ model: any TellsEnergy) -> Bool { model.bitsToCount.map { $0 <= Self.quicklyCounted } ?? false }

  /// 2^14 states are counted sooner than chains are annealed; chosen.
  private static let quicklyCounted = 14
}
