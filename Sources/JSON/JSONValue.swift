/// A value of JSON (RFC 8259), as it was read or as it will be written.
///
/// Integers that fit keep all their digits, so that a seed of 2^53 − 1 or a step count goes through unchanged; every other number is a
/// double. Objects keep the order of their members: what a user sent comes back as they wrote it.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

extension JSONValue {
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  package var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

  /// The number, if it is a whole one that fits: `2`, `2.0` and `2e0` are the same number.
  package var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  package var isNull: Bool { self == .null }

  /// The member `key`, or nil where this is no object or has none.
  package subscript(key: String) -> JSONValue? { object?[key] }

  /// What kind of value this is, for an error message.
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// An object's members, each name once, in the order in which they came.
package struct JSONObject: Sendable, Hashable {
  package private(set) var keys: [String] = []
  private var members: [String: JSONValue] = [:]

  package init() {}

  package var count: Int { keys.count }
  package var isEmpty: Bool { keys.isEmpty }

  /// Setting nil removes the member; setting a new one appends it.
  package subscript(key: String) -> JSONValue? {
    get { members[key] }
    set {
      if let newValue {
        if members.updateValue(newValue, forKey: key) == nil { keys.append(key) }
      } else if members.removeValue(forKey: key) != nil {
        keys.removeAll { $0 == key }
      }
    }
  }

  /// Equal objects have equal members; order does not count (RFC 8259 §4).
  package static func == (a: JSONObject, b: JSONObject) -> Bool { a.members == b.members }
  package func hash(into hasher: inout Hasher) { hasher.combine(members) }
}

extension JSONObject: Sequence {
  package func makeIterator() -> some IteratorProtocol<(key: String, value: JSONValue)> {
    keys.lazy.map { (key: $0, value: self[$0] ?? .null) }.makeIterator()
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { self[key] = value }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(nilLiteral: ()) { self = .null }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(stringLiteral value: String) { self = .string(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }

  /// The string, or null where there is none.
  package init(_ string: String?) { self = string.map(JSONValue.string) ?? .null }
  package init(_ integer: Int?) { self = integer.map(JSONValue.integer) ?? .null }
  /// The number, or null where there is none or it is not finite, which JSON can't say.
  package init(_ number: Double?) { self = number.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }
}
