import Datasets
import JSON
import Models

/// A number that an evaluation gives.
package enum EvaluationMetric: String, Sendable, CaseIterable {
  /// Mean −ln p(x) over the dataset.
  case nats
}

package struct EvaluationSettings: Sendable, Equatable {
  /// Examples scored at once; the result does not depend on it.
  package var batchSize = 500
  package var threads = 1

  package init() {}

  package var json: JSONValue { ["batch_size": .integer(batchSize), "threads": .integer(threads)] }
}

/// A checked request to evaluate a model: the fields `metrics`, `settings` and `seed` of `POST /v1/jobs`.
package struct EvaluationRequest: Sendable {
  package let metrics: [EvaluationMetric]
  package let settings: EvaluationSettings
  package let seed: Int

  /// Reads the fields and records every fault; nil when one of these fields is wrong.
  ///
  /// - Parameters:
  ///   - family: the model's; nil skips the question whether it admits the metrics.
  ///   - dataset: nil skips the question whether the model can score it.
  ///   - preparation: how the model was trained to see data, from its checkpoint.
  package init?(
    reader: FieldReader, family: ModelFamily?, dataset: DatasetDescription?, preparation: Preparation?,
    threads: ThreadAllowance = ThreadAllowance()
  ) {
    let before = reader.faults.all.count
    metrics = Self.metrics(reader, family: family)
    var settings = EvaluationSettings()
    settings.threads = threads.unasked
    if let fields = reader.object("settings") {
      settings.batchSize = fields.integer("batch_size", in: 1...TrainingLimits.batchMax) ?? settings.batchSize
      settings.threads = threads.read(fields)
      fields.finish()
    }
    self.settings = settings
    seed = reader.integer("seed", in: 0...TrainingLimits.seedMax) ?? TrainingRequest.drawnSeed()
    if let dataset, let preparation, let refusal = preparation.refusal(of: dataset) { reader.fault("dataset", refusal) }
    guard reader.faults.all.count == before else { return nil }
  }

  private static func metrics(_ reader: FieldReader, family: ModelFamily?) -> [EvaluationMetric] {
    guard let value = reader.value("metrics") else { return [.nats] }
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
      if metric == .nats, let family, !family.abilities.contains("score") {
        reader.faults.add(pointer, "the family \"\(family.name)\" has no density; of \(known) it admits none")
      }
      if metrics.contains(metric) { reader.faults.add(pointer, "is there twice") }
      metrics.append(metric)
    }
    return metrics
  }

  /// The fields as they will run, each default filled in.
  package var json: JSONObject {
    ["metrics": .array(metrics.map { .string($0.rawValue) }), "settings": settings.json, "seed": .integer(seed)]
  }
}
