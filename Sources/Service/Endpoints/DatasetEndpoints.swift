import Datasets
import Files
import Foundation
import HTTP
import HTTPTypes
import JSON
import Jobs
import Training

/// Datasets: uploaded once, immutable, known by their contents.
extension FountService {
  /// Streams have ended: the body lies in a file. It is hashed, decoded in a child, and adopted; then it is a dataset.
  func uploadDataset(_ request: Request, _ responder: Responder) {
    answerLater(request, responder, on: bulkThreads) { reply in
      let query = QueryReader(request)
      let (name, options) = (query.name(), query.decodeOptions())
      try query.finish()
      let file = try Self.examples(in: request)
      let bytes = UploadedBytes(path: file.path, count: file.bytes, name: name, options: options, reprDigest: request.headers[.reprDigest])
      try self.addDataset(bytes, request, isKeyed: true, reply)
    }
  }

  /// A file of examples on the server's disk, and what the client said of it.
  struct UploadedBytes {
    let path: String
    let count: Int
    let name: String?
    let options: DecodeOptions
    /// The field Repr-Digest, nil where none was given.
    let reprDigest: String?
  }

  /// Makes a dataset of a file, which stays until the reply.
  /// - Parameter isKeyed: whether an Idempotency-Key of the request stands for this dataset.
  func addDataset(_ bytes: UploadedBytes, _ request: Request, isKeyed: Bool, _ reply: @escaping Reply) throws {
    let digest = try SHA256.of(file: bytes.path)
    try Self.check(bytes.reprDigest, against: digest)
    let id = Self.datasetID(upload: digest, bytes.options)
    let keyed = isKeyed ? try KeyedRequest(request, body: digest) : nil
    if let keyed, let kept = try record.answer(to: keyed) { return reply(.success(Response(kept, isRepeated: true))) }
    if let answer = try answerKnown(id, once: keyed) { return reply(.success(answer)) }
    try freeSpace.require(bytes.count)
    let upload = Upload(id: id, name: bytes.name, digest: digest, bytes: bytes.count)
    decoders.decode(bytes.path, into: "\(folder.incoming)/\(request.id)", bytes.options) { result in
      self.work(reply, on: self.bulkThreads) { try self.adopt(try result.get(), of: upload, once: keyed) }
    }
  }

  /// The file of examples that a request brings.
  static func examples(in request: Request) throws(Problem) -> UploadedFile {
    try UploadedFile(in: request, needed: "a file of examples is needed")
  }

  /// A dataset is its bytes and how they were decoded: the same upload is the same dataset, here and on every server.
  private static func datasetID(upload: Digest, _ options: DecodeOptions) -> String {
    var identity: [JSONValue] = [.string(upload.hex), .integer(decodingVersion)]
    identity += options.arguments.map { .string($0) }
    return Identifier.derived(prefix: "ds", from: SHA256.of(JSONValue.array(identity).serializedBytes()))
  }

  /// Changes when the same bytes would decode to other examples.
  private static let decodingVersion = 2

  /// What the record tells of an upload beside its examples.
  private struct Upload {
    let id: String
    let name: String?
    let digest: Digest
    let bytes: Int
  }

  /// The blob first, then the row that names it: a dataset that is there can be read.
  private func adopt(_ decoded: DecodedUpload, of upload: Upload, once keyed: KeyedRequest?) throws -> Response {
    let description = try decoded.description()
    let digest = try SHA256.of(file: decoded.examples)
    let dataset = DatasetRecord(
      id: upload.id, name: upload.name, uploadDigest: upload.digest.hex, blobDigest: digest.hex,
      blobBytes: try Disk.status(of: decoded.examples)?.bytes ?? 0, bytes: upload.bytes, description: description.json)
    try freeSpace.require()
    // Here, and not while everybody waits for the blobs.
    try Disk.sync(decoded.examples)
    return try blobs.changing { store in
      do {
        try store.adopt(decoded.examples, digest: digest)
        return try insert(dataset, once: keyed)
      } catch {
        removeUnreferenced(digest, from: store)
        throw error
      }
    }
  }

  private func insert(_ dataset: DatasetRecord, once keyed: KeyedRequest?) throws -> Response {
    let (answer, isRepeated) = try record.insertDataset(
      dataset, bytesMax: configuration.datasetsBytesMax, once: keyed, answer: Self.created)
    return Response(answer, isRepeated: isRepeated)
  }

  private static func created(_ dataset: DatasetRecord, _ insertion: Record.Insertion) -> KeptAnswer {
    KeptAnswer(
      status: insertion == .new ? .created : .ok, location: "/v1/datasets/\(dataset.id)", body: dataset.view.serializedBytes())
  }

  /// Nil for a dataset that is new, or whose blob is lost: such an upload brings it back.
  private func answerKnown(_ id: String, once keyed: KeyedRequest?) throws -> Response? {
    try blobs.changing { store in
      guard let known = try record.dataset(id), let digest = Digest(hex: known.blobDigest), store.contains(digest) else { return nil }
      return try insert(known, once: keyed)
    }
  }

  /// RFC 9530: `Repr-Digest: sha-256=:BASE64:`. Other algorithms in it are left aside.
  private static func check(_ field: String?, against digest: Digest) throws(Problem) {
    for member in (field ?? "").split(separator: ",") {
      let parts = member.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2, parts[0].lowercased() == "sha-256" else { continue }
      let wanted = Data(base64Encoded: parts[1].trimmingCharacters(in: [":"])).map { Array($0) }
      guard let wanted else { throw Problem(.badRequest, "Repr-Digest: sha-256 must be base64 between colons; was \(parts[1])") }
      guard wanted == digest.bytes else {
        throw Problem(.badRequest, "Repr-Digest does not match: the body's sha-256 is \(digest.hex)")
      }
    }
  }

  func listDatasets(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let (limit, after) = query.page()
    try query.finish()
    return .page(try record.datasets(limit: limit, after: after), of: request) { $0.view }
  }

  func describeDataset(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    return .json(try dataset(named: request.parameters["id"]).view)
  }

  /// A grid of examples, as they lie in the file.
  func previewDataset(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let picture = self.pictureParameters(query)
      try query.finish()
      let dataset = try self.dataset(named: request.parameters["id"])
      let preview = SamplerRequest.Preview(
        dataset: try self.file(of: dataset), count: picture.count, columns: picture.columns, scale: picture.scale)
      self.ask(.preview(preview), responder, reply) { Response(sampled: $0, headers: [.cacheControl: "private, max-age=3600"]) }
    }
  }

  func dataset(named id: String?) throws -> DatasetRecord {
    guard let id, let dataset = try record.dataset(id) else { throw Problem.notFound("dataset", id ?? "") }
    return dataset
  }

  func file(of dataset: DatasetRecord) throws -> DatasetFile { try DatasetFile(dataset, in: folder) }
}

extension DatasetFile {
  /// The decoded examples of a dataset in the record.
  init(_ dataset: DatasetRecord, in folder: DataFolder) throws {
    guard let digest = Digest(hex: dataset.blobDigest), let description = DatasetDescription(json: dataset.description) else {
      throw RecordError.damagedRow(table: "datasets", id: dataset.id, detail: "blob_digest or description")
    }
    self.init(path: folder.blobs.path(of: digest), description: description)
  }
}

extension DatasetRecord {
  /// The dataset as the interface tells it.
  fileprivate var view: JSONValue {
    var view: JSONObject = ["id": .string(id), "name": JSONValue(name)]
    for (key, value) in description.object ?? [:] { view[key] = value }
    view["bytes"] = .integer(bytes)
    view["sha256"] = .string(uploadDigest)
    view["created_at"] = createdAt.rfc3339
    view["links"] = ["self": "/v1/datasets/\(id)", "preview": "/v1/datasets/\(id)/preview.png"]
    return .object(view)
  }
}

extension QueryReader {
  /// What a client calls what it makes.
  func name() -> String? {
    let name = string("name")
    if let name, name.utf8.count > 200 { fault("name", "must be at most 200 bytes; was \(name.utf8.count)") }
    return name
  }

  /// What a client says of the examples that it sends: `format`, `array`, `labels` and `resize`.
  func decodeOptions() -> DecodeOptions {
    var options = DecodeOptions()
    options.format = string("format", oneOf: UploadFormat.allCases.map(\.rawValue)).flatMap(UploadFormat.init)
    for (name, option) in [("array", \DecodeOptions.array), ("labels", \.labels)] {
      let value = string(name)
      if let value, !(1...200).contains(value.utf8.count) || value.utf8.contains(0) {
        fault(name, "must be a name of 1 to 200 bytes; has \(value.utf8.count)")
      }
      options[keyPath: option] = value
    }
    if let text = string("resize") {
      options.resize = DecodeOptions.Sides(text)
      if options.resize == nil { fault("resize", "must be HEIGHTxWIDTH, each 1 to 4096, as in 28x28; was \(text.prefix(60))") }
    }
    return options
  }
}

extension HTTPField.Name {
  static let reprDigest = constant("Repr-Digest")
  static let link = constant("Link")
  static let prefer = constant("Prefer")
  static let preferenceApplied = constant("Preference-Applied")
  static let lastEventID = constant("Last-Event-ID")
  static let accelBuffering = constant("X-Accel-Buffering")

  /// A name that is written in this program; one that is no token would be a typo here.
  static func constant(_ name: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no field name") }
    return name
  }
}
