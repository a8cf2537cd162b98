import Datasets
import Files
import Foundation
import JSON
import Jobs
import Models
import Training

/// A job's way from a client's body to the record, and from the record to its worker.
struct JobPayload: Sendable {
  let record: Record
  let folder: DataFolder
  let threads: ThreadAllowance

  init(record: Record, folder: DataFolder, configuration: ServiceConfiguration) {
    self.record = record
    self.folder = folder
    threads = ThreadAllowance(unasked: configuration.jobThreads, most: configuration.jobThreadsMax)
  }

  /// What the record takes, with every default filled in; every fault of the body is thrown at once.
  func submission(of body: JSONValue) throws -> (JobSubmission, ModelRecord?) {
    let faults = Faults()
    let reader = FieldReader(body, faults: faults)
    reader.require("kind", "\"train\" or \"evaluate\"")
    let kind = reader.string("kind", oneOf: ["train", "evaluate"])
    let common = AnyJobFields(reader)
    let made =
      kind == "evaluate"
      ? try evaluation(reader, common) : try training(reader, common)
    // Of a body without a kind the other fields can't be called unknown.
    if kind != nil { reader.finish() }
    guard let made, faults.isEmpty else { throw Problem.unprocessable(faults.all) }
    return made
  }

  /// The `job.json` of a job in the record.
  func worker(_ job: JobRecord) throws -> JSONValue {
    let faults = Faults()
    let reader = FieldReader(job.request, faults: faults)
    let model = job.model ?? ""
    let dataset = try file("dataset", reader)
    if job.kind == "evaluate" {
      let subject = try subject(reader)
      if let dataset,
        let request = EvaluationRequest(
          reader: reader, model: subject?.familyAndConfiguration, dataset: dataset.description, preparation: subject?.preparation)
      {
        return TrainingJob(
          id: job.id, model: model, modelFolder: folder.modelFolder(model), evaluation: request, dataset: dataset,
          training: try subject.flatMap { try trainingSet(of: $0.record, for: request) }
        ).json
      }
    } else {
      let validation = try file("validation_dataset", reader)
      if let dataset,
        let request = TrainingRequest(reader: reader, dataset: dataset.description, validation: validation?.description)
      {
        return TrainingJob(
          id: job.id, model: model, modelFolder: folder.modelFolder(model), training: request, dataset: dataset, validation: validation,
          origin: origin(of: job)
        ).json
      }
    }
    throw Problem.unprocessable(faults.all)
  }

  /// What every kind of job may carry.
  struct AnyJobFields {
    let name: String?
    let priority: Int
    let metadata: JSONValue

    init(_ reader: FieldReader) {
      name = reader.string("name", bytesMax: 200)
      priority = reader.integer("priority", in: -100...100) ?? 0
      metadata = Self.metadata(reader)
    }

    /// An object of strings, as OpenAI's: 16 of them, names of 64 bytes, values of 512.
    private static func metadata(_ reader: FieldReader) -> JSONValue {
      guard let value = reader.value("metadata") else { return [:] }
      guard let object = value.object, object.count <= 16,
        object.allSatisfy({ $0.key.utf8.count <= 64 && ($0.value.string?.utf8.count ?? .max) <= 512 })
      else {
        reader.fault("metadata", "must be an object of at most 16 strings of 512 bytes, with names of 64 bytes")
        return [:]
      }
      return value
    }
  }

  private func training(_ reader: FieldReader, _ common: AnyJobFields) throws -> (JobSubmission, ModelRecord)? {
    reader.require("dataset", "the id of an uploaded dataset")
    let dataset = try file("dataset", reader)
    let validation = try file("validation_dataset", reader)
    let request = TrainingRequest(
      reader: reader, dataset: dataset?.description, validation: validation?.description, threads: threads)
    guard let request, let dataset, let datasetID = reader.string("dataset") else { return nil }
    let validationID = reader.string("validation_dataset")
    var asked: JSONObject = ["kind": "train", "dataset": .string(datasetID), "validation_dataset": JSONValue(validationID)]
    for (key, value) in request.json { asked[key] = value }
    let id = Identifier.random(prefix: "job")
    let model = ModelRecord(
      id: Identifier.random(prefix: "mdl"), job: id, family: request.family.name, dataset: datasetID,
      description: try RecordedModel.description(of: request, dataset: dataset.description))
    let job = JobSubmission(
      id: id, kind: "train", request: .object(asked), family: request.family.name, model: model.id,
      datasets: [datasetID] + (validationID.map { [$0] } ?? []), seed: request.seed, priority: common.priority, name: common.name,
      metadata: common.metadata)
    return (job, model)
  }

  private func evaluation(_ reader: FieldReader, _ common: AnyJobFields) throws -> (JobSubmission, ModelRecord?)? {
    reader.require("model", "the id of a model")
    reader.require("dataset", "the id of an uploaded dataset")
    let subject = try subject(reader)
    if let subject, subject.record.newestStep == nil {
      reader.fault("model", "the model \(subject.record.id) has no checkpoint yet; its job is \(subject.record.job ?? "gone")")
    }
    let dataset = try file("dataset", reader)
    let request = EvaluationRequest(
      reader: reader, model: subject?.familyAndConfiguration, dataset: dataset?.description, preparation: subject?.preparation,
      threads: threads)
    guard let request, let subject, let datasetID = reader.string("dataset") else { return nil }
    let training = try trainingSet(of: subject.record, for: request)
    if request.needsTrainingSet, training == nil {
      reader.fault("metrics", "memorization needs the data that the model was trained on, which are not here")
      return nil
    }
    var asked: JSONObject = ["kind": "evaluate", "model": .string(subject.record.id), "dataset": .string(datasetID)]
    for (key, value) in request.json { asked[key] = value }
    let job = JobSubmission(
      id: Identifier.random(prefix: "job"), kind: "evaluate", request: .object(asked), family: subject.family.name,
      model: subject.record.id, datasets: [datasetID] + (training == nil ? [] : subject.record.dataset.map { [$0] } ?? []),
      seed: request.seed, priority: common.priority, name: common.name,
      metadata: common.metadata)
    return (job, nil)
  }

  /// What a model was trained on, where the evaluation asks after it and it is still there.
  private func trainingSet(of model: ModelRecord, for request: EvaluationRequest) throws -> DatasetFile? {
    guard request.needsTrainingSet, let id = model.dataset, let dataset = try record.dataset(id) else { return nil }
    return try DatasetFile(dataset, in: folder)
  }

  private func subject(_ reader: FieldReader) throws -> RecordedModel? {
    guard let id = reader.string("model", bytesMax: 200) else { return nil }
    guard let model = try record.model(id) else {
      reader.fault("model", "there is no model \(id)")
      return nil
    }
    return try RecordedModel(model)
  }

  func file(_ name: String, _ reader: FieldReader) throws -> DatasetFile? {
    guard let id = reader.string(name, bytesMax: 200) else { return nil }
    guard let dataset = try record.dataset(id) else {
      reader.fault(name, "there is no dataset \(id)")
      return nil
    }
    return try DatasetFile(dataset, in: folder)
  }
}
