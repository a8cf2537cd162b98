import Datasets
import HTTP
import HTTPTypes
import JSON

/// An upload that comes in parts, as far as it has come.
struct PartialUpload: Sendable {
  let id: String
  let plan: Plan
  /// The bytes that are there, from 0 on.
  var offset: Int

  /// What the client said when it began.
  struct Plan: Sendable {
    /// Whose upload it is: the key's; the empty one where there are no keys.
    var owner = ""
    var name: String?
    var options: DecodeOptions
    /// The bytes in all; nil until it is said.
    var length: Int?
    /// The field Repr-Digest.
    var digest: String?
  }

  func conflict(at asked: Int) -> Problem {
    Problem(.conflict, "the upload has come to byte \(offset), and the part begins at byte \(asked)", headers: fields)
  }

  /// What every answer about the upload carries: tus 1.0 calls it so.
  var fields: HTTPFields {
    var fields: HTTPFields = [.tusResumable: Tus.version, .uploadOffset: String(offset), .cacheControl: "no-store"]
    if let length = plan.length { fields[.uploadLength] = String(length) }
    // As clients of Content-Range know it: what is there, first and last byte.
    if offset > 0 { fields[.range] = "bytes=0-\(offset - 1)" }
    return fields
  }

  var view: JSONValue {
    [
      "id": .string(id), "name": JSONValue(plan.name), "offset": .integer(offset), "length": JSONValue(plan.length),
      "links": ["self": "/v1/uploads/\(id)"],
    ]
  }
}

extension PartialUpload.Plan {
  var json: JSONValue {
    [
      "owner": .string(owner), "name": JSONValue(name), "length": JSONValue(length), "digest": JSONValue(digest),
      "format": JSONValue(options.format?.rawValue),
      "array": JSONValue(options.array), "labels": JSONValue(options.labels), "resize": JSONValue(options.resize?.text),
    ]
  }

  /// What `json` wrote.
  init(json: JSONValue) {
    var options = DecodeOptions()
    options.format = json["format"]?.string.flatMap(UploadFormat.init)
    options.array = json["array"]?.string
    options.labels = json["labels"]?.string
    options.resize = json["resize"]?.string.flatMap(DecodeOptions.Sides.init)
    self.init(
      owner: json["owner"]?.string ?? "", name: json["name"]?.string, options: options, length: json["length"]?.integer,
      digest: json["digest"]?.string)
  }
}

/// The tus resumable upload protocol (tus.io, version 1.0.0), as far as it is spoken here: its core, and the extensions creation and
/// termination.
enum Tus {
  static let version = "1.0.0"

  /// A request that speaks another version is refused with 412, as the protocol asks.
  static func check(_ request: Request) throws(Problem) {
    guard let asked = request.headers[.tusResumable], asked != version else { return }
    throw Problem(.preconditionFailed, "Tus-Resumable must be \(version); was \(asked.prefix(40))", headers: [.tusVersion: version])
  }

  /// A field of bytes, such as `Upload-Length: 100`; nil where it is absent.
  static func bytes(_ name: HTTPField.Name, of request: Request, most: Int) throws(Problem) -> Int? {
    guard let text = request.headers[name] else { return nil }
    guard let value = Int(text), value >= 0, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw Problem(.badRequest, "\(name.rawName) must be a whole number of 0 or more; was \(text.prefix(40))")
    }
    guard value <= most else { throw Problem(.contentTooLarge, "\(name.rawName) is \(value); at most \(most) bytes are allowed") }
    return value
  }
}

/// RFC 9110 §14.4: `Content-Range: bytes 100-199/1000`, its last number `*` where it is not known; `bytes */1000` asks how much is there.
struct ContentRange: Equatable {
  /// Nil in `bytes */1000`.
  let range: Range<Int>?
  let length: Int?

  init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    func number(_ text: Substring) -> Int? { text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil }
    length = number(parts[1])
    guard length != nil || parts[1] == "*" else { return nil }
    if parts[0] == "*" {
      range = nil
      return
    }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map(number)
    guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, last < length ?? .max else { return nil }
    range = first..<last + 1
  }
}

extension HTTPField.Name {
  static let tusResumable = constant("Tus-Resumable")
  static let tusVersion = constant("Tus-Version")
  static let uploadOffset = constant("Upload-Offset")
  static let uploadLength = constant("Upload-Length")
  static let uploadMetadata = constant("Upload-Metadata")
}
