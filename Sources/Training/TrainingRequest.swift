import Datasets
import JSON
import Models
import Tensors

/// A checked request to train a model: the fields `family`, `configuration`, `training`, `data` and `seed` of `POST /v1/jobs`.
///
/// | field                             | allowed                              | default                                     |
/// |-----------------------------------|--------------------------------------|---------------------------------------------|
/// | `training/epochs`                 | 1 … 1 000 000                        | 20                                          |
/// | `training/batch_size`             | 1 … 65 536                           | 100                                         |
/// | `training/optimizer`              | `adam`                               | `adam`                                      |
/// | `training/learning_rate`          | above 0, up to 100                   | 0.001 (Kingma & Ba, ICLR 2015, §2)          |
/// | `training/learning_rate_schedule` | `constant`, `linear`, `cosine`       | `constant`                                  |
/// | `training/weight_averaging`       | 0 … 0.99999, decay a step            | 0: none                                     |
/// | `training/weight_decay`           | 0 … 1, decoupled                     | 0                                           |
/// | `training/validation_fraction`    | 0 … 0.9; not with another dataset    | 0.1; none with `validation_dataset`         |
/// | `training/early_stopping_patience`| 1 … 1 000 000 epochs                 | none: all epochs                            |
/// | `training/max_seconds`            | 1 … a year                           | none                                        |
/// | `training/threads`                | 1 … the server's most                | the server's                                |
/// | `training/checkpoint_every_seconds` | 1 … 86 400                         | 30                                          |
/// | `training/sample_every_epochs`    | 1 … 1 000 000                        | none                                        |
/// | `data/binarize`                   | `none`, `threshold`, `stochastic`    | `none`                                      |
/// | `data/resize`                     | `[height, width]`, each 1 … 4096     | as they are                                 |
/// | `data/grayscale`                  | `true`, `false`                      | `false`                                     |
/// | `seed`                            | 0 … 2^53 − 1                         | drawn                                       |
package struct TrainingRequest: Sendable {
  package let family: ModelFamily
  package let configuration: Configuration
  package let settings: TrainingSettings
  package let binarization: Binarization
  package let pictures: PictureForm
  package let seed: Int

  /// Reads the fields and records every fault; nil when one of these fields is wrong.
  ///
  /// The caller reads the other fields of the body with the same reader, calls its `finish()`, and refuses the body when any fault
  /// was recorded.
  /// - Parameters:
  ///   - dataset: nil, when it is not known, skips the questions that it would answer.
  ///   - validation: the description of `validation_dataset`, if there is one.
  package init?(
    reader: FieldReader, dataset: DatasetDescription?, validation: DatasetDescription?, threads: ThreadAllowance = ThreadAllowance()
  ) {
    let before = reader.faults.all.count
    let family = Self.family(reader)
    settings = Self.settings(reader, threads)
    (binarization, pictures) = Self.data(reader)
    seed = reader.integer("seed", in: 0...TrainingLimits.seedMax) ?? Self.drawnSeed()
    let fields = reader.value("configuration").map { FieldReader($0, pointer: reader.pointer(to: "configuration"), faults: reader.faults) }
    let configuration = family.flatMap { family in
      family.schema.resolve(fields ?? FieldReader(.object([:]), pointer: reader.pointer(to: "configuration"), faults: reader.faults))
    }
    if let dataset {
      let model = family.flatMap { family in configuration.map { (family, $0) } }
      Self.checkTogether(
        reader, model: model, binarization: binarization, pictures: pictures, settings: settings, dataset: dataset, validation: validation)
    }
    guard let family, let configuration, reader.faults.all.count == before else { return nil }
    self.family = family
    self.configuration = configuration
  }

  /// The fields as they will run, each default filled in; reading them again gives the same request.
  package var json: JSONObject {
    [
      "family": .string(family.name), "configuration": configuration.json, "training": settings.json,
      "data": Self.data(binarization, pictures), "seed": .integer(seed),
    ]
  }

  /// The field `data`.
  static func data(_ binarization: Binarization, _ pictures: PictureForm) -> JSONValue {
    var data: JSONObject = ["binarize": .string(binarization.rawValue)]
    for (field, value) in pictures.fields { data[field] = value }
    return .object(data)
  }

  static func drawnSeed() -> Int { Int.random(in: 0...TrainingLimits.seedMax) }
}

extension TrainingRequest {
  private static func family(_ reader: FieldReader) -> ModelFamily? {
    let names = ModelFamily.all.map(\.name)
    reader.require("family", "the kind of model to train, one of \(names.joined(separator: ", "))")
    return reader.string("family", oneOf: names).flatMap(ModelFamily.named)
  }

  private static func data(_ reader: FieldReader) -> (Binarization, PictureForm) {
    guard let fields = reader.object("data") else { return (.none, PictureForm()) }
    let name = fields.string("binarize", oneOf: Binarization.allCases.map(\.rawValue))
    let pictures = PictureForm(reader: fields)
    fields.finish()
    return (name.flatMap(Binarization.init) ?? .none, pictures)
  }

  private static func settings(_ reader: FieldReader, _ threads: ThreadAllowance) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.threads = threads.unasked
    let hasOwnValidation = reader.has("validation_dataset")
    if hasOwnValidation { settings.validationFraction = nil }
    guard let fields = reader.object("training") else { return settings }
    settings.epochs = fields.integer("epochs", in: 1...TrainingLimits.epochsMax) ?? settings.epochs
    settings.batchSize = fields.integer("batch_size", in: 1...TrainingLimits.batchMax) ?? settings.batchSize
    settings.optimizer = fields.string("optimizer", oneOf: ["adam"]) ?? settings.optimizer
    readLearningRate(fields, into: &settings)
    readValidation(fields, into: &settings, hasOwnValidation: hasOwnValidation)
    settings.secondsMax = fields.integer("max_seconds", in: 1...TrainingLimits.secondsMax)
    settings.threads = threads.read(fields)
    settings.checkpointEverySeconds =
      fields.integer("checkpoint_every_seconds", in: 1...TrainingLimits.checkpointSecondsMax) ?? settings.checkpointEverySeconds
    settings.sampleEveryEpochs = fields.integer("sample_every_epochs", in: 1...TrainingLimits.epochsMax)
    fields.finish()
    return settings
  }

  private static func readLearningRate(_ fields: FieldReader, into settings: inout TrainingSettings) {
    if let rate = fields.number("learning_rate", .positive) {
      settings.learningRate = rate
      if rate > TrainingLimits.learningRateMax {
        fields.fault("learning_rate", "must be at most \(TrainingLimits.learningRateMax); was \(rate)")
      }
    }
    let schedules = TrainingSettings.Schedule.allCases.map(\.rawValue)
    let schedule = fields.string("learning_rate_schedule", oneOf: schedules).flatMap(TrainingSettings.Schedule.init)
    settings.schedule = schedule ?? settings.schedule
    settings.weightDecay = fields.number("weight_decay", .range(0...1)) ?? settings.weightDecay
    settings.averagingDecay = fields.number("weight_averaging", .range(0...0.99999)) ?? settings.averagingDecay
  }

  private static func readValidation(_ fields: FieldReader, into settings: inout TrainingSettings, hasOwnValidation: Bool) {
    if let fraction = fields.number("validation_fraction", .range(0...0.9)) {
      if hasOwnValidation, fraction > 0 {
        fields.fault("validation_fraction", "must be absent or 0 where validation_dataset is given; was \(fraction)")
      }
      settings.validationFraction = hasOwnValidation ? nil : fraction
    }
    settings.earlyStoppingPatience = fields.integer("early_stopping_patience", in: 1...TrainingLimits.patienceMax)
    if settings.earlyStoppingPatience != nil, !hasOwnValidation, settings.validationFraction == 0 {
      fields.fault("early_stopping_patience", "needs validation: a validation_fraction above 0 or a validation_dataset")
    }
  }

  /// What the fields allow each by itself, but not together or not with these data.
  private static func checkTogether(
    _ reader: FieldReader, model: (family: ModelFamily, configuration: Configuration)?, binarization: Binarization,
    pictures: PictureForm, settings: TrainingSettings, dataset: DatasetDescription, validation: DatasetDescription?
  ) {
    if let refusal = pictures.refusal(of: dataset.shape) {
      return reader.faults.add(reader.pointer(to: "data") + "/" + refusal.field, refusal.detail)
    }
    let binarize = reader.pointer(to: "data") + "/binarize"
    switch Preparation.fitting(dataset, binarization: binarization, pictures: pictures) {
    case .failure(let refusal): reader.faults.add(binarize, refusal.detail)
    case .success(let preparation):
      if let fault = model.flatMap({ $0.family.refusal($0.configuration, preparation.input) }) {
        report(fault, reader, binarize: binarize, preparation: preparation)
      }
      if let validation, let refusal = preparation.refusal(of: validation) { reader.fault("validation_dataset", refusal) }
    }
    let stepsMax = Int(UInt32.max)
    let batches = (dataset.count + settings.batchSize - 1) / settings.batchSize
    if settings.earlyStoppingPatience != nil, let family = model?.family, !family.abilities.contains("score") {
      let pointer = reader.pointer(to: "training") + "/early_stopping_patience"
      reader.faults.add(pointer, "needs validation, and the family \"\(family.name)\" has no density to validate by")
    }
    if settings.epochs > stepsMax / batches {
      let pointer = reader.pointer(to: "training") + "/epochs"
      let most = "at most \(stepsMax / batches), for a run has fewer than 2^32 steps"
      reader.faults.add(pointer, "must be \(most); was \(settings.epochs)")
    }
  }

  /// A refusal of the examples themselves becomes one of how they are turned into bits, where that would help.
  private static func report(_ fault: Fault, _ reader: FieldReader, binarize: String, preparation: Preparation) {
    if !fault.pointer.isEmpty {
      let field = fault.pointer.hasPrefix("/") ? fault.pointer : "/" + fault.pointer
      reader.faults.add(reader.pointer(to: "configuration") + field, fault.detail)
    } else if preparation.kind == .bits {
      reader.fault("dataset", fault.detail)
    } else {
      reader.faults.add(binarize, "\(fault.detail); \"threshold\" and \"stochastic\" make bits of them")
    }
  }
}
