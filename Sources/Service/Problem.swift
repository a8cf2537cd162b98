import HTTP
import HTTPTypes
import JSON

/// An answer that tells what is wrong: problem details (RFC 9457), with every fault of the request named at once.
struct Problem: Error {
  let status: HTTPResponse.Status
  let detail: String
  var faults: [Fault] = []
  /// What `faults` point at: `pointer` into the body, or `parameter` of the query.
  var place = "pointer"
  var headers: HTTPFields = [:]

  init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
    self.status = status
    self.detail = detail
    self.headers = headers
  }

  /// A well-formed body that can't be done.
  static func unprocessable(_ faults: [Fault]) -> Problem {
    var problem = Problem(.unprocessableContent, summary(faults, "field"))
    problem.faults = faults
    return problem
  }

  static func badQuery(_ faults: [Fault]) -> Problem {
    var problem = Problem(.badRequest, summary(faults, "query parameter"))
    problem.faults = faults
    problem.place = "parameter"
    return problem
  }

  static func notFound(_ noun: String, _ id: String) -> Problem { Problem(.notFound, "there is no \(noun) \(id)") }

  private static func summary(_ faults: [Fault], _ noun: String) -> String {
    guard let first = faults.first, faults.count == 1 else {
      return "\(faults.count)\(faults.count < Faults.countMax ? "" : " or more") \(noun)s are wrong"
    }
    return "\(first.pointer.isEmpty ? "the body" : first.pointer): \(first.detail)"
  }

  /// - Parameter instance: the path that was asked for; empty, it is left out.
  func response(instance: String, requestID: String) -> Response {
    var body: JSONObject = [
      "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(status.code), "detail": .string(detail),
    ]
    if !instance.isEmpty { body["instance"] = .string(instance) }
    body["request_id"] = .string(requestID)
    if !faults.isEmpty {
      body["errors"] = .array(faults.map { .object([place: .string($0.pointer), "detail": .string($0.detail)]) })
    }
    var headers = headers
    headers[.contentType] = "application/problem+json"
    return Response(status: status, headers: headers, body: .bytes(JSONValue.object(body).serializedBytes() + [0x0A]))
  }
}

extension HTTPResponse.Status {
  /// RFC 4918 §11.5.
  static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}
