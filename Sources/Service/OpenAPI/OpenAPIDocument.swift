import HTTPTypes
import JSON

/// `openapi.json`: every operation, schema and refusal, for a server with these limits (OpenAPI 3.1).
struct OpenAPIDocument {
  let operations: [DescribedOperation]
  private let schemas: JSONObject
  /// Of the server, told as the interface's.
  private let version: String

  init(limits: DescribedLimits, version: String) {
    operations = DescribedOperation.all(limits)
    schemas = SchemaTable.all(limits)
    self.version = version
  }

  var json: JSONValue {
    var paths = JSONObject()
    for operation in operations {
      var path = paths[operation.path]?.object ?? [:]
      path[operation.method.rawValue.lowercased()] = operation.json
      paths[operation.path] = .object(path)
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Fount", "version": .string(version), "summary": "Trains generative models on your data, and gives samples back.",
        "description": .string(Self.introduction),
      ],
      "servers": [["url": "/", "description": "This server."]],
      "tags": .array(DescribedOperation.Tag.allCases.map { ["name": .string($0.rawValue), "description": .string($0.summary)] }),
      "paths": .object(paths),
      "components": [
        "schemas": .object(schemas), "responses": .object(Refusals.responses), "headers": .object(Refusals.headers),
        "securitySchemes": [
          "key": [
            "type": "http", "scheme": "bearer",
            "description":
              "A key that `fount key create` made. A server without keys, which listens on the loopback address alone, needs none.",
          ]
        ],
      ],
    ]
  }

  static let introduction = """
    Upload examples, train a model on them, watch, draw samples.

    Every refusal is `application/problem+json` (RFC 9457) and names each fault at once. A body is strict JSON; unknown fields and \
    query parameters are refused with the nearest known name; a field that is null is as if it were absent. `HEAD` is answered wherever \
    `GET` is, `OPTIONS` with `Allow`. JSON and CSV come in gzip to those who accept it. The protocol itself refuses an unknown method or \
    transfer coding with 501, a version with 505.
    """
}

extension DescribedOperation {
  var json: JSONValue {
    var json: JSONObject = ["operationId": .string(id), "tags": [.string(tag.rawValue)], "summary": .string(summary)]
    if !notes.isEmpty { json["description"] = .string(notes) }
    let all = pathParameters.map(Self.pathParameter) + parameters.map(\.json)
    if !all.isEmpty { json["parameters"] = .array(all) }
    if let body { json["requestBody"] = body.json }
    var responses = JSONObject()
    for answer in answers { responses[String(answer.status)] = answer.json }
    for status in Refusals.statuses(of: self) { responses[String(status)] = Refusals.response(status, of: self) }
    json["responses"] = .object(responses)
    json["security"] = scope.map { [[:], ["key": [.string($0.rawValue)]]] } ?? []
    return .object(json)
  }

  private static func pathParameter(_ name: String) -> JSONValue {
    ["name": .string(name), "in": "path", "required": true, "schema": PathParameters.schema(of: name)]
  }
}

/// What stands between braces in paths.
private enum PathParameters {
  static func schema(of name: String) -> JSONValue {
    switch name {
    case "step": Schema.integer(0...Int.max)
    case "epoch": Schema.integer(1...Int.max)
    case "index": Schema.integer(0...DescribedLimits.indexMax)
    default: ["type": "string", "minLength": 1]
    }
  }
}

extension DescribedParameter {
  fileprivate var json: JSONValue {
    var json: JSONObject = ["name": .string(name), "in": .string(place.rawValue), "description": .string(description)]
    if isRequired { json["required"] = true }
    json["schema"] = schema
    return .object(json)
  }
}

extension DescribedBody {
  fileprivate var json: JSONValue {
    var types = JSONObject()
    for (index, entry) in content.enumerated() {
      var media = JSONObject()
      if let schema = entry.schema { media["schema"] = schema }
      if index == 0, !examples.isEmpty {
        var all = JSONObject()
        for example in examples { all[example.name] = ["value": example.value] }
        media["examples"] = .object(all)
      }
      types[entry.type] = .object(media)
    }
    return ["description": .string(description), "required": .bool(isRequired), "content": .object(types)]
  }
}

extension DescribedAnswer {
  fileprivate var json: JSONValue {
    var json: JSONObject = ["description": .string(description)]
    var all = Refusals.headersOfAll
    for header in headers { all[header.name] = header.json }
    json["headers"] = .object(all)
    if !content.isEmpty {
      var types = JSONObject()
      for entry in content { types[entry.type] = .object(entry.schema.map { ["schema": $0] } ?? [:]) }
      json["content"] = .object(types)
    }
    if !links.isEmpty {
      var all = JSONObject()
      for link in links { all[link.operation] = link.json }
      json["links"] = .object(all)
    }
    return .object(json)
  }
}

extension DescribedHeader {
  var json: JSONValue { ["description": .string(description), "required": .bool(isAlways), "schema": schema] }
}

extension DescribedLink {
  fileprivate var json: JSONValue {
    var json: JSONObject = ["operationId": .string(operation)]
    if !parameters.isEmpty {
      var all = JSONObject()
      for (name, from) in parameters { all[name] = .string(from) }
      json["parameters"] = .object(all)
    }
    json["requestBody"] = body
    return .object(json)
  }
}
