import HTTP
import HTTPTypes
import JSON

/// The refusals that operations share: which of them an operation may answer follows from what it takes.
enum Refusals {
  private struct Refusal {
    let name: String
    let meaning: String
    var headers: [DescribedHeader] = []
  }

  private static let retry = DescribedHeader(.retryAfter, Schema.integer(0...86_400), "Seconds until it is worth asking again.")

  private static let all: [Int: Refusal] = [
    400: Refusal(name: "Malformed", meaning: "Not HTTP, not JSON, or a query parameter that is unknown or wrong."),
    401: Refusal(
      name: "KeyNeeded", meaning: "This server has keys, and the request has none, or an unknown one.",
      headers: [DescribedHeader(.wwwAuthenticate, Schema.text, "What is needed (RFC 6750).")]),
    403: Refusal(
      name: "Forbidden", meaning: "The key's scope does not open this; or, without keys, a foreign page asks.",
      headers: [DescribedHeader(.wwwAuthenticate, Schema.text, "The scope that is needed.", isAlways: false)]),
    404: Refusal(name: "NotFound", meaning: "There is no such thing."),
    406: Refusal(name: "NotAcceptable", meaning: "It is not given in a form that Accept allows."),
    408: Refusal(name: "TooSlow", meaning: "The request came too slowly."),
    409: Refusal(name: "Conflict", meaning: "The state of things does not allow it.", headers: [optional(retry)]),
    411: Refusal(name: "LengthNeeded", meaning: "A body is needed, by Content-Length or chunked."),
    412: Refusal(
      name: "WrongVersion", meaning: "Tus-Resumable names a version that is not spoken.",
      headers: [DescribedHeader(.tusVersion, Schema.text, "The version that is.")]),
    413: Refusal(name: "TooLarge", meaning: "The body is longer than is taken here."),
    414: Refusal(name: "TargetTooLong", meaning: "The path and query are too long."),
    415: Refusal(name: "WrongType", meaning: "The body's type is not one that is read here."),
    416: Refusal(
      name: "NoSuchRange", meaning: "None of the range is there.",
      headers: [DescribedHeader(.contentRange, Schema.text, "How long it is.", isAlways: false)]),
    417: Refusal(name: "ExpectationFailed", meaning: "Expect asks for more than 100-continue."),
    421: Refusal(name: "ForeignHost", meaning: "A server without keys answers to this machine's names alone."),
    422: Refusal(name: "Impossible", meaning: "Well-formed, and can't be done; `errors` names every fault."),
    429: Refusal(name: "TooMany", meaning: "More requests, or more waiting jobs, than a key may have.", headers: [retry]),
    431: Refusal(name: "HeadTooLarge", meaning: "The fields are too many or too long."),
    500: Refusal(name: "Failed", meaning: "The server's fault; its log has the reason under `request_id`."),
    503: Refusal(name: "Unavailable", meaning: "The server is full, starting or leaving.", headers: [optional(retry)]),
    507: Refusal(name: "Full", meaning: "There is no room for it.", headers: [optional(retry)]),
  ]

  private static func optional(_ header: DescribedHeader) -> DescribedHeader {
    var header = header
    header.isAlways = false
    return header
  }

  /// Sorted; those of any request, those that follow from path, body and forms, and the operation's own.
  static func statuses(of operation: DescribedOperation) -> [Int] {
    var statuses: Set = [400, 403, 408, 413, 414, 417, 421, 429, 431, 500, 503]
    if operation.scope != nil { statuses.insert(401) }
    if operation.method != .get { statuses.insert(507) }
    if operation.path.contains("{") { statuses.insert(404) }
    if operation.answers.contains(where: { $0.status == 200 && $0.content.count > 1 }) { statuses.insert(406) }
    if let body = operation.body {
      statuses.formUnion([411, 422])
      if body.content.contains(where: { $0.type == "multipart/form-data" }) { statuses.insert(415) }
    }
    return statuses.union(operation.refusals.keys).sorted()
  }

  /// A response of the document's, or one with words of its own.
  static func response(_ status: Int, of operation: DescribedOperation) -> JSONValue {
    guard var refusal = all[status] else { preconditionFailure("the status \(status) has no words") }
    let meaning = operation.refusals[status]
    if meaning == nil, operation.refusalHeaders.isEmpty { return ["$ref": .string("#/components/responses/\(refusal.name)")] }
    refusal.headers += operation.refusalHeaders.map(optional)
    return json(refusal, meaning: meaning ?? refusal.meaning)
  }

  static var responses: JSONObject {
    var responses = JSONObject()
    for (_, refusal) in all.sorted(by: { $0.key < $1.key }) { responses[refusal.name] = json(refusal, meaning: refusal.meaning) }
    return responses
  }

  private static func json(_ refusal: Refusal, meaning: String) -> JSONValue {
    var headers = headersOfAll
    for header in refusal.headers { headers[header.name] = header.json }
    return [
      "description": .string(meaning), "headers": .object(headers),
      "content": ["application/problem+json": ["schema": Schema.named("Problem")]],
    ]
  }

  // MARK: Fields of every answer

  private static let everywhere = [
    DescribedHeader(.requestID, Schema.text, "The request's name in the server's log."),
    DescribedHeader(.contentTypeOptions, Schema.constant("nosniff"), "A browser is to take the type as it is told."),
    DescribedHeader(.rateLimit, Schema.text, "To a key: what it has left.", isAlways: false),
    DescribedHeader(.rateLimitPolicy, Schema.text, "To a key: what it may do.", isAlways: false),
  ]

  static var headers: JSONObject {
    var headers = JSONObject()
    for header in everywhere { headers[header.name] = header.json }
    return headers
  }

  static var headersOfAll: JSONObject {
    var headers = JSONObject()
    for header in everywhere { headers[header.name] = ["$ref": .string("#/components/headers/\(header.name)")] }
    return headers
  }
}

extension HTTPField.Name {
  static let requestID = constant("X-Request-Id")
}
