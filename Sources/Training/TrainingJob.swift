import Datasets
import JSON
import Models

/// All that a worker needs to know, as `job.json` in its folder says it.
///
/// The server writes it before the worker starts; it holds no reference that only the server can resolve.
package struct TrainingJob: Sendable {
  package enum Task: Sendable {
    case train(TrainingTask)
    case evaluate(EvaluationTask)
  }

  package struct TrainingTask: Sendable {
    package var family: ModelFamily
    /// Complete: every field of the family's schema.
    package var configuration: Configuration
    package var settings: TrainingSettings
    package var binarization: Binarization
    package var pictures: PictureForm
    package var dataset: DatasetFile
    package var validation: DatasetFile?
    /// Nil for a run that begins with nothing.
    package var origin: TrainingOrigin?
  }

  package struct EvaluationTask: Sendable {
    package var metrics: [EvaluationMetric]
    package var settings: EvaluationSettings
    package var dataset: DatasetFile
    /// What the model was trained on, for the metrics that ask after it; nil where none does, or it is gone.
    package var training: DatasetFile?
  }

  package var id: String
  package var model: String
  /// Where the model's checkpoints lie.
  package var modelFolder: String
  package var seed: Int
  package var task: Task

  package init(
    id: String, model: String, modelFolder: String, training request: TrainingRequest, dataset: DatasetFile, validation: DatasetFile?,
    origin: TrainingOrigin? = nil
  ) {
    self.id = id
    self.model = model
    self.modelFolder = modelFolder
    self.seed = request.seed
    self.task = .train(
      TrainingTask(
        family: request.family, configuration: request.configuration, settings: request.settings, binarization: request.binarization,
        pictures: request.pictures, dataset: dataset, validation: validation, origin: origin))
  }

  package init(
    id: String, model: String, modelFolder: String, evaluation request: EvaluationRequest, dataset: DatasetFile,
    training: DatasetFile? = nil
  ) {
    self.id = id
    self.model = model
    self.modelFolder = modelFolder
    self.seed = request.seed
    self.task = .evaluate(EvaluationTask(metrics: request.metrics, settings: request.settings, dataset: dataset, training: training))
  }
}

extension TrainingJob {
  package var json: JSONValue {
    var object: JSONObject = ["id": .string(id), "model": .string(model), "model_folder": .string(modelFolder), "seed": .integer(seed)]
    switch task {
    case .train(let training):
      object["kind"] = "train"
      object["family"] = .string(training.family.name)
      object["configuration"] = training.configuration.json
      object["training"] = training.settings.json
      object["data"] = TrainingRequest.data(training.binarization, training.pictures)
      object["dataset"] = training.dataset.json
      object["validation_dataset"] = training.validation?.json ?? .null
      object["origin"] = training.origin?.json ?? .null
    case .evaluate(let evaluation):
      object["kind"] = "evaluate"
      object["metrics"] = .array(evaluation.metrics.map { .string($0.rawValue) })
      object["settings"] = evaluation.settings.json
      object["dataset"] = evaluation.dataset.json
      object["training_dataset"] = evaluation.training?.json ?? .null
    }
    return .object(object)
  }

  /// Reads a `job.json`; nil when a fault was recorded.
  package init?(reader: FieldReader) {
    reader.require(["id", "kind", "model", "model_folder", "dataset", "seed"])
    let kind = reader.string("kind", oneOf: ["train", "evaluate"])
    let id = reader.string("id")
    let model = reader.string("model")
    let modelFolder = reader.string("model_folder")
    let dataset = reader.object("dataset").flatMap { DatasetFile(reader: $0) }
    if kind == "evaluate" {
      let training = reader.object("training_dataset").flatMap { DatasetFile(reader: $0) }
      let request = EvaluationRequest(reader: reader, model: nil, dataset: nil, preparation: nil)
      reader.finish()
      guard let id, let model, let modelFolder, let dataset, let request, reader.faults.isEmpty else { return nil }
      self.init(id: id, model: model, modelFolder: modelFolder, evaluation: request, dataset: dataset, training: training)
    } else {
      let validation = reader.object("validation_dataset").flatMap { DatasetFile(reader: $0) }
      let origin = reader.object("origin").flatMap { TrainingOrigin(reader: $0) }
      let request = TrainingRequest(reader: reader, dataset: dataset?.description, validation: validation?.description)
      reader.finish()
      guard let id, let model, let modelFolder, let dataset, let request, reader.faults.isEmpty else { return nil }
      self.init(
        id: id, model: model, modelFolder: modelFolder, training: request, dataset: dataset, validation: validation,
        origin: origin)
    }
  }
}
