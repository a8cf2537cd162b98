import HTTP
import HTTPTypes
import JSON

/// One endpoint as `openapi.json` tells it: a method on a path, what it takes and what it answers. Tests hold it to what the server does.
struct DescribedOperation {
  enum Tag: String, CaseIterable {
    case datasets, uploads, families, jobs, models, server

    var summary: String {
      switch self {
      case .datasets: "Immutable examples of one shape."
      case .uploads: "Uploads that go on where they broke off: PUT with Content-Range, or tus 1.0."
      case .families: "What can be trained."
      case .jobs: "Units of work: training and evaluation."
      case .models: "What training jobs make, and what can be done with it."
      case .server: "What an operator's tools ask."
      }
    }
  }

  let method: HTTPRequest.Method
  let path: String
  let id: String
  let tag: Tag
  let summary: String
  /// More than a line, as CommonMark.
  var notes = ""
  /// Of the query and of the header; those of the path follow from it.
  var parameters: [DescribedParameter] = []
  var body: DescribedBody?
  var answers: [DescribedAnswer]
  /// Statuses of refusals beside those that any operation may answer, with what they mean here.
  var refusals: [Int: String] = [:]
  /// Fields that refusals may carry, too.
  var refusalHeaders: [DescribedHeader] = []

  init(
    _ method: HTTPRequest.Method, _ path: String, _ id: String, _ tag: Tag, _ summary: String, notes: String = "",
    parameters: [DescribedParameter] = [], body: DescribedBody? = nil, answers: [DescribedAnswer], refusals: [Int: String] = [:]
  ) {
    (self.method, self.path, self.id, self.tag, self.summary, self.notes) = (method, path, id, tag, summary, notes)
    (self.parameters, self.body, self.answers, self.refusals) = (parameters, body, answers, refusals)
  }

  /// The names between braces, in the order of the path.
  var pathParameters: [String] {
    path.split(separator: "/").compactMap { segment in
      guard segment.hasPrefix("{"), let end = segment.firstIndex(of: "}") else { return nil }
      return String(segment[segment.index(after: segment.startIndex)..<end])
    }
  }

  /// What a key needs to be for, where there are keys.
  var scope: AccessScope? { AccessScope.needed(by: RequestHead(method: method, path: path)) }
}

struct DescribedParameter {
  enum Place: String {
    case query, header
  }

  let name: String
  var place = Place.query
  let schema: JSONValue
  let description: String
  var isRequired = false

  init(_ name: String, _ schema: JSONValue, _ description: String) {
    (self.name, self.schema, self.description) = (name, schema, description)
  }

  static func header(_ name: HTTPField.Name, _ schema: JSONValue, _ description: String, isRequired: Bool = false) -> DescribedParameter {
    var parameter = DescribedParameter(name.rawName, schema, description)
    (parameter.place, parameter.isRequired) = (.header, isRequired)
    return parameter
  }
}

struct DescribedBody {
  let description: String
  var isRequired = true
  /// Media types with their schemas; one without a schema is bytes as they are.
  let content: [(type: String, schema: JSONValue?)]
  /// By name, of the first media type.
  var examples: [(name: String, value: JSONValue)] = []

  static func json(_ schema: JSONValue, _ description: String, isRequired: Bool = true, examples: [(String, JSONValue)] = [])
    -> DescribedBody
  {
    DescribedBody(
      description: description, isRequired: isRequired, content: [("application/json", schema)],
      examples: examples.map { (name: $0.0, value: $0.1) })
  }

  /// A file as the whole body, or as the part `file` of a form.
  static func file(_ description: String) -> DescribedBody {
    let form = Schema.object(["file": ["type": "string", "contentMediaType": "application/octet-stream"]])
    return DescribedBody(description: description, content: [("application/octet-stream", nil), ("multipart/form-data", form)])
  }
}

/// An answer that is no refusal.
struct DescribedAnswer {
  let status: Int
  let description: String
  var content: [(type: String, schema: JSONValue?)] = []
  var headers: [DescribedHeader] = []
  /// Names among the document's links.
  var links: [DescribedLink] = []

  init(
    _ status: Int, _ description: String, _ content: [(type: String, schema: JSONValue?)] = [], headers: [DescribedHeader] = [],
    links: [DescribedLink] = []
  ) {
    (self.status, self.description, self.content, self.headers, self.links) = (status, description, content, headers, links)
  }

  static func json(
    _ description: String, _ schema: JSONValue, headers: [DescribedHeader] = [], links: [DescribedLink] = []
  ) -> DescribedAnswer {
    json(200, description, schema, headers: headers, links: links)
  }

  static func json(
    _ status: Int, _ description: String, _ schema: JSONValue, headers: [DescribedHeader] = [], links: [DescribedLink] = []
  ) -> DescribedAnswer {
    DescribedAnswer(status, description, [("application/json", schema)], headers: headers, links: links)
  }

  static let png: (type: String, schema: JSONValue?) = ("image/png", nil)
  static let npy: (type: String, schema: JSONValue?) = ("application/x-npy", nil)
}

/// A field of an answer.
struct DescribedHeader {
  let name: String
  let schema: JSONValue
  let description: String
  var isAlways = true

  init(_ name: HTTPField.Name, _ schema: JSONValue, _ description: String, isAlways: Bool = true) {
    (self.name, self.schema, self.description, self.isAlways) = (name.rawName, schema, description, isAlways)
  }
}

/// What can be asked next with what an answer tells.
struct DescribedLink {
  let operation: String
  /// Path parameters, by where the answer has their values.
  var parameters: [(name: String, from: String)] = []
  var body: JSONValue?

  /// Operations on the thing whose id the answer's body has at `pointer`.
  static func to(_ operations: [String], idAt pointer: String = "/id") -> [DescribedLink] {
    operations.map { DescribedLink(operation: $0, parameters: [("id", "$response.body#\(pointer)")]) }
  }
}
