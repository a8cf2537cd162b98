import Files
import Foundation
import HTTP
import JSON
import Logging
import Service
import Testing

/// `openapi.json` tells what the server does, no less and no more. That answers are as it says is looked at wherever a test asks a server.
@Suite struct `The description of the interface` {
  @Test func `has an operation for each route, and no other`() throws {
    let folder = try TemporaryFolder()
    var configuration = ServiceConfiguration()
    (configuration.data, configuration.database) = (folder.path, folder.path)
    let service = try FountService(configuration, executable: FountProcess.executable, logger: Logger(label: "test"))
    let routed = service.routes.map { "\($0.method.rawValue) \($0.pattern)" }
    let told = InterfaceDocument.preset.operations.map { "\($0.method) \($0.path)" }
    #expect(Set(told).subtracting(routed).isEmpty && Set(routed).subtracting(told).isEmpty)
    #expect(told.count == routed.count)
  }

  @Test func `has parameters, links and names that hang together`() throws {
    let document = InterfaceDocument.preset
    let names = document.operations.map(\.name)
    #expect(Set(names).count == names.count)
    for operation in document.operations {
      let path = operation.path.matches(of: /\{(\w+)\}/).map { String($0.output.1) }
      let told = operation.json["parameters"]?.array?.filter { $0["in"] == "path" }.compactMap { $0["name"]?.string } ?? []
      #expect(path == told, "\(operation.name)")
      for (_, response) in operation.json["responses"]?.object ?? [:] {
        for (name, link) in response["links"]?.object ?? [:] {
          #expect(names.contains(link["operationId"]?.string ?? ""), "\(operation.name): \(name)")
        }
      }
    }
    #expect(Self.references(in: document.json).allSatisfy { SchemaValidation(document: document.json).resolved(.string($0)) != false })
  }

  private static func references(in value: JSONValue) -> [String] {
    switch value {
    case .object(let object): object.flatMap { $0.key == "$ref" ? [$0.value.string ?? ""] : references(in: $0.value) }
    case .array(let array): array.flatMap(references)
    default: []
    }
  }

  @Test func `has the query parameters that the server knows, and their ranges`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    for operation in try Self.document(of: fount).operations {
      let parameters = operation.queryParameters
      let path = operation.path.replacing(/\{\w+\}/, with: "1")
      func faults(_ query: String) throws -> [String: String] {
        let answer = try fount.curl(path + "?" + query, Self.arguments(for: operation))
        #expect(answer.status == 400, "\(operation.name)?\(query): \(answer.text)")
        return try answer.faults
      }
      let unknown = try faults("zqxjkv=1")["zqxjkv"] ?? ""
      let names = parameters.compactMap { $0["name"]?.string }
      let known =
        unknown.contains("none is known") ? [] : (unknown.components(separatedBy: "known are ").last ?? "").components(separatedBy: ", ")
      #expect(Set(known) == Set(names), "\(operation.name): \(unknown)")
      for parameter in parameters {
        guard let name = parameter["name"]?.string, let phrase = Self.phrase(ofQuery: parameter["schema"] ?? .null) else { continue }
        // Columns are bounded by how many there are.
        let most = parameters.first { ["count", "steps"].contains($0["name"]) && name == "columns" }
        let query = most.map { "&\($0["name"]?.string ?? "")=\($0["schema"]?["maximum"]?.integer ?? 0)" } ?? ""
        #expect(try faults("\(name)=zqxjkv\(query)")[name] == "\(phrase); was zqxjkv", "\(operation.name)")
      }
    }
  }

  private static func document(of fount: FountProcess) throws -> InterfaceDocument {
    let answer = try fount.curl("/openapi.json")
    #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
    let tag = try #require(answer.headers["etag"])
    #expect(try fount.curl("/openapi.json", "-H", "If-None-Match: \(tag)").status == 304)
    return InterfaceDocument(json: try answer.json)
  }

  /// A request with a body where one is needed.
  private static func arguments(for operation: InterfaceDocument.Operation) -> [String] {
    let types = operation.json["requestBody"]?["content"]?.object?.keys ?? []
    let body =
      types == ["multipart/form-data"] ? ["-F", "image=x", "-F", "mask=x"] : types.isEmpty ? [] : ["--data-binary", "{}"]
    return ["-X", operation.method] + body
  }

  /// What the server says of a query parameter that is no such thing.
  private static func phrase(ofQuery schema: JSONValue) -> String? {
    if let words = schema["enum"]?.array { return "must be one of \(words.compactMap(\.string).joined(separator: ", "))" }
    guard let minimum = schema["minimum"]?.number, let type = schema["type"]?.string else { return nil }
    if type == "integer" {
      let range = Int(minimum)...(schema["maximum"]?.integer ?? Int.max)
      return "must be a whole number, \(FieldReader.phrase(range))"
    }
    return "must be \(NumberBound.range(minimum...(schema["maximum"]?.number ?? .infinity)).phrase)"
  }

  // MARK: Bodies

  @Test func `has the fields of a job that the server knows, and their ranges`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let document = try Self.document(of: fount)
    let families = try fount.curl("/v1/families").json["data"]?.array ?? []
    #expect(families.count > 5)
    for family in families.compactMap({ $0["name"]?.string }) {
      let parts = ["training": document.schema("Training"), "configuration": document.schema("Configuration.\(family)")]
      try Self.check(fount, document.schema("NewTraining.\(family)"), given: ["kind": "train", "family": .string(family)], parts)
    }
    try Self.check(fount, document.schema("NewEvaluation"), given: ["kind": "evaluate"], [:])
  }

  @Test func `has the configurations of the families as the server tells them`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let document = try Self.document(of: fount)
    for family in try fount.curl("/v1/families").json["data"]?.array ?? [] {
      let told = document.schema("Configuration.\(family["name"]?.string ?? "")")
      let asked = family["configuration"]?["properties"]?.object ?? [:]
      #expect(told["properties"]?.object?.keys == asked.keys && told["additionalProperties"] == false)
      for (name, schema) in asked {
        // Null is as good as absent to a reader of requests.
        let orNull: JSONValue = ["anyOf": [schema, ["type": "null"]]]
        var nullable = schema.object ?? [:]
        nullable["type"] = [schema["type"] ?? .null, "null"]
        let property = told["properties"]?[name]
        #expect(property == orNull || property == .object(nullable), "\(family["name"]?.string ?? "") \(name)")
      }
    }
  }

  /// Sends unknown fields and wrong values into every object of a body, and compares what the server says with the schema.
  /// - Parameter parts: schemas that stand elsewhere in the document, by the field that refers to them.
  private static func check(_ fount: FountProcess, _ schema: JSONValue, given: JSONObject, _ parts: [String: JSONValue]) throws {
    var body = given
    body["zqxjkv"] = 1
    var phrases: [String: String] = [:]
    var known: [String: Set<String>] = ["/zqxjkv": Set(schema["properties"]?.object?.keys ?? [])]
    for (name, property) in schema["properties"]?.object ?? [:] where given[name] == nil {
      let inner = (parts[name] ?? property)["properties"]?.object
      if let inner {
        var object: JSONObject = ["zqxjkv": 1]
        known["/\(name)/zqxjkv"] = Set(inner.keys)
        for (field, schema) in inner {
          guard let phrase = phrase(ofField: schema) else { continue }
          object[field] = "zqxjkv"
          phrases["/\(name)/\(field)"] = phrase
        }
        body[name] = .object(object)
      } else if let phrase = phrase(ofField: property) {
        body[name] = "zqxjkv"
        phrases["/\(name)"] = phrase
      }
    }
    let answer = try fount.post("/v1/jobs", .object(body))
    #expect(answer.status == 422)
    let faults = try answer.faults
    for (pointer, phrase) in phrases {
      #expect(faults[pointer]?.hasPrefix("\(phrase); was \"zqxjkv\"") == true, "\(pointer): \(faults[pointer] ?? "none")")
    }
    for (pointer, names) in known {
      let list = (faults[pointer] ?? "").components(separatedBy: "known are ").last ?? ""
      #expect(Set(list.components(separatedBy: ", ").map { $0.filter { $0 != "\"" } }) == names, "\(pointer): \(list)")
    }
    #expect(phrases.count > 1)
  }

  /// What the server says of a field that is a text instead; nil where a text may be right, or the words are another's.
  private static func phrase(ofField schema: JSONValue) -> String? {
    let choices = schema["anyOf"]?.array?.first ?? schema
    if let words = choices["enum"]?.array { return "must be one of \(words.map { $0.serialized() }.joined(separator: ", "))" }
    let types = choices["type"]?.array?.compactMap(\.string) ?? [choices["type"]?.string ?? ""]
    if types.contains("boolean") { return "must be true or false" }
    guard let minimum = choices["minimum"]?.number else { return nil }
    if types.contains("integer") {
      return "must be a whole number \(FieldReader.phrase(Int(minimum)...(choices["maximum"]?.integer ?? Int.max)))"
    }
    return "must be \(NumberBound.range(minimum...(choices["maximum"]?.number ?? .infinity)).phrase)"
  }

  // MARK: The page

  @Test func `is a page without scripts that loads nothing`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let page = try fount.curl("/docs")
    #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
    let policy = try #require(page.headers["content-security-policy"])
    #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
    let html = page.text
    #expect(!html.contains("<script") && !html.contains("style=") && !html.contains("src="))
    // The one style is the one that the policy names.
    let style = try #require(html.components(separatedBy: "<style>").last?.components(separatedBy: "</style>").first)
    let hash = Data(SHA256.of(Array(style.utf8)).bytes).base64EncodedString()
    #expect(policy.contains("style-src 'sha256-\(hash)'"))
    for operation in InterfaceDocument.preset.operations {
      #expect(html.contains("id=\"\(operation.name)\"") && html.contains("<code>\(operation.path)</code>"), "\(operation.name)")
    }
    let ids = html.matches(of: /id="([^"]+)"/).map { String($0.output.1) }
    #expect(Set(ids).count == ids.count)
    #expect(html.matches(of: /href="#([^"]+)"/).allSatisfy { ids.contains(String($0.output.1)) })
  }
}
