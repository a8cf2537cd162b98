import JSON

/// The configuration of a family as its users see it: fields with ranges, defaults and where those come from.
///
/// One description serves twice: it reads requests, and it is told as JSON Schema. A configuration that came out of `resolve` is complete.
package struct ConfigurationSchema: Sendable {
  package struct Field: Sendable {
    package let name: String
    package let kind: Kind
    package let defaultValue: JSONValue
    package let summary: String
    /// Where the default comes from: a paper's section, a measurement.
    package let source: String

    package init(_ name: String, _ kind: Kind, defaultValue: JSONValue, _ summary: String, source: String) {
      self.name = name
      self.kind = kind
      self.defaultValue = defaultValue
      self.summary = summary
      self.source = source
    }
  }

  package enum Kind: Sendable {
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    /// Above 0.
    case positive(upTo: Double)
    case boolean
    case choice([String])
    case integers(count: ClosedRange<Int>, each: ClosedRange<Int>)
  }

  /// Named values that fill what a request does not give.
  package struct Preset: Sendable {
    package let name: String
    package let summary: String
    package let values: JSONObject

    package init(_ name: String, _ summary: String, _ values: JSONObject) {
      self.name = name
      self.summary = summary
      self.values = values
    }
  }

  package let fields: [Field]
  package let presets: [Preset]

  package init(fields: [Field], presets: [Preset]) {
    self.fields = fields
    self.presets = presets
  }

  /// Reads a request's configuration: what is given, then the preset's values, then the defaults. What is wrong is recorded as faults,
  /// unknown names among them; the result is then complete all the same.
  package func resolve(_ reader: FieldReader) -> Configuration {
    let name = reader.string("preset", oneOf: presets.map(\.name))
    let preset = presets.first { $0.name == name }?.values
    var values = JSONObject()
    for field in fields {
      values[field.name] = read(field, from: reader) ?? preset?[field.name] ?? field.defaultValue
    }
    reader.finish()
    return Configuration(values: values)
  }

  /// The configuration of a request that gives nothing.
  package var defaults: Configuration {
    var values = JSONObject()
    for field in fields { values[field.name] = field.defaultValue }
    return Configuration(values: values)
  }

  private func read(_ field: Field, from reader: FieldReader) -> JSONValue? {
    switch field.kind {
    case .integer(let range): reader.integer(field.name, in: range).map { .integer($0) }
    case .number(let range): reader.number(field.name, .range(range)).map { .number($0) }
    case .positive(let most): positive(field.name, upTo: most, from: reader).map { .number($0) }
    case .boolean: reader.boolean(field.name).map { .bool($0) }
    case .choice(let names): reader.string(field.name, oneOf: names).map { .string($0) }
    case .integers(let count, let each):
      reader.integers(field.name, count: count, each: each).map { .array($0.map { .integer($0) }) }
    }
  }

  private func positive(_ name: String, upTo most: Double, from reader: FieldReader) -> Double? {
    guard let value = reader.number(name, .positive) else { return nil }
    if value > most { reader.fault(name, "must be at most \(JSONValue.number(most).serialized()); was \(value)") }
    return value
  }

  /// JSON Schema 2020-12 of a request's configuration.
  package func jsonSchema() -> JSONValue {
    var properties = Self.properties(of: fields)
    properties["preset"] = .object([
      "type": "string", "enum": .array(presets.map { .string($0.name) }),
      "description": .string(
        "Fills what is not given. " + presets.map { "\($0.name): \($0.summary)" }.joined(separator: " ")),
    ])
    return Self.object(of: properties)
  }

  /// JSON Schema 2020-12 of an object with these fields and no others, none of them required.
  package static func jsonSchema(of fields: [Field]) -> JSONValue { object(of: properties(of: fields)) }

  private static func object(of properties: JSONObject) -> JSONValue {
    .object([
      "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
      "properties": .object(properties),
    ])
  }

  private static func properties(of fields: [Field]) -> JSONObject {
    var properties = JSONObject()
    for field in fields {
      var property = jsonType(of: field.kind)
      // What is null unless it is given has no default that a request could send.
      if !field.defaultValue.isNull { property["default"] = field.defaultValue }
      property["description"] = .string("\(field.summary) Default: \(field.source).")
      properties[field.name] = .object(property)
    }
    return properties
  }

  private static func jsonType(of kind: Kind) -> JSONObject {
    switch kind {
    case .integer(let range): ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .number(let range): ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .positive(let most): ["type": "number", "exclusiveMinimum": 0, "maximum": .number(most)]
    case .boolean: ["type": "boolean"]
    case .choice(let names): ["type": "string", "enum": .array(names.map { .string($0) })]
    case .integers(let count, let each):
      [
        "type": "array", "minItems": .integer(count.lowerBound), "maxItems": .integer(count.upperBound),
        "items": ["type": "integer", "minimum": .integer(each.lowerBound), "maximum": .integer(each.upperBound)],
      ]
    }
  }
}

/// A complete configuration: a value for every field of its family's schema.
package struct Configuration: Sendable, Hashable {
  package let values: JSONObject

  package var json: JSONValue { .object(values) }

  fileprivate init(values: JSONObject) { self.values = values }

  package func integer(_ name: String) -> Int { value(name, \.integer) }
  package func number(_ name: String) -> Double { value(name, \.number) }
  package func boolean(_ name: String) -> Bool { value(name, \.boolean) }
  package func string(_ name: String) -> String { value(name, \.string) }
  package func integers(_ name: String) -> [Int] { value(name, \.array).compactMap(\.integer) }

  private func value<T>(_ name: String, _ kind: KeyPath<JSONValue, T?>) -> T {
    guard let value = values[name]?[keyPath: kind] else { preconditionFailure("the schema has no such field \"\(name)\": \(values.keys)") }
    return value
  }
}
