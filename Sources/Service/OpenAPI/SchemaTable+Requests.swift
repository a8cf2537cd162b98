import Evaluation
import JSON
import Models
import Training

/// What a client asks of `POST /v1/jobs` and of a fork, and the same with every default filled in.
extension SchemaTable {
  static func requests(_ limits: DescribedLimits) -> JSONObject {
    var all: JSONObject = [
      "NewJob": Schema.one(of: ModelFamily.all.map { Schema.named(training($0)) } + [Schema.named("NewEvaluation")]),
      "NewEvaluation": evaluation(limits),
      "Training": training(limits),
      "Fork": Schema.request([
        "step": Schema.described(Schema.integer(0...Int.max), "Which of the kept checkpoints; the newest, where nobody says."),
        "training": Schema.described(training(limits), "What differs from the job that it goes on from."), "name": name,
        "priority": priority, "metadata": metadata,
      ]),
      "Pin": Schema.object(["pinned": Schema.boolean]),
      "DryRun": Schema.object([
        "dry_run": Schema.constant(true),
        "request": Schema.one(of: [Schema.named("ResolvedTraining"), Schema.named("ResolvedEvaluation")]),
      ]),
      "ResolvedTraining": resolvedTraining, "ResolvedEvaluation": resolvedEvaluation,
    ]
    for family in ModelFamily.all {
      all[training(family)] = newTraining(family)
      all[configuration(family)] = askedConfiguration(family)
    }
    return all
  }

  private static func training(_ family: ModelFamily) -> String { "NewTraining.\(family.name)" }
  private static func configuration(_ family: ModelFamily) -> String { "Configuration.\(family.name)" }

  private static func newTraining(_ family: ModelFamily) -> JSONValue {
    Schema.request(
      [
        "kind": Schema.constant("train"), "dataset": Schema.described(Schema.text, "The id of an uploaded dataset."),
        "validation_dataset": Schema.described(Schema.text, "Another one, in place of `training.validation_fraction`."),
        "family": Schema.constant(.string(family.name)), "configuration": Schema.named(configuration(family)),
        "training": Schema.named("Training"), "data": data, "seed": seed, "name": name, "priority": priority, "metadata": metadata,
      ], required: ["kind", "dataset", "family"])
  }

  private static func askedConfiguration(_ family: ModelFamily) -> JSONValue {
    Schema.described(asked(family.schema.jsonSchema()), family.title)
  }

  /// A schema that `GET /v1/families` tells, where null is as good as absent.
  private static func asked(_ told: JSONValue) -> JSONValue {
    var schema = told.object ?? [:]
    var properties = JSONObject()
    for (name, property) in schema["properties"]?.object ?? [:] { properties[name] = Schema.nullable(property) }
    schema["properties"] = .object(properties)
    schema["$schema"] = nil
    return .object(schema)
  }

  private static let name = Schema.described(Schema.text(0...200), "At most 200 bytes of UTF-8.")
  private static let priority = Schema.described(
    Schema.integer(-100...100, default: 0), "Among its owner's jobs the higher goes first; among equals the older one.")
  private static let seed = Schema.described(Schema.integer(0...TrainingLimits.seedMax), "Drawn, where nobody says.")
  private static let metadata: JSONValue = [
    "type": "object", "maxProperties": 16, "propertyNames": ["maxLength": 64], "additionalProperties": Schema.text(0...512),
    "description": "Kept as it is, and told. Lengths are of UTF-8.",
  ]
  private static let data = asked(TrainingSettings.dataSchema)

  private static func training(_ limits: DescribedLimits) -> JSONValue {
    asked(TrainingSettings.jsonSchema(threads: ThreadAllowance(unasked: limits.threadsUnasked, most: limits.threadsMax)))
  }

  // MARK: Evaluation

  private static func evaluation(_ limits: DescribedLimits) -> JSONValue {
    Schema.request(
      [
        "kind": Schema.constant("evaluate"), "model": Schema.described(Schema.text, "The id of a model that has a checkpoint."),
        "dataset": Schema.described(Schema.text, "The id of an uploaded dataset."),
        "metrics": [
          "type": "array", "minItems": 1, "uniqueItems": true, "items": Schema.words(EvaluationMetric.allCases.map(\.rawValue)),
          "description": "Of a model without a density: `mmd`, `precision_recall` and `c2st`; of others `nats`; where nobody says.",
        ],
        "settings": evaluationSettings(limits), "seed": seed, "name": name, "priority": priority, "metadata": metadata,
      ], required: ["kind", "model", "dataset"])
  }

  private static func evaluationSettings(_ limits: DescribedLimits) -> JSONValue {
    let settings = EvaluationSettings()
    let (likelihood, samples) = (settings.likelihood, settings.twoSample)
    return Schema.request([
      "batch_size": Schema.integer(1...TrainingLimits.batchMax, default: settings.batchSize),
      "threads": Schema.integer(1...limits.threadsMax, default: limits.threadsUnasked),
      "chains": Schema.integer(LikelihoodSettings.chainsRange, default: likelihood.chains),
      "betas": Schema.integer(LikelihoodSettings.betasRange, default: likelihood.betas),
      "reverse_chains": Schema.integer(LikelihoodSettings.reverseChainsRange, default: likelihood.reverseChains),
      "reverse_examples": Schema.integer(LikelihoodSettings.reverseExamplesRange, default: likelihood.reverseExamples),
      "importance_samples": Schema.integer(LikelihoodSettings.importanceSamplesRange, default: likelihood.importanceSamples),
      "samples": Schema.integer(TwoSampleSettings.samplesRange, default: samples.samples),
      "pairs": Schema.integer(TwoSampleSettings.pairsRange, default: samples.pairs),
      "permutations": Schema.integer(TwoSampleSettings.permutationsRange, default: samples.permutations),
      "resamples": Schema.integer(TwoSampleSettings.resamplesRange, default: samples.resamples),
    ])
  }

  // MARK: With every default filled in

  private static var resolvedTraining: JSONValue {
    var settings = JSONObject()
    for (name, value) in TrainingSettings().json.object ?? [:] { settings[name] = kind(of: value) }
    return Schema.object(
      [
        "kind": Schema.constant("train"), "dataset": Schema.id("ds"), "validation_dataset": Schema.nullable(Schema.id("ds")),
        "family": families, "configuration": ["type": "object"], "training": Schema.object(settings),
        "data": Schema.object(
          ["binarize": Schema.words(binarizations), "resize": sides, "grayscale": Schema.boolean], optional: ["resize", "grayscale"]),
        "seed": seed,
        "fork": Schema.object([
          "job": Schema.id("job"), "model": Schema.id("mdl"), "step": Schema.count,
          "batch_size": Schema.integer(1...TrainingLimits.batchMax),
        ]),
      ], optional: ["fork"])
  }

  private static var resolvedEvaluation: JSONValue {
    var settings = JSONObject()
    for (name, _) in EvaluationSettings().json.object ?? [:] { settings[name] = Schema.integer(1...Int.max) }
    return Schema.object([
      "kind": Schema.constant("evaluate"), "model": Schema.id("mdl"), "dataset": Schema.id("ds"),
      "metrics": Schema.array(of: Schema.words(EvaluationMetric.allCases.map(\.rawValue))), "settings": Schema.object(settings),
      "seed": seed,
    ])
  }

  /// Of a setting, by its default; those without one are numbers that may be null, as is what `validation_dataset` takes the place of.
  private static func kind(of value: JSONValue) -> JSONValue {
    switch value {
    case .string: Schema.text
    case .integer: Schema.integer(1...Int.max)
    default: ["type": ["number", "null"]]
    }
  }
}
