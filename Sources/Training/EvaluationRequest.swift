import Datasets
import Evaluation
import JSON
import Models

/// A number that an evaluation gives.
package enum EvaluationMetric: String, Sendable, CaseIterable {
  /// Mean −ln p(x) over the dataset, by the best estimator that the model admits.
  case nats
  /// The same by the estimator of this name.
  case exact, elbo, iwae, ais, raise
  /// Comparisons of samples with the dataset, which every model admits.
  case mmd
  case polynomialMMD = "polynomial_mmd"
  case precisionRecall = "precision_recall"
  case c2st, memorization
  case parzenHistorical = "parzen_historical"

  /// What a model without a density is measured by where nothing is asked for.
  static let ofSamples: [EvaluationMetric] = [.mmd, .precisionRecall, .c2st]

  var twoSample: TwoSampleMetric? { TwoSampleMetric(rawValue: rawValue) }

  /// Of a model whose family admits these, the best first; nil where it does not admit this one.
  func estimator(among admitted: [LikelihoodEstimator]) -> LikelihoodEstimator? {
    self == .nats ? admitted.first : admitted.first { $0.rawValue == rawValue }
  }
}

package struct EvaluationSettings: Sendable, Equatable {
  /// Examples scored at once; the result does not depend on it.
  package var batchSize = 500
  package var threads = 1
  package var likelihood = LikelihoodSettings()
  package var twoSample = TwoSampleSettings()

  package init() {}

  package var json: JSONValue {
    [
      "batch_size": .integer(batchSize), "threads": .integer(threads), "chains": .integer(likelihood.chains),
      "betas": .integer(likelihood.betas), "reverse_chains": .integer(likelihood.reverseChains),
      "reverse_examples": .integer(likelihood.reverseExamples), "importance_samples": .integer(likelihood.importanceSamples),
      "samples": .integer(twoSample.samples), "pairs": .integer(twoSample.pairs), "permutations": .integer(twoSample.permutations),
      "resamples": .integer(twoSample.resamples),
    ]
  }

  fileprivate init(_ fields: FieldReader, threads: ThreadAllowance) {
    batchSize = fields.integer("batch_size", in: 1...TrainingLimits.batchMax) ?? batchSize
    self.threads = threads.read(fields)
    likelihood.chains = fields.integer("chains", in: LikelihoodSettings.chainsRange) ?? likelihood.chains
    likelihood.betas = fields.integer("betas", in: LikelihoodSettings.betasRange) ?? likelihood.betas
    likelihood.reverseChains = fields.integer("reverse_chains", in: LikelihoodSettings.reverseChainsRange) ?? likelihood.reverseChains
    likelihood.reverseExamples =
      fields.integer("reverse_examples", in: LikelihoodSettings.reverseExamplesRange) ?? likelihood.reverseExamples
    likelihood.importanceSamples =
      fields.integer("importance_samples", in: LikelihoodSettings.importanceSamplesRange) ?? likelihood.importanceSamples
    twoSample.samples = fields.integer("samples", in: TwoSampleSettings.samplesRange) ?? twoSample.samples
    twoSample.pairs = fields.integer("pairs", in: TwoSampleSettings.pairsRange) ?? twoSample.pairs
    twoSample.permutations = fields.integer("permutations", in: TwoSampleSettings.permutationsRange) ?? twoSample.permutations
    twoSample.resamples = fields.integer("resamples", in: TwoSampleSettings.resamplesRange) ?? twoSample.resamples
    fields.finish()
  }
}

/// A checked request to evaluate a model: the fields `metrics`, `settings` and `seed` of `POST /v1/jobs`.
package struct EvaluationRequest: Sendable {
  package let metrics: [EvaluationMetric]
  package let settings: EvaluationSettings
  package let seed: Int

  /// Reads the fields and records every fault; nil when one of these fields is wrong.
  ///
  /// - Parameters:
  ///   - model: its family and configuration; nil skips the question whether it admits the metrics.
  ///   - dataset: nil skips the question whether the model can score it.
  ///   - preparation: how the model was trained to see data, from its checkpoint.
  package init?(
    reader: FieldReader, model: (family: ModelFamily, configuration: Configuration)?, dataset: DatasetDescription?,
    preparation: Preparation?, threads: ThreadAllowance = ThreadAllowance()
  ) {
    let before = reader.faults.all.count
    metrics = Self.metrics(reader, model)
    var settings = EvaluationSettings()
    settings.threads = threads.unasked
    if let fields = reader.object("settings") { settings = EvaluationSettings(fields, threads: threads) }
    self.settings = settings
    seed = reader.integer("seed", in: 0...TrainingLimits.seedMax) ?? TrainingRequest.drawnSeed()
    if let dataset, let preparation, let refusal = preparation.refusal(of: dataset) { reader.fault("dataset", refusal) }
    if let dataset, let metric = metrics.first(where: { $0.twoSample != nil }), dataset.count < TwoSampleSettings.samplesRange.lowerBound {
      let least = "at least \(TwoSampleSettings.samplesRange.lowerBound) examples for \(metric.rawValue)"
      reader.fault("dataset", "must have \(least); has \(dataset.count)")
    }
    guard reader.faults.all.count == before else { return nil }
  }

  private static func metrics(
    _ reader: FieldReader, _ model: (family: ModelFamily, configuration: Configuration)?
  ) -> [EvaluationMetric] {
    let admitted = model.map { $0.family.abilities.contains("score") ? $0.family.estimators($0.configuration) : [] }
    guard let value = reader.value("metrics") else { return admitted?.isEmpty == true ? EvaluationMetric.ofSamples : [.nats] }
    let known = EvaluationMetric.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    guard let names = value.array, !names.isEmpty else {
      reader.fault("metrics", "must be an array with at least one of \(known); was \(value == [] ? "empty" : FieldReader.shown(value))")
      return []
    }
    var metrics: [EvaluationMetric] = []
    for (index, name) in names.enumerated() {
      let pointer = reader.pointer(to: "metrics") + "/\(index)"
      guard let metric = name.string.flatMap(EvaluationMetric.init) else {
        reader.faults.add(pointer, "must be one of \(known); was \(FieldReader.shown(name))")
        continue
      }
      if let admitted, metric.twoSample == nil, metric.estimator(among: admitted) == nil {
        let those = (admitted.isEmpty ? [] : ["nats"]) + admitted.map(\.rawValue) + TwoSampleMetric.allCases.map(\.rawValue)
        let list = those.map { "\"\($0)\"" }.joined(separator: ", ") + (admitted.isEmpty ? ", for it has no density" : "")
        reader.faults.add(pointer, "\(name.serialized()) is not for this model; of \(known) it admits \(list)")
      }
      if metrics.contains(metric) { reader.faults.add(pointer, "is there twice") }
      metrics.append(metric)
    }
    return metrics
  }

  package var needsTrainingSet: Bool { metrics.contains(.memorization) }

  /// The fields as they will run, each default filled in.
  package var json: JSONObject {
    ["metrics": .array(metrics.map { .string($0.rawValue) }), "settings": settings.json, "seed": .integer(seed)]
  }
}
