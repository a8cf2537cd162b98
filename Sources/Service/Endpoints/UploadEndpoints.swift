import Datasets
import Files
import Foundation
import HTTP
import HTTPTypes
import JSON
import Jobs

/// Uploads that go on where they broke off: `PUT` with `Content-Range`, as `curl -C N -T FILE` sends it, or tus 1.0. When all of one is
/// there it becomes a dataset, and the upload is gone.
extension FountService {
  func beginUpload(_ request: Request) throws -> Response {
    try Tus.check(request)
    let query = QueryReader(request, adding: try Self.metadata(of: request))
    let (name, options) = (query.name(), query.decodeOptions())
    try query.finish()
    let length = try Tus.bytes(.uploadLength, of: request, most: configuration.bodyBytesMax)
    // The fields are part of what is asked: a tus client says all in them.
    let asked = [HTTPField.Name.uploadLength, .uploadMetadata, .reprDigest].map { request.headers[$0] ?? "" }.joined(separator: "\n")
    let keyed = try KeyedRequest(request, body: SHA256.of(Array(asked.utf8)))
    let plan = PartialUpload.Plan(
      owner: request.head.principal, name: name, options: options, length: length, digest: request.headers[.reprDigest])
    // As it was told when it began, whatever has come since.
    func answer(_ kept: KeptAnswer, isRepeated: Bool) -> Response {
      var response = Response(kept, isRepeated: isRepeated)
      for field in PartialUpload(id: "", plan: plan, offset: 0).fields { response.headers[field.name] = field.value }
      return response
    }
    if let keyed, let kept = try record.answer(to: keyed) { return answer(kept, isRepeated: true) }
    try freeSpace.require(length ?? 0)
    let upload = try uploads.begin(plan)
    let made = KeptAnswer(status: .created, location: "/v1/uploads/\(upload.id)", body: upload.view.serializedBytes())
    guard let keyed, let earlier = try record.keep(made, to: keyed) else { return answer(made, isRepeated: false) }
    // Another with the same key was quicker.
    try uploads.remove(upload.id)
    return answer(earlier, isRepeated: true)
  }

  /// tus: `name d29ybGQ=,format Y3N2`, values in base64. Names that say nothing here are left out: clients send a file's type and the like.
  private static func metadata(of request: Request) throws(Problem) -> [(name: String, value: String)] {
    var found: [(name: String, value: String)] = []
    for pair in (request.headers[.uploadMetadata] ?? "").split(separator: ",") {
      let parts = pair.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
      guard let key = parts.first, parts.count <= 2 else {
        throw Problem(.badRequest, "Upload-Metadata must be names and base64, as in `name d29ybGQ=`; was \(pair.prefix(60))")
      }
      let name = key == "filename" ? "name" : key
      guard ["name", "format", "array", "labels", "resize"].contains(name), !found.contains(where: { $0.name == name }) else { continue }
      guard let value = Data(base64Encoded: parts.count == 2 ? parts[1] : "").flatMap({ String(data: $0, encoding: .utf8) }) else {
        throw Problem(.badRequest, "Upload-Metadata: \(key) must be UTF-8 in base64")
      }
      found.append((name, value))
    }
    return found
  }

  func describeUpload(_ request: Request) throws -> Response {
    try Tus.check(request)
    try QueryReader(request).finish()
    let upload = try uploads.upload(request.parameters["id"])
    return .json(upload.view, headers: upload.fields)
  }

  func endUpload(_ request: Request) throws -> Response {
    try Tus.check(request)
    try QueryReader(request).finish()
    let upload = try uploads.upload(request.parameters["id"])
    try uploads.remove(upload.id)
    return Response(status: .noContent, headers: [.tusResumable: Tus.version])
  }

  /// tus: the bytes from `Upload-Offset` on. 204 with how far it has come, and with the dataset's address when that was all.
  func patchUpload(_ request: Request, _ responder: Responder) {
    answerLater(request, responder, on: bulkThreads) { reply in
      try Tus.check(request)
      try QueryReader(request).finish()
      let upload = try self.uploads.upload(request.parameters["id"])
      guard request.headers[.contentType]?.lowercased() == "application/offset+octet-stream" else {
        throw Problem(.unsupportedMediaType, "Content-Type must be application/offset+octet-stream")
      }
      guard let offset = try Tus.bytes(.uploadOffset, of: request, most: .max) else {
        throw Problem(.badRequest, "Upload-Offset must say where the part begins")
      }
      let (file, bytes) = Self.part(of: request)
      let come = try self.append(file, bytes: bytes, at: offset, to: upload)
      guard come.offset == come.plan.length else { return reply(.success(Response(status: .noContent, headers: come.fields))) }
      try self.complete(come, request, reply) { answer in
        Response(status: .noContent, headers: come.fields.adding(.location, answer.headers[.location] ?? ""))
      }
    }
  }

  /// The bytes that `Content-Range` says, or the file as a whole. 308 with how far it has come, or 201 with the dataset.
  func putUpload(_ request: Request, _ responder: Responder) {
    answerLater(request, responder, on: bulkThreads) { reply in
      try QueryReader(request).finish()
      var upload = try self.uploads.upload(request.parameters["id"])
      let (file, bytes) = Self.part(of: request)
      let range = try Self.contentRange(of: request)
      guard bytes > 0 || range != nil else { throw Problem.unprocessable([Fault(pointer: "", detail: "the body is empty")]) }
      if let length = range == nil ? bytes : range?.length {
        guard length <= self.configuration.bodyBytesMax else {
          throw Problem(.contentTooLarge, "at most \(self.configuration.bodyBytesMax) bytes are allowed; the upload has \(length)")
        }
        try self.uploads.setLength(length, of: upload.id)
      }
      if let range = range?.range {
        guard range.count == bytes else {
          throw Problem(.badRequest, "Content-Range says \(range.count) bytes, and the body has \(bytes)", headers: upload.fields)
        }
        upload = try self.append(file, bytes: bytes, at: range.lowerBound, to: upload)
      } else if range == nil {
        upload = try self.append(file, bytes: bytes, at: 0, to: upload, startsOver: true)
      }
      upload = try self.uploads.upload(upload.id)
      guard upload.offset == upload.plan.length else {
        return reply(.success(.json(upload.view, status: .permanentRedirect, headers: upload.fields)))
      }
      try self.complete(upload, request, reply) { $0 }
    }
  }

  private static func contentRange(of request: Request) throws(Problem) -> ContentRange? {
    guard let text = request.headers[.contentRange] else { return nil }
    guard let range = ContentRange(text) else {
      throw Problem(.badRequest, "Content-Range must be as in `bytes 100-199/1000` or `bytes */1000`; was \(text.prefix(60))")
    }
    return range
  }

  private static func part(of request: Request) -> (file: String?, bytes: Int) {
    if case .file(let path, let count) = request.body { return (path, count) }
    return (nil, 0)
  }

  private func append(
    _ file: String?, bytes: Int, at offset: Int, to upload: PartialUpload, startsOver: Bool = false
  ) throws -> PartialUpload {
    let end = offset.addingReportingOverflow(bytes)
    guard !end.overflow, end.partialValue <= upload.plan.length ?? configuration.bodyBytesMax else {
      let most = upload.plan.length ?? configuration.bodyBytesMax
      throw Problem(
        .contentTooLarge, "the part from byte \(offset) has \(bytes) bytes; the upload has at most \(most)", headers: upload.fields)
    }
    guard let file else {
      guard offset == upload.offset else { throw upload.conflict(at: offset) }
      return upload
    }
    return try uploads.append(file, bytes: bytes, at: offset, to: upload.id, startsOver: startsOver)
  }

  /// A body that ended before its end: what has come of it is kept. Called on the shard, where a rename is all that is done.
  func keepPart(of request: Request) {
    guard let id = request.parameters["id"], case .file(let path, let bytes) = request.body, bytes > 0,
      let start = request.method == .patch ? request.headers[.uploadOffset].flatMap({ Int($0) }) : Self.start(of: request),
      let kept = uploads.pathOfCutPart(of: id), (try? FileManager.default.moveItem(atPath: path, toPath: kept)) != nil
    else { return }
    let isTaken = bulkThreads.submit {
      do {
        let upload = try self.uploads.upload(id)
        _ = try self.append(kept, bytes: bytes, at: start, to: upload)
      } catch {
        self.logger.notice("a part that was cut off is dropped", metadata: ["upload": "\(id)", "error": "\(error)"])
        try? Disk.removeTree(kept)  // What stays goes with its upload.
      }
    }
    if !isTaken { logger.notice("a part that was cut off is dropped: too much waits", metadata: ["upload": "\(id)"]) }
  }

  private static func start(of request: Request) -> Int? {
    guard let range = try? contentRange(of: request) else { return request.headers[.contentRange] == nil ? 0 : nil }
    return range.range?.lowerBound
  }

  /// All bytes are there. What the decoder refuses will not get better: the upload goes with its dataset, or with its refusal.
  private func complete(
    _ upload: PartialUpload, _ request: Request, _ reply: @escaping Reply, answer: @escaping @Sendable (Response) -> Response
  ) throws {
    let bytes = UploadedBytes(
      path: try uploads.claimWhole(upload.id), count: upload.offset, name: upload.plan.name, options: upload.plan.options,
      reprDigest: request.headers[.reprDigest] ?? upload.plan.digest)
    let finish: Reply = { result in
      do {
        let response = try result.get()
        try self.uploads.remove(upload.id, isClaimer: true)
        reply(.success(answer(response)))
      } catch {
        if let problem = error as? Problem, problem.status.kind == .clientError {
          do { try self.uploads.remove(upload.id, isClaimer: true) } catch { self.logger.warning("an upload stays: \(error)") }
        } else {
          self.uploads.release(upload.id)
        }
        reply(.failure(error))
      }
    }
    do { try addDataset(bytes, request, isKeyed: false, finish) } catch { finish(.failure(error)) }
  }
}

extension HTTPFields {
  fileprivate func adding(_ name: HTTPField.Name, _ value: String) -> HTTPFields {
    var fields = self
    fields[name] = value
    return fields
  }
}
