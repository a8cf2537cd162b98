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
    guard let model = loaded.model as? any ScoresLikelihood else {
      throw WorkerFailure(.invalidJob, "the family \"\(loaded.family)\" has no density, so that no nats can be told")
    }
    guard let nats = try nats(of: model, loaded.preparation) else { return nil }
    let estimate = MeanEstimate(of: nats.map(loaded.preparation.natsInUnits))
    guard estimate.mean.isFinite else { throw WorkerFailure(.diverged, "the mean nats are \(estimate.mean)") }
    let bitsPerDim = LikelihoodEvaluation.bitsPerDim(nats: estimate.mean, dims: loaded.preparation.shape.dims)
    let settings: JSONValue = [
      "estimator": .string(model.estimator), "examples": .integer(estimate.count), "step": .integer(loaded.step),
      "binarize": .string(loaded.preparation.binarization.rawValue), "seed": .integer(job.seed),
    ]
    let result: JSONValue = [
      "metric": "nats", "value": .number(estimate.mean),
      "interval": [.number(estimate.interval.lowerBound), .number(estimate.interval.upperBound)],
      "standard_error": .number(estimate.standardError), "bits_per_dim": .number(bitsPerDim), "settings": settings,
    ]
    return .succeeded(metrics: ["nats": .number(estimate.mean), "bits_per_dim": .number(bitsPerDim)], result: [result])
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

  private func nats(of model: any ScoresLikelihood, _ preparation: Preparation) throws -> [Double]? {
    let dataset: Dataset
    do {
      dataset = try task.dataset.open()
    } catch {
      throw WorkerFailure(.dataset, error.description)
    }
    let randomness = Philox(seed: UInt64(job.seed))
    let reporter = EvaluationProgress(count: dataset.count)
    return LikelihoodEvaluation.nats(
      of: dataset.count, dims: preparation.shape.dims, by: model, batch: task.settings.batchSize,
      examples: { range in
        reporter.report(done: range.lowerBound, to: log)
        return preparation.tensor(of: Array(range), in: dataset, draw: .fixed, using: randomness)
      }, isStopped: { stop.isMade })
  }
}

/// Tells how far an evaluation has come, four times a second at the most. A class, for the closure that reports keeps it.
private final class EvaluationProgress {
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
