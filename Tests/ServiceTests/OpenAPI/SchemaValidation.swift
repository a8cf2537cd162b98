import JSON

/// A validator of JSON Schema 2020-12, as far as the document uses it: a keyword that it does not know is a fault of its own, so that
/// nothing goes unchecked.
struct SchemaValidation {
  /// Where references are looked up.
  let document: JSONValue

  /// What is wrong, each with its place in the value; empty where it is as the schema says.
  func faults(of value: JSONValue, against schema: JSONValue, at place: String = "") -> [String] {
    guard let keywords = schema.object else {
      return schema == false ? ["\(place): nothing is allowed here; came \(shown(value))"] : []
    }
    return keywords.flatMap { keyword, rule in faults(of: value, keyword, rule, in: keywords, at: place) }
  }

  private func faults(of value: JSONValue, _ keyword: String, _ rule: JSONValue, in schema: JSONObject, at place: String) -> [String] {
    func unless(_ isRight: Bool) -> [String] {
      isRight ? [] : ["\(place): \(keyword) is \(shown(rule)); came \(shown(value))"]
    }
    switch keyword {
    case "$ref": return faults(of: value, against: resolved(rule), at: place)
    case "type": return unless((rule.array ?? [rule]).contains { isOf(type: $0.string ?? "", value) })
    case "const": return unless(value == rule)
    case "enum": return unless(rule.array?.contains(value) == true)
    case "minimum": return unless(value.number.map { $0 >= rule.number ?? .infinity } ?? true)
    case "exclusiveMinimum": return unless(value.number.map { $0 > rule.number ?? .infinity } ?? true)
    case "maximum": return unless(value.number.map { $0 <= rule.number ?? -.infinity } ?? true)
    case "minLength": return unless(value.string.map { $0.unicodeScalars.count >= rule.integer ?? .max } ?? true)
    case "maxLength": return unless(value.string.map { $0.unicodeScalars.count <= rule.integer ?? -1 } ?? true)
    case "pattern": return unless(value.string.map { matches($0, rule.string ?? "") } ?? true)
    case "format": return unless(value.string.map { isOf(format: rule.string ?? "", $0) } ?? true)
    case "minItems": return unless(value.array.map { $0.count >= rule.integer ?? .max } ?? true)
    case "maxItems": return unless(value.array.map { $0.count <= rule.integer ?? -1 } ?? true)
    case "items":
      return (value.array ?? []).enumerated().flatMap { faults(of: $1, against: rule, at: "\(place)/\($0)") }
    case "required":
      let absent = (rule.array ?? []).compactMap(\.string).filter { value.object != nil && value[$0] == nil }
      return absent.map { "\(place): lacks \($0)" }
    case "properties":
      return (value.object ?? [:]).flatMap { name, member in
        rule[name].map { faults(of: member, against: $0, at: "\(place)/\(name)") } ?? []
      }
    case "additionalProperties":
      let known = schema["properties"]?.object?.keys ?? []
      return (value.object ?? [:]).flatMap { name, member in
        known.contains(name) ? [] : faults(of: member, against: rule, at: "\(place)/\(name)")
      }
    case "oneOf":
      let each = (rule.array ?? []).map { faults(of: value, against: $0, at: place) }
      let fitting = each.filter(\.isEmpty).count
      return fitting == 1 ? [] : ["\(place): \(fitting) of \(each.count) fit"] + (each.min { $0.count < $1.count } ?? [])
    case "anyOf":
      let each = (rule.array ?? []).map { faults(of: value, against: $0, at: place) }
      return each.contains(where: \.isEmpty) ? [] : each.min { $0.count < $1.count } ?? []
    case "description", "default", "examples": return []
    default: return ["\(place): the keyword \(keyword) is not known to the test"]
    }
  }

  func resolved(_ reference: JSONValue) -> JSONValue {
    var found = document
    for step in (reference.string ?? "").split(separator: "/").dropFirst() { found = found[String(step)] ?? false }
    return found
  }

  private func isOf(type: String, _ value: JSONValue) -> Bool {
    switch type {
    case "null": value.isNull
    case "boolean": value.boolean != nil
    case "integer": value.integer != nil
    case "number": value.number != nil
    case "string": value.string != nil
    case "array": value.array != nil
    case "object": value.object != nil
    default: false
    }
  }

  private func isOf(format: String, _ text: String) -> Bool {
    switch format {
    case "date-time": matches(text, #"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"#)
    case "uri-reference": matches(text, #"^/[!-~]*$"#)
    default: false
    }
  }

  private func matches(_ text: String, _ pattern: String) -> Bool {
    guard let regex = try? Regex(pattern) else { return false }  // A pattern that is none fits nothing.
    return text.contains(regex)
  }

  private func shown(_ value: JSONValue) -> String { String(value.serialized().prefix(120)) }
}
