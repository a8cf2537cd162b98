import Datasets
import Evaluation
import JSON
import Models
import Tensors

/// One attempt at evaluating a model on a dataset. Nothing of it is kept when it is stopped: it is done again, with the same result.
struct EvaluationRun {
  let job: TrainingJob
  let task: TrainingJob.EvaluationTask
  let log: EventLog
  let stop: StopRequest

  /// Nil when stopped before the end.
  func run() throws -> WorkerResult? {
    let loaded = try load()
    if let refusal = loaded.preparation.refusal(of: task.dataset.description) { throw WorkerFailure(.dataset, "the dataset \(refusal)") }
    var (results, metrics) = ([JSONValue](), JSONObject())
    for metric in task.metrics where metric.twoSample == nil {
      guard let result = try result(of: metric, loaded) else { return nil }
      results.append(result)
      metrics[metric.rawValue] = result["value"]
      if metrics["bits_per_dim"] == nil { metrics["bits_per_dim"] = result["bits_per_dim"] }
    }
    let comparisons = task.metrics.compactMap(\.twoSample)
    if !comparisons.isEmpty {
      let comparison = TwoSampleEvaluation(loaded: loaded, task: task, seed: job.seed)
      guard let found = try comparison.results(of: comparisons, log: log, isStopped: { stop.isMade }) else { return nil }
      for result in found {
        results.append(result)
        if let name = result["metric"]?.string { metrics[name] = result["value"] }
      }
    }
    return .succeeded(metrics: .object(metrics), result: .array(results))
  }

  /// One metric's value with how it was found; nil when stopped before the end.
  private func result(of metric: EvaluationMetric, _ loaded: LoadedModel) throws -> JSONValue? {
    let randomness = Philox(seed: UInt64(job.seed))
    guard let estimator = metric.estimator(among: loaded.estimators) else {
      throw WorkerFailure(.invalidJob, "the family \"\(loaded.family)\" tells no \(metric.rawValue)")
    }
    let likelihood = task.settings.likelihood.likelihood(estimator, of: loaded.model, using: randomness) { stop.isMade }
    guard let likelihood, let nats = try nats(by: likelihood, loaded.preparation, using: randomness) else { return nil }
    let estimate = MeanEstimate(of: nats.map(loaded.preparation.natsInUnits))
    guard estimate.mean.isFinite else { throw WorkerFailure(.diverged, "the mean nats are \(estimate.mean)") }
    let bitsPerDim = LikelihoodEvaluation.bitsPerDim(nats: estimate.mean, dims: loaded.preparation.shape.dims)
    var settings: JSONObject = [
      "estimator": .string(likelihood.estimator.rawValue), "examples": .integer(estimate.count), "step": .integer(loaded.step),
      "binarize": .string(loaded.preparation.binarization.rawValue), "seed": .integer(job.seed),
    ]
    for (key, value) in likelihood.settings { settings[key] = value }
    // What is off for all examples together is on top of what the examples' number leaves open.
    let (interval, shared) = (estimate.interval, likelihood.shared)
    return [
      "metric": .string(metric.rawValue), "value": .number(estimate.mean),
      "interval": [.number(interval.lowerBound + shared.lowerBound), .number(interval.upperBound + shared.upperBound)],
      "standard_error": .number(estimate.standardError), "bits_per_dim": .number(bitsPerDim), "settings": .object(settings),
    ]
  }

  private func load() throws -> LoadedModel {
    let folder = ModelFolder(path: job.modelFolder)
    guard let checkpoint = try folder.current(passOver: { log.warning("\($0.path): \($0.detail); evaluating what is sound") }) else {
      throw WorkerFailure(.checkpoint, "\(job.modelFolder) holds no model")
    }
    do {
      return try LoadedModel(checkpoint: checkpoint.path, threads: task.settings.threads)
    } catch let failure as SamplerFailure {
      throw WorkerFailure(.checkpoint, "\(checkpoint.path): \(failure.detail)")
    }
  }

  private func nats(by likelihood: any Likelihood, _ preparation: Preparation, using randomness: Philox) throws -> [Double]? {
    let dataset = try task.dataset.openForJob()
    // Going backwards from every example would take days: some are taken, evenly strided, since files are often sorted by class.
    let count = likelihood.estimator == .raise ? min(dataset.count, task.settings.likelihood.reverseExamples) : dataset.count
    let reporter = EvaluationProgress(count: count)
    return LikelihoodEvaluation.nats(
      of: count, dims: preparation.shape.dims, by: likelihood, batch: task.settings.batchSize,
      examples: { range in
        reporter.report(done: range.lowerBound, to: log)
        return preparation.tensor(of: range.map { $0 * dataset.count / count }, in: dataset, draw: .fixed, using: randomness)
      }, isStopped: { stop.isMade })
  }
}

/// Tells how far an evaluation has come, four times a second at the most. A class, for the closure that reports keeps it.
final class EvaluationProgress {
  let count: Int
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now

  init(count: Int) { self.count = count }

  func report(done: Int, to log: EventLog) {
    guard last.secondsSince >= 0.25, done > 0 else { return }
    last = .now
    let speed = Double(done) / start.secondsSince
    log.progress(
      [
        "step": .integer(done), "steps": .integer(count), "examples_per_second": .number(speed.rounded()),
        "eta_seconds": .number((Double(count - done) / speed).rounded(.up)),
      ], metrics: [:])
  }
}
