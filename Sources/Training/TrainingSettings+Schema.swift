import JSON
import Models

/// The fields `training` and `data` of a job as people see them: forms are made of this. A test holds it to what `TrainingRequest` takes.
extension TrainingSettings {
  /// JSON Schema 2020-12 of `training`, as far as it is of use to the family; all of it where none is given.
  /// - Parameter threads: what this server gives a job.
  package static func jsonSchema(for family: ModelFamily? = nil, threads: ThreadAllowance) -> JSONValue {
    let canValidate = family?.abilities.contains("score") ?? true
    return ConfigurationSchema.jsonSchema(
      of: fields(threads: threads).filter { canValidate || $0.name != "early_stopping_patience" })
  }

  /// JSON Schema 2020-12 of `data`.
  package static let dataSchema = ConfigurationSchema.jsonSchema(of: [
    .init(
      "binarize", .choice(Binarization.allCases.map(\.rawValue)), defaultValue: .string(Binarization.none.rawValue),
      "How values become bits: not at all, by half of the greatest, or drawn anew each epoch in proportion to the value.",
      source: "the data as they are"),
    .init(
      "resize", .integers(count: 2...2, each: 1...4096), defaultValue: .null, "Height and width that pictures are brought to.",
      source: "as they are"),
    .init("grayscale", .boolean, defaultValue: false, "Whether colours become grey.", source: "the data as they are"),
  ])

  private static func fields(threads: ThreadAllowance) -> [ConfigurationSchema.Field] {
    let settings = TrainingSettings()
    return [
      .init(
        "epochs", .integer(1...TrainingLimits.epochsMax), defaultValue: .integer(settings.epochs), "Passes over the training examples.",
        source: "enough to see where it goes"),
      .init(
        "batch_size", .integer(1...TrainingLimits.batchMax), defaultValue: .integer(settings.batchSize), "Examples of one step.",
        source: "the papers' usual size"),
      .init(
        "learning_rate", .positive(upTo: TrainingLimits.learningRateMax), defaultValue: .number(settings.learningRate),
        "How far a step goes.", source: "Kingma & Ba, ICLR 2015, §2"),
      .init(
        "max_seconds", .integer(1...TrainingLimits.secondsMax), defaultValue: .null, "Seconds of training, after which it ends well.",
        source: "no limit"),
      .init(
        "sample_every_epochs", .integer(1...TrainingLimits.epochsMax), defaultValue: .null,
        "After so many epochs the same 64 samples are drawn, so that one sees them grow.", source: "none are drawn"),
      .init(
        "threads", .integer(1...threads.most), defaultValue: .integer(threads.unasked),
        "Threads of the machine; what is learned does not depend on them.", source: "this server's"),
      .init(
        "validation_fraction", .number(0...0.9), defaultValue: 0.1, "The share of the examples that validates and does not train.",
        source: "a tenth"),
      .init(
        "early_stopping_patience", .integer(1...TrainingLimits.patienceMax), defaultValue: .null,
        "Epochs without a better validation after which training ends.", source: "all epochs"),
      .init(
        "learning_rate_schedule", .choice(Schedule.allCases.map(\.rawValue)), defaultValue: .string(settings.schedule.rawValue),
        "How the learning rate goes down to 0 by the last step.", source: "it stays"),
      .init(
        "weight_averaging", .number(0...0.99999), defaultValue: .number(settings.averagingDecay),
        "Decay of a running average of the weights, which then samples and scores; 0.999 is a good one.", source: "no average"),
      .init(
        "weight_decay", .number(0...1), defaultValue: .number(settings.weightDecay), "Decoupled decay of the weights.",
        source: "none; Loshchilov & Hutter, ICLR 2019"),
      .init(
        "optimizer", .choice(["adam"]), defaultValue: .string(settings.optimizer), "How steps are taken.",
        source: "Kingma & Ba, ICLR 2015"),
      .init(
        "checkpoint_every_seconds", .integer(1...TrainingLimits.checkpointSecondsMax),
        defaultValue: .integer(settings.checkpointEverySeconds), "Seconds between checkpoints, from which a run goes on after a stop.",
        source: "what a crash may cost"),
    ]
  }
}
