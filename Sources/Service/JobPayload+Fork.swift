import Files
import JSON
import Jobs
import Training

/// A job that goes on from another's checkpoint with other `training`: the same family, data and seed, a model of its own.
extension JobPayload {
  /// The checkpoint that a fork goes on from.
  struct Origin {
    let job: JobRecord
    let model: ModelRecord
    let step: Int
    let head: CheckpointHead
  }

  /// What the record takes; every fault of the body is thrown at once.
  ///
  /// - Parameters:
  ///   - body: `training` with what differs, `name`, `priority`, `metadata`, `step`.
  ///   - id: of the new model, whose folder has the checkpoint already.
  func fork(of origin: Origin, body: JSONValue, model id: String) throws -> (JobSubmission, ModelRecord) {
    let faults = Faults()
    let reader = FieldReader(body, faults: faults)
    let common = AnyJobFields(reader)
    _ = reader.value("step")
    let changes = reader.value("training")
    if let changes, changes.object == nil { reader.fault("training", "must be an object; was \(changes.kindName)") }
    reader.finish()

    let before = origin.job.request["training"]?.object ?? [:]
    var training = before
    for (key, value) in changes?.object ?? [:] { training[key] = value }
    var merged = origin.job.request.object ?? [:]
    merged["training"] = .object(training)
    let asked = FieldReader(.object(merged), faults: faults)
    guard let dataset = try file("dataset", asked) else { throw Problem.unprocessable(faults.all) }
    let validation = try file("validation_dataset", asked)
    let request = TrainingRequest(reader: asked, dataset: dataset.description, validation: validation?.description, threads: threads)
    if let request { check(request, goesOnFrom: origin, before: before, faults) }
    guard let request, faults.isEmpty else { throw Problem.unprocessable(faults.all) }

    for (key, value) in request.json { merged[key] = value }
    let lineage: JSONObject = ["job": .string(origin.job.id), "model": .string(origin.model.id), "step": .integer(origin.step)]
    var fork = lineage
    fork["batch_size"] = before["batch_size"]
    merged["fork"] = .object(fork)
    let jobID = Identifier.random(prefix: "job")
    var description = try RecordedModel.description(of: request, dataset: dataset.description).object ?? [:]
    description["lineage"] = .object(lineage)
    let job = JobSubmission(
      id: jobID, owner: origin.job.owner, kind: "train", request: .object(merged), family: origin.job.family, model: id,
      datasets: origin.job.datasets, seed: request.seed, priority: common.priority, name: common.name, metadata: common.metadata)
    let model = ModelRecord(
      id: id, job: jobID, family: request.family.name, dataset: origin.model.dataset, description: .object(description))
    return (job, model)
  }

  /// What a checkpoint fixes: which examples are kept for validation, whether there is an average of the weights, and the epochs done.
  private func check(_ request: TrainingRequest, goesOnFrom origin: Origin, before: JSONObject, _ faults: Faults) {
    for key in ["validation_fraction", "weight_averaging"] {
      let (was, asked) = (before[key] ?? .null, request.settings.json[key] ?? .null)
      if was.number != asked.number {
        faults.add("/training/\(key)", "can't change in a fork: it is \(was.serialized()) in \(origin.job.id); was \(asked.serialized())")
      }
    }
    if request.settings.epochs <= origin.head.epoch {
      faults.add(
        "/training/epochs",
        "must be more than \(origin.head.epoch), the epochs that the checkpoint has behind it; was \(request.settings.epochs)")
    }
  }

  /// Where a recorded job begins, if it is a fork.
  func origin(of job: JobRecord) -> TrainingOrigin? {
    guard let batchSize = job.request["fork"]?["batch_size"]?.integer, let model = job.model else { return nil }
    return TrainingOrigin(path: "\(folder.modelFolder(model))/\(TrainingOrigin.fileName)", batchSize: batchSize)
  }
}
