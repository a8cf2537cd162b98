import Foundation
import JSON
import Service

/// `openapi.json` as what every answer of every test is held to.
struct InterfaceDocument {
  let json: JSONValue

  /// Of a server with the default limits. Limits show in what is asked alone, and not in answers.
  static let preset: InterfaceDocument = {
    let configuration = ServiceConfiguration()
    let bytes = PublishedDocumentation(configuration).openAPI.bytes
    // One that is no JSON fails the tests of the document itself.
    return InterfaceDocument(json: (try? JSONValue(parsing: bytes)) ?? .null)
  }()

  struct Operation {
    let method: String
    let path: String
    let json: JSONValue

    /// Of the query.
    var queryParameters: [JSONValue] { (json["parameters"]?.array ?? []).filter { $0["in"] == "query" } }
    var name: String { json["operationId"]?.string ?? "\(method) \(path)" }
  }

  var operations: [Operation] {
    (json["paths"]?.object ?? [:]).flatMap { path, methods in
      (methods.object ?? [:]).map { Operation(method: $0.key.uppercased(), path: path, json: $0.value) }
    }
  }

  func schema(_ name: String) -> JSONValue { json["components"]?["schemas"]?[name] ?? false }

  // MARK: Answers

  /// What is wrong with an answer, by the document; empty where it is as it says.
  func faults(ofAnswer answer: Answer, to method: String, _ path: String) -> [String] {
    let isHead = method == "HEAD"
    let path = String(path.prefix { $0 != "?" })
    // OPTIONS is of the protocol, and so are refusals of methods and paths that are not there.
    guard method != "OPTIONS", let operation = operation(isHead ? "GET" : method, path), ![405, 501, 505].contains(answer.status) else {
      return answer.status < 400 || isHead ? [] : problemFaults(answer)
    }
    guard let told = operation.json["responses"]?[String(answer.status)] else { return ["\(answer.status) is not told of"] }
    let response = told["$ref"].map { SchemaValidation(document: json).resolved($0) } ?? told
    return headerFaults(answer, response) + (isHead ? [] : bodyFaults(answer, response))
  }

  /// The one whose path has the most literal segments, as the server chooses.
  private func operation(_ method: String, _ path: String) -> Operation? {
    let fitting = operations.filter { $0.method == method && Self.fits(path, $0.path) }
    return fitting.min { $0.path.filter { $0 == "{" }.count < $1.path.filter { $0 == "{" }.count }
  }

  private static func fits(_ path: String, _ pattern: String) -> Bool {
    let (segments, parts) = (path.split(separator: "/"), pattern.split(separator: "/"))
    return segments.count == parts.count
      && zip(segments, parts).allSatisfy { segment, part in
        guard part.hasPrefix("{"), let end = part.firstIndex(of: "}") else { return segment == part }
        return segment.hasSuffix(part[part.index(after: end)...])
      }
  }

  private func problemFaults(_ answer: Answer) -> [String] {
    guard answer.headers["content-type"] == "application/problem+json" else {
      return ["a refusal is of \(answer.headers["content-type"] ?? "no type")"]
    }
    return jsonFaults(answer.body, schema("Problem"))
  }

  private func bodyFaults(_ answer: Answer, _ response: JSONValue) -> [String] {
    let type = answer.headers["content-type"].map { String($0.prefix { $0 != ";" }) }
    guard let types = response["content"]?.object, !types.isEmpty else { return answer.body.isEmpty ? [] : ["there is a body"] }
    guard let type, let media = types[type] else { return ["the type \(type ?? "none") is not told of"] }
    guard let schema = media["schema"], answer.headers["content-encoding"] == nil else { return [] }
    return jsonFaults(answer.body, schema)
  }

  private func jsonFaults(_ body: Data, _ schema: JSONValue) -> [String] {
    guard let value = try? JSONValue(parsing: Array(body)) else { return ["the body is not JSON"] }
    return SchemaValidation(document: json).faults(of: value, against: schema)
  }

  /// Fields that HTTP itself explains, and that say nothing of this interface.
  private static let ofHTTP: Set = [
    "date", "connection", "keep-alive", "content-length", "content-type", "transfer-encoding", "content-encoding", "vary", "cache-control",
    "accept-ranges", "allow", "content-disposition", "x-accel-buffering",
  ]

  private func headerFaults(_ answer: Answer, _ response: JSONValue) -> [String] {
    let validation = SchemaValidation(document: json)
    let told = (response["headers"]?.object ?? [:]).map {
      (name: $0.key.lowercased(), json: $0.value["$ref"].map(validation.resolved) ?? $0.value)
    }
    let absent = told.filter { $0.json["required"] == true && answer.headers[$0.name] == nil }.map { "the field \($0.name) is absent" }
    let names = Set(told.map(\.name)).union(Self.ofHTTP)
    let untold = answer.headers.keys.sorted().filter { !names.contains($0) }.map { "the field \($0) is not told of" }
    let wrong = told.flatMap { name, json -> [String] in
      guard let text = answer.headers[name], let schema = json["schema"] else { return [] }
      let value = schema["type"] == "integer" ? Int(text).map { JSONValue.integer($0) } ?? .string(text) : .string(text)
      return validation.faults(of: value, against: schema, at: name)
    }
    return absent + untold + wrong
  }
}
