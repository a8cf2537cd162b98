import HTTP
import HTTPTypes
import JSON
import Jobs
import Training

/// A model's checkpoints: which steps are kept, for whom, and which of them is the model.
extension FountService {
  /// The newest first.
  func listCheckpoints(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let model = try model(named: request.parameters["id"])
    let checkpoints = Checkpoints(of: model, in: folder)
    let steps = try checkpoints.folder.keptSteps()
    let views = try steps.reversed().compactMap { try checkpoints.view(step: $0) }
    return .json(["data": .array(views), "has_more": false, "next": nil], headers: [.cacheControl: "no-store"])
  }

  /// `{"pinned": true}` keeps a checkpoint whatever training does; `false` leaves it to training again.
  func pinCheckpoint(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    guard case .bytes(let bytes) = request.body else { throw Problem(.badRequest, "the body is empty; a JSON object is needed") }
    let model = try model(named: request.parameters["id"])
    let text = request.parameters["step"] ?? ""
    let faults = Faults()
    let reader = FieldReader(try JSONValue(parsing: bytes), faults: faults)
    reader.require("pinned", "true or false")
    let isPinned = reader.boolean("pinned")
    reader.finish()
    guard let isPinned, faults.isEmpty else { throw Problem.unprocessable(faults.all) }
    let checkpoints = Checkpoints(of: model, in: folder)
    guard let step = Int(text), step >= 0, String(step) == text else { throw try absentStep(text, of: checkpoints.folder) }
    if isPinned { try requireRoom(forPinOf: step, in: checkpoints.folder) }
    guard
      try isPinned ? checkpoints.folder.pin(step: step) : checkpoints.folder.unpin(step: step)
    else { throw try absentStep(text, of: checkpoints.folder) }
    let rest: JSONObject = ["step": .integer(step), "pinned": .bool(isPinned), "kept": false]
    // What was kept by its pin alone is gone.
    return .json(try checkpoints.view(step: step) ?? .object(rest))
  }

  /// Two pins at once may both find the last place free: the limit keeps a disk from filling by and by, and one more does not matter.
  private func requireRoom(forPinOf step: Int, in folder: ModelFolder) throws {
    let pinned = try folder.pinnedSteps()
    guard !pinned.contains(step), pinned.count >= configuration.pinnedCheckpointsMax else { return }
    throw Problem(
      .conflict,
      "the model has \(pinned.count) pinned checkpoints, and \(configuration.pinnedCheckpointsMax) are allowed; unpin one of "
        + pinned.map(String.init).joined(separator: ", "))
  }

  /// The checkpoint that a model is used by: that of `step` where one is asked for, else the newest while its job runs, and the best of it
  /// afterwards; where that one is damaged, the newest sound one, of which the job's events and the log then warn.
  func checkpoint(of model: RecordedModel, step: Int? = nil) throws -> ModelCheckpoint {
    let folder = ModelFolder(path: folder.modelFolder(model.record.id))
    if let step {
      guard let checkpoint = folder.checkpoint(step: step) else { throw try absentStep(String(step), of: folder) }
      try checkpoints.verify(checkpoint.path)
      return checkpoint
    }
    let current = try folder.current(
      verify: { try checkpoints.verify($0) }, passOver: { warn(ofDamage: $0, to: model.record) })
    guard let checkpoint = current else {
      let job = model.record.job.map { "/v1/jobs/\($0)" } ?? "gone"
      throw Problem(.conflict, "the model has no checkpoint yet; its job is \(job)", headers: [.retryAfter: "5"])
    }
    return checkpoint
  }

  /// Tells those who follow the job, once, and the log.
  func warn(ofDamage fault: ModelFolder.Fault, to model: ModelRecord) {
    do {
      if let job = model.job {
        guard try record.warn(job, "\(fault.told); the newest sound checkpoint takes its place, if there is one") else { return }
        watch.changed(job)
      }
    } catch {
      logger.warning("a warning could not be kept: \(error)", metadata: ["model": "\(model.id)"])
    }
    logger.error("a checkpoint is damaged", metadata: ["path": "\(fault.path)", "fault": "\(fault.detail)"])
  }

  private func absentStep(_ step: String, of folder: ModelFolder) throws -> Problem {
    let kept = try folder.keptSteps().map(String.init).joined(separator: ", ")
    let those = kept.isEmpty ? "none is kept yet" : "kept are \(kept)"
    return Problem(.notFound, "no checkpoint of step \(step.prefix(60)) is kept; \(those)")
  }
}

extension QueryReader {
  /// Which of a model's checkpoints is meant; nil for the one that the model is.
  func step() -> Int? { integer("step", in: 0...Int.max) }
}

/// What is told of a model's checkpoints.
private struct Checkpoints {
  let id: String
  let folder: ModelFolder

  init(of model: RecordedModel, in data: DataFolder) {
    id = model.record.id
    folder = ModelFolder(path: data.modelFolder(model.record.id))
  }

  /// Nil where training has just removed it.
  func view(step: Int) throws -> JSONValue? {
    guard let checkpoint = folder.checkpoint(step: step), let bytes = try? ServedFile(opening: checkpoint.path).count else { return nil }
    // What the state says of them can't be told where it is damaged.
    let state = try? folder.state()
    // One that is damaged is listed all the same, without what it can't tell.
    let head = try? CheckpointHead(path: checkpoint.path)
    return [
      "step": .integer(step), "epoch": JSONValue(head?.epoch), "validation_nats": JSONValue(head?.validationNats), "bytes": .integer(bytes),
      "kept": true, "pinned": .bool(try folder.pinnedSteps().contains(step)), "newest": .bool(state?.newestStep == step),
      "best": .bool(state?.bestStep == step), "current": .bool(state?.step == step),
      "links": ["samples": "/v1/models/\(id)/samples?step=\(step)", "weights": "/v1/models/\(id)/weights.safetensors?step=\(step)"],
    ]
  }
}
