import JSON

/// How a model is trained: everything of a run but the data, the model and the seed.
///
/// Each value is within the range that `TrainingRequest` documents; the worker relies on that.
package struct TrainingSettings: Sendable, Equatable {
  package enum Schedule: String, Sendable, CaseIterable {
    case constant, linear, cosine
  }

  package var epochs = 20
  package var batchSize = 100
  package var optimizer = "adam"
  package var learningRate = 0.001
  /// How the learning rate moves from `learningRate` at the first step to zero after the last; there is no warm-up.
  package var schedule = Schedule.constant
  /// Decay a step of the running average of the weights, which then is what samples and scores; 0 keeps no average.
  package var averagingDecay = 0.0
  /// Decoupled weight decay (Loshchilov & Hutter, ICLR 2019).
  package var weightDecay = 0.0
  /// The part of the dataset kept out of training; nil when a validation dataset is given.
  package var validationFraction: Double? = 0.1
  /// Epochs without a better validation before training ends; nil never ends early.
  package var earlyStoppingPatience: Int?
  /// Seconds spent in training, over all attempts.
  package var secondsMax: Int?
  package var threads = 1
  package var checkpointEverySeconds = 30
  /// A grid of samples is drawn after every so many epochs; nil draws none.
  package var sampleEveryEpochs: Int?

  package init() {}

  /// The learning rate of a step.
  /// - Parameter step: 0 is the first.
  func learningRate(atStep step: Int, of steps: Int) -> Double {
    let done = Double(step) / Double(max(steps, 1))
    switch schedule {
    case .constant: return learningRate
    case .linear: return learningRate * (1 - done)
    case .cosine: return learningRate * 0.5 * (1 + cosine(halfTurns: done))
    }
  }
}

extension TrainingSettings {
  /// The object `training` of a job, complete.
  package var json: JSONValue {
    .object([
      "epochs": .integer(epochs),
      "batch_size": .integer(batchSize),
      "optimizer": .string(optimizer),
      "learning_rate": .number(learningRate),
      "learning_rate_schedule": .string(schedule.rawValue),
      "weight_averaging": .number(averagingDecay),
      "weight_decay": .number(weightDecay),
      "validation_fraction": JSONValue(validationFraction),
      "early_stopping_patience": JSONValue(earlyStoppingPatience),
      "max_seconds": JSONValue(secondsMax),
      "threads": .integer(threads),
      "checkpoint_every_seconds": .integer(checkpointEverySeconds),
      "sample_every_epochs": JSONValue(sampleEveryEpochs),
    ])
  }
}

/// cos(π·x) for x in 0…1, by the Taylor series about the nearest of 0, ½ and 1, the same on every machine.
///
/// The C library's cosine may differ in its last bit between versions, and a run must not.
private func cosine(halfTurns x: Double) -> Double {
  if x > 0.5 { return -cosine(halfTurns: 1 - x) }
  if x > 0.25 { return sine(halfTurns: 0.5 - x) }
  let square = x * x * .pi * .pi
  var sum = 0.0
  for term in stride(from: 14, through: 2, by: -2) { sum = (1 - sum) * square / Double(term * (term - 1)) }
  return 1 - sum
}

/// sin(π·x) for x in 0…¼.
private func sine(halfTurns x: Double) -> Double {
  let square = x * x * .pi * .pi
  var sum = 0.0
  for term in stride(from: 15, through: 3, by: -2) { sum = (1 - sum) * square / Double(term * (term - 1)) }
  return (1 - sum) * x * .pi
}
