import Files
import HTTP
import HTTPTypes
import JSON
import Jobs
import Training

/// `POST /v1/jobs/{id}/fork`.
extension FountService {
  func forkJob(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let bytes: [UInt8] = if case .bytes(let bytes) = request.body { bytes } else { Array("{}".utf8) }
    let keyed = try KeyedRequest(request, body: SHA256.of(bytes))
    if let keyed, let kept = try record.answer(to: keyed) { return Response(kept, isRepeated: true) }
    let parent = try job(named: request.parameters["id"])
    let body = try JSONValue(parsing: bytes)
    let model = Identifier.random(prefix: "mdl")
    let newFolder = folder.modelFolder(model)
    let answer: (response: Response, isRepeated: Bool)
    do {
      let origin = try takeOrigin(of: parent, step: try Self.step(in: body), into: newFolder)
      var (submission, made) = try jobPayload.fork(of: origin, body: body, model: model)
      submission.owner = request.head.principal
      answer = try submitted(submission, model: made, once: keyed)
    } catch {
      try Disk.removeTree(newFolder)
      throw error
    }
    // The fork is recorded now, and needs its folder. An answer to the same request, sent twice at once, tells of the other one's fork.
    if answer.isRepeated { try Disk.removeTree(newFolder) }
    return answer.response
  }

  private static func step(in body: JSONValue) throws(Problem) -> Int? {
    let faults = Faults()
    let step = FieldReader(body, faults: faults).integer("step", in: 0...Int.max)
    guard faults.isEmpty else { throw .unprocessable(faults.all) }
    return step
  }

  /// Gives the checkpoint a second name in the fork's folder. A running job replaces its newest one now and then: where it has just done
  /// so, the newer one is taken.
  private func takeOrigin(of parent: JobRecord, step: Int?, into newFolder: String) throws -> JobPayload.Origin {
    guard parent.kind == "train", let modelID = parent.model else {
      throw Problem(.conflict, "an evaluation has no checkpoint to go on from; fork a training job")
    }
    guard let model = try record.model(modelID) else {
      throw Problem(.conflict, "the model \(modelID) of this job has been deleted, and its checkpoints with it")
    }
    let source = ModelFolder(path: folder.modelFolder(modelID))
    try Disk.createFolders(newFolder)
    let path = "\(newFolder)/\(TrainingOrigin.fileName)"
    for _ in 0..<3 {
      let steps = try source.keptSteps()
      if steps.isEmpty {
        throw Problem(.conflict, "the job has no checkpoint yet; it is \(parent.status.rawValue)", headers: [.retryAfter: "5"])
      }
      if let step, !steps.contains(step) {
        let kept = steps.map(String.init).joined(separator: ", ")
        throw Problem.unprocessable([Fault(pointer: "/step", detail: "must be one of the steps that are kept, \(kept); was \(step)")])
      }
      if let taken = try soundOrigin(of: step.map { [$0] } ?? steps.reversed(), in: source, of: model, as: path) {
        return JobPayload.Origin(job: parent, model: model, step: taken, head: try CheckpointHead(path: path))
      }
    }
    throw Problem(.serviceUnavailable, "the job's checkpoints change quickly; ask again", headers: [.retryAfter: "1"])
  }

  /// Links the first sound checkpoint of these steps; nil where one has gone meanwhile, and throws where all are damaged.
  private func soundOrigin(of steps: [Int], in source: ModelFolder, of model: ModelRecord, as path: String) throws -> Int? {
    var fault: CheckpointError?
    for step in steps {
      guard let kept = source.checkpoint(step: step), try Self.isLinked(kept.path, as: path) else { return nil }
      do {
        try checkpoints.verify(path)
        return step
      } catch let error as CheckpointError {
        try Disk.removeTree(path)
        warn(ofDamage: .init(path: kept.path, detail: error.detail), to: model)
        fault = fault ?? error
      }
    }
    if let fault { throw fault }
    return nil
  }

  /// False where the file has gone.
  private static func isLinked(_ path: String, as name: String) throws -> Bool {
    do {
      try Disk.link(path, as: name)
      return true
    } catch {
      guard error.meansAbsent else { throw error }
      return false
    }
  }
}
