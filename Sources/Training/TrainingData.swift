import Datasets
import Evaluation
import Models
import Tensors

/// The examples of a training run: which train, which validate, and how each becomes a row of numbers.
struct TrainingData {
  let dataset: Dataset
  let preparation: Preparation
  /// Numbers of the training examples in `dataset`.
  let training: [Int]
  /// What validates: all of another dataset, or a part of this one.
  private let validation: (dataset: Dataset, examples: [Int])
  let warnings: [String]

  init(_ task: TrainingJob.TrainingTask) throws {
    dataset = try task.dataset.openForJob()
    let fitted = try Preparation.fitting(dataset.description, binarization: task.binarization, pictures: task.pictures).mapError {
      WorkerFailure(.dataset, "data \($0.detail)")
    }.get()
    if let file = task.validation {
      let other = try file.openForJob()
      if let refusal = fitted.refusal(of: other.description) { throw WorkerFailure(.dataset, "validation_dataset \(refusal)") }
      training = Array(0..<dataset.count)
      validation = (other, Array(0..<other.count))
      warnings = []
    } else {
      let fraction = task.settings.validationFraction ?? 0
      let split = ValidationSplit(dataset, fraction: fraction)
      training = split.training
      validation = (dataset, split.validation)
      warnings = fraction > 0 ? Self.warning(of: split).map { [$0] } ?? [] : []
    }
    do {
      preparation = try fitted.standardized(
        on: training, of: dataset, admitsConstants: !task.family.abilities.contains("score"))
    } catch {
      throw WorkerFailure(.dataset, error.detail)
    }
  }

  private static func warning(of split: ValidationSplit) -> String? {
    if split.validation.isEmpty {
      return "no two examples of the dataset differ, so that none validates: the newest weights are taken for the best"
    }
    guard split.hasFewPatterns else { return nil }
    return "few examples of the dataset differ, and equal ones stay together: validation is by patterns that training never sees, "
      + "and may choose the weights that learnt least; a validation_dataset, or validation_fraction 0, does not"
  }

  var validationCount: Int { validation.examples.count }

  func stepsPerEpoch(batch: Int) -> Int { (training.count + batch - 1) / batch }

  /// The training examples in the order of an epoch, which depends on the seed and the epoch alone.
  func order(epoch: Int, using randomness: Philox) -> [Int] {
    randomness.permutation(of: training.count, .shuffling, step: epoch).map { training[$0] }
  }

  /// The mean of −ln p over what validates; nil when stopped before the end.
  func validationNats(of model: any GenerativeModel, using randomness: Philox, isStopped: () -> Bool) -> Double? {
    let (dataset, examples) = validation
    guard let likelihood = LikelihoodSettings.validation.validating(model, using: randomness, isStopped: isStopped) else { return nil }
    let nats = LikelihoodEvaluation.nats(
      of: examples.count, dims: preparation.shape.dims, by: likelihood, batch: Self.validationBatch,
      examples: { preparation.tensor(of: Array(examples[$0]), in: dataset, draw: .fixed, using: randomness) }, isStopped: isStopped)
    return nats.map { preparation.natsInUnits($0.reduce(0, +) / Double($0.count)) }
  }

  /// Some of what validates, `[count, dims]`, evenly strided; nil where there is too little to compare samples with.
  func validationExamples(atMost most: Int, using randomness: Philox) -> Tensor? {
    let (dataset, examples) = validation
    guard examples.count >= TwoSampleSettings.samplesRange.lowerBound else { return nil }
    let some = TwoSampleComparison.strided(min(most, examples.count), of: examples.count).map { examples[$0] }
    return preparation.tensor(of: some, in: dataset, draw: .fixed, using: randomness)
  }

  /// Chosen: a request to stop is seen within a few milliseconds; no result depends on it.
  private static let validationBatch = 500
}
