import Files
import HTTP
import HTTPTypes
import JSON
import Jobs
import Models
import Training

/// Models as files: one that is sent away, and one that comes back, here or on another server.
extension FountService {
  /// The checkpoint as it lies on disk: weights, and in its metadata the family, configuration, shape and seed.
  func exportWeights(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let step = query.step()
    try query.finish()
    let model = try model(named: request.parameters["id"])
    // While a job runs a newer checkpoint may take the place of the one that was found; then that one is sent.
    for _ in 0..<3 {
      let checkpoint = try checkpoint(of: model, step: step)
      guard let (file, head) = try opened(checkpoint) else { continue }
      var headers: HTTPFields = [
        .contentType: "application/octet-stream", .eTag: EntityTag.of(head.digest),
        .cacheControl: checkpoint.isFinal ? "private, max-age=31536000, immutable" : "private, no-cache",
        .contentDisposition: "attachment; filename=\"\(model.record.id)-\(checkpoint.step).safetensors\"",
      ]
      headers[.acceptRanges] = "bytes"
      let answer = Response.file(file, headers: headers, to: request)
      guard answer.status != .rangeNotSatisfiable else {
        throw Problem(.rangeNotSatisfiable, "the file has \(file.count) bytes, and none of the range", headers: answer.headers)
      }
      return answer
    }
    throw Problem(.serviceUnavailable, "the model's checkpoints change quickly; ask again", headers: [.retryAfter: "1"])
  }

  /// Nil where it has gone meanwhile.
  private func opened(_ checkpoint: ModelCheckpoint) throws -> (ServedFile, CheckpointHead)? {
    do {
      guard let file = try folder.openedFile(checkpoint.path) else { return nil }
      return (file, try CheckpointHead(path: checkpoint.path))
    } catch let error as CheckpointError where error.meansAbsent {
      return nil
    }
  }

  /// Of a file with room for all that is made of it: its bytes, its tensors, the model, and what is written.
  var importBytesMax: Int { min(configuration.bodyBytesMax, configuration.samplerMemoryBytesMax / 8) }

  /// A file that `weights.safetensors` gave becomes a model, which draws the same samples for the same seed. A sampler reads it, so that
  /// whatever a file does is done to that process.
  func importModel(_ request: Request, _ responder: Responder) {
    answerLater(request, responder, on: bulkThreads) { reply in
      try QueryReader(request).finish()
      let upload = try UploadedFile(in: request, needed: "a file of weights.safetensors is needed")
      let keyed = try KeyedRequest(request, body: try SHA256.of(file: upload.path))
      if let keyed, let kept = try self.record.answer(to: keyed) { return reply(.success(Response(kept, isRepeated: true))) }
      try self.freeSpace.require(upload.bytes)
      let id = Identifier.random(prefix: "mdl")
      let staged = StagedFolder("\(self.folder.incoming)/\(request.id)", logger: self.logger)
      let question = SamplerRequest.importing(.init(file: upload.path, folder: staged.path, model: id))
      let ticket = self.samplers.submit(question) { result in
        // The upload and what was made of it stay until all is moved.
        self.answer(request, responder) {
          try withExtendedLifetime((responder, staged)) { try self.adopt(try Self.checked(try result.get()), staged, as: id, once: keyed) }
        }
      }
      responder.onDisconnect { ticket.end(.clientGone) }
    }
  }

  /// The folder gets its place, and then its row: a crash between the two leaves a folder that nobody names.
  private func adopt(_ frame: SamplerFrame, _ staged: StagedFolder, as id: String, once keyed: KeyedRequest?) throws -> Response {
    let told = frame.header
    guard let family = told["family"]?.string, let step = told["step"]?.integer else {
      throw SamplerTold(what: told.serialized())
    }
    var description = JSONObject()
    for key in ["configuration", "seed", "preparation", "metrics"] { description[key] = told[key] }
    description["data"] = ["binarize": told["preparation"]?["binarize"] ?? .null]
    description["lineage"] = ["imported": ["model": told["model"] ?? .null, "step": .integer(step)]]
    let record = ModelRecord(id: id, job: nil, family: family, dataset: nil, description: .object(description), newestStep: step)
    try Disk.move(staged.path, to: folder.modelFolder(id))
    do {
      let (answer, isRepeated) = try self.record.insertModel(record, once: keyed) { kept in
        // A model without a job is told without another look into the record.
        let body = try view(of: RecordedModel(kept)).serializedBytes()
        return KeptAnswer(status: .created, location: "/v1/models/\(id)", body: body)
      }
      // An answer to the same request, sent twice at once, tells of the other one's model.
      if isRepeated { try Disk.removeTree(folder.modelFolder(id)) }
      return Response(answer, isRepeated: isRepeated)
    } catch {
      try Disk.removeTree(folder.modelFolder(id))
      throw error
    }
  }
}

/// A sampler answered what no sampler answers.
struct SamplerTold: Error, CustomStringConvertible {
  let what: String
  var description: String { "a sampler told of an import: \(what)" }
}
