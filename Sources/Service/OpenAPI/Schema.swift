import JSON

/// JSON Schema 2020-12, as OpenAPI 3.1 takes it, in the words that this interface needs.
enum Schema {
  /// An object with these members and no others; those of `optional` may be absent.
  static func object(_ members: JSONObject, optional: Set<String> = []) -> JSONValue {
    let required = members.keys.filter { !optional.contains($0) }
    var object: JSONObject = ["type": "object"]
    if !required.isEmpty { object["required"] = .array(required.map { .string($0) }) }
    object["properties"] = .object(members)
    object["additionalProperties"] = false
    return .object(object)
  }

  /// What a client sends: a field that is not required may be absent, or null, which is the same.
  static func request(_ fields: JSONObject, required: Set<String> = []) -> JSONValue {
    var members = JSONObject()
    for (name, schema) in fields { members[name] = required.contains(name) ? schema : nullable(schema) }
    return object(members, optional: Set(fields.keys).subtracting(required))
  }

  /// An object of values of one kind under names that are not told beforehand.
  static func map(of values: JSONValue) -> JSONValue { ["type": "object", "additionalProperties": values] }

  static func array(of items: JSONValue, count: ClosedRange<Int>? = nil) -> JSONValue {
    var array: JSONObject = ["type": "array", "items": items]
    if let count { (array["minItems"], array["maxItems"]) = (.integer(count.lowerBound), .integer(count.upperBound)) }
    return .object(array)
  }

  static func integer(_ range: ClosedRange<Int>, default preset: Int? = nil) -> JSONValue {
    var schema: JSONObject = ["type": "integer", "minimum": .integer(range.lowerBound)]
    if range.upperBound < Int.max { schema["maximum"] = .integer(range.upperBound) }
    schema["default"] = preset.map { .integer($0) }
    return .object(schema)
  }

  static let count = integer(0...Int.max)

  static func number(_ range: ClosedRange<Double>, default preset: Double? = nil) -> JSONValue {
    var schema: JSONObject = ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    schema["default"] = preset.map { .number($0) }
    return .object(schema)
  }

  static let number: JSONValue = ["type": "number"]
  static let boolean: JSONValue = ["type": "boolean"]
  static let text: JSONValue = ["type": "string"]
  static let time: JSONValue = ["type": "string", "format": "date-time"]
  /// The path of something else, on the same server.
  static let address: JSONValue = ["type": "string", "format": "uri-reference"]

  static func text(_ length: ClosedRange<Int>) -> JSONValue {
    ["type": "string", "minLength": .integer(length.lowerBound), "maxLength": .integer(length.upperBound)]
  }

  static func words(_ words: [String], default preset: String? = nil) -> JSONValue {
    var schema: JSONObject = ["type": "string", "enum": .array(words.map { .string($0) })]
    schema["default"] = preset.map { .string($0) }
    return .object(schema)
  }

  static func constant(_ value: JSONValue) -> JSONValue { ["const": value] }

  /// An id of this server's making: `ds_…`, `job_…`.
  static func id(_ prefix: String) -> JSONValue { ["type": "string", "pattern": .string("^\(prefix)_[0-9a-z]+$")] }

  static func nullable(_ schema: JSONValue) -> JSONValue {
    guard var object = schema.object, let type = object["type"]?.string, object["enum"] == nil else {
      return ["anyOf": [schema, ["type": "null"]]]
    }
    object["type"] = [.string(type), "null"]
    return .object(object)
  }

  static func described(_ schema: JSONValue, _ description: String) -> JSONValue {
    var object = schema.object ?? [:]
    object["description"] = .string(description)
    return .object(object)
  }

  static func one(of schemas: [JSONValue]) -> JSONValue { ["oneOf": .array(schemas)] }

  /// One of the document's own schemas.
  static func named(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

  /// A page of a list.
  static func page(of item: JSONValue) -> JSONValue {
    object([
      "data": array(of: item), "has_more": boolean,
      "next": described(nullable(text), "The value for `after` of the next page; null on the last one."),
    ])
  }
}
