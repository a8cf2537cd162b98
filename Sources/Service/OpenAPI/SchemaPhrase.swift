import JSON

/// A schema in words, for people: "whole number, 1 to 1024 (16)".
enum SchemaPhrase {
  static func of(_ schema: JSONValue) -> String {
    if let reference = schema["$ref"]?.string { return reference.split(separator: "/").last.map(String.init) ?? reference }
    if let constant = schema["const"] { return constant.serialized() }
    if let choices = schema["oneOf"]?.array ?? schema["anyOf"]?.array { return choices.map(of).joined(separator: " or ") }
    if let words = schema["enum"]?.array { return words.map { $0.string ?? $0.serialized() }.joined(separator: ", ") + preset(schema) }
    let types = schema["type"]?.array?.compactMap(\.string) ?? [schema["type"]?.string ?? "anything"]
    return types.map { phrase(of: $0, schema) }.joined(separator: " or ") + preset(schema)
  }

  private static func phrase(of type: String, _ schema: JSONValue) -> String {
    switch type {
    case "integer": "whole number\(bounds(schema))"
    case "number": "number\(bounds(schema))"
    case "boolean": "true or false"
    case "string":
      schema["format"] == "date-time" ? "time (RFC 3339)" : schema["format"] == "uri-reference" ? "path" : "text\(length(schema))"
    case "array": "array of \(schema["items"].map(of) ?? "anything")"
    case "object": object(schema)
    default: type
    }
  }

  private static func object(_ schema: JSONValue) -> String {
    if let members = schema["properties"]?.object { return "{\(members.keys.joined(separator: ", "))}" }
    if let values = schema["additionalProperties"], values.object != nil { return "object of \(of(values))" }
    return "object"
  }

  private static func bounds(_ schema: JSONValue) -> String {
    let low = schema["minimum"].map { "\($0.serialized())" } ?? schema["exclusiveMinimum"].map { "more than \($0.serialized())" }
    switch (low, schema["maximum"]?.serialized()) {
    case (let low?, let high?): return ", \(low) to \(high)"
    case (let low?, nil): return ", \(low) or more"
    case (nil, let high?): return ", \(high) or less"
    case (nil, nil): return ""
    }
  }

  private static func length(_ schema: JSONValue) -> String {
    guard let most = schema["maxLength"]?.integer else { return "" }
    return " of \(schema["minLength"]?.integer ?? 0) to \(most) characters"
  }

  private static func preset(_ schema: JSONValue) -> String {
    schema["default"].map { " (\($0.string ?? $0.serialized()))" } ?? ""
  }
}
