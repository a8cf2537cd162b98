import Datasets
import Evaluation
import JSON
import Models
import Tensors

/// Compares a model's samples with held-out examples: draws as many as there are to compare with, once for all the metrics.
struct TwoSampleEvaluation {
  let loaded: LoadedModel
  let task: TrainingJob.EvaluationTask
  let seed: Int

  /// Samples between two looks for a request to stop; chosen, no sample depends on it.
  private static let samplesAtOnce = 64

  /// Each metric's results, `precision_recall` having four; nil when stopped before the end.
  func results(of metrics: [TwoSampleMetric], log: EventLog, isStopped: () -> Bool) throws -> [JSONValue]? {
    let (preparation, randomness) = (loaded.preparation, Philox(seed: UInt64(seed)))
    let dataset = try task.dataset.openForJob()
    let count = min(task.settings.twoSample.samples, dataset.count)
    // Of a file that is sorted by class, all classes.
    let examples = TwoSampleComparison.strided(count, of: dataset.count)
    let data = preparation.tensor(of: examples, in: dataset, draw: .fixed, using: randomness)
    let progress = EvaluationProgress(count: count)
    var scalars: [Float] = []
    scalars.reserveCapacity(data.count)
    for start in stride(from: 0, to: count, by: Self.samplesAtOnce) {
      if isStopped() { return nil }
      progress.report(done: start, to: log)
      let numbers = Array(start..<min(start + Self.samplesAtOnce, count))
      scalars += loaded.model.sample(numbers, temperature: 1, using: randomness).scalars
    }
    let samples = Tensor(shape: data.shape, scalars: scalars)
    guard samples.scalars.allSatisfy({ $0.isFinite }) else { throw WorkerFailure(.diverged, "samples are no finite numbers") }
    let team = ThreadTeam(count: task.settings.threads)
    let comparison = TwoSampleComparison(
      data: data, samples: samples, picture: picture, task.settings.twoSample, using: randomness, team)
    var results: [JSONValue] = []
    for metric in metrics {
      if isStopped() { return nil }
      let found = comparison.results(of: metric, training: try training(for: metric, using: randomness))
      guard found.allSatisfy({ $0.value.isFinite }) else {
        throw WorkerFailure(.dataset, "\(metric.rawValue) is no finite number: compare with examples that the model was not trained on")
      }
      results += found.map(json)
    }
    return results
  }

  private var picture: (height: Int, width: Int, channels: Int)? {
    loaded.preparation.input.imageShape.map { ($0.height, $0.width, $0.channels) }
  }

  /// The training examples, where the metric asks after them.
  private func training(
    for metric: TwoSampleMetric, using randomness: Philox
  ) throws -> (count: Int, examples: (Range<Int>) -> Tensor) {
    guard metric == .memorization else { return (0, { _ in Tensor(shape: [0, 0], scalars: []) }) }
    guard let file = task.training else { throw WorkerFailure(.dataset, "memorization needs the training set, which is gone") }
    let dataset = try file.openForJob()
    let preparation = loaded.preparation
    if let refusal = preparation.refusal(of: dataset.description) { throw WorkerFailure(.dataset, "the training set \(refusal)") }
    return (dataset.count, { preparation.tensor(of: Array($0), in: dataset, draw: .fixed, using: randomness) })
  }

  private func json(_ result: TwoSampleResult) -> JSONValue {
    var settings: JSONObject = ["step": .integer(loaded.step), "seed": .integer(seed)]
    for (name, value) in result.details {
      settings[name] =
        switch value {
        case .number(let number): .number(number)
        case .text(let text): .string(text)
        }
    }
    return [
      "metric": .string(result.name), "value": .number(result.value),
      "interval": [.number(result.interval.lowerBound), .number(result.interval.upperBound)], "settings": .object(settings),
    ]
  }
}
