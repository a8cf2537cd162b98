/// One thing wrong with a body, and where.
package struct Fault: Sendable, Hashable {
  /// A JSON Pointer (RFC 6901), empty for the whole body.
  package let pointer: String
  /// What is allowed and what came: "must be 1 or more; was -3".
  package let detail: String

  package init(pointer: String, detail: String) {
    self.pointer = pointer
    self.detail = detail
  }
}

/// Gathers the faults of a body, so that all are told at once. A class, because the readers of nested objects share it.
package final class Faults {
  /// More are of no use to a person, and a megabyte of wrong names would take seconds to answer and come back twentyfold. Chosen.
  package static let countMax = 100

  package private(set) var all: [Fault] = []
  package var isEmpty: Bool { all.isEmpty }
  package var isFull: Bool { all.count >= Self.countMax }

  package init() {}

  /// Of those beyond `countMax` nothing is kept.
  package func add(_ pointer: String, _ detail: @autoclosure () -> String) {
    if !isFull { all.append(Fault(pointer: pointer, detail: detail())) }
  }
}

/// Reads an object's fields into Swift values, and records what is wrong rather than stopping at it.
///
/// Each getter notes its name as known and answers nil where the field is absent, null or wrong; a wrong one is recorded. After the
/// last getter, `finish()` records every member that no getter asked for, with the nearest known name: a typo never goes unseen.
package final class FieldReader {
  package let pointer: String
  package let faults: Faults
  private let object: JSONObject
  private var known: [String] = []

  /// A reader of `value`, which must be an object; another kind is recorded as a fault and read as an empty one.
  package init(_ value: JSONValue, pointer: String = "", faults: Faults) {
    self.pointer = pointer
    self.faults = faults
    object = value.object ?? JSONObject()
    if value.object == nil { faults.add(pointer, "must be an object; was \(value.kindName)") }
  }

  /// Where the field `name` is.
  package func pointer(to name: String) -> String { pointer + JSONPointer.token(name) }

  package func fault(_ name: String, _ detail: String) { faults.add(pointer(to: name), detail) }

  package func has(_ name: String) -> Bool { !(object[name] ?? .null).isNull }

  /// The field as it came; nil where it is absent or null.
  package func value(_ name: String) -> JSONValue? {
    if !known.contains(name) { known.append(name) }
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  /// Records a fault where `name` is absent.
  package func require(_ name: String, _ meaning: String) {
    if !has(name) { fault(name, "is required: \(meaning)") }
  }

  package func integer(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) -> Int? {
    guard let value = value(name) else { return nil }
    return integer(value, in: range, at: pointer(to: name))
  }

  private func integer(_ value: JSONValue, in range: ClosedRange<Int>, at pointer: String) -> Int? {
    guard let integer = value.integer else {
      faults.add(pointer, "must be a whole number \(Self.phrase(range)); was \(Self.shown(value))")
      return nil
    }
    guard range.contains(integer) else {
      faults.add(pointer, "must be \(Self.phrase(range)); was \(integer)")
      return nil
    }
    return integer
  }

  /// A finite number that `bound` admits.
  package func number(_ name: String, _ bound: NumberBound = .finite) -> Double? {
    guard let value = value(name) else { return nil }
    guard let number = value.number, number.isFinite, bound.admits(number) else {
      fault(name, "must be \(bound.phrase); was \(Self.shown(value))")
      return nil
    }
    return number
  }

  package func boolean(_ name: String) -> Bool? {
    guard let value = value(name) else { return nil }
    if value.boolean == nil { fault(name, "must be true or false; was \(Self.shown(value))") }
    return value.boolean
  }

  package func string(_ name: String, bytesMax: Int = 10_000) -> String? {
    guard let value = value(name) else { return nil }
    guard let string = value.string else {
      fault(name, "must be a string; was \(Self.shown(value))")
      return nil
    }
    guard string.utf8.count <= bytesMax else {
      fault(name, "must be at most \(bytesMax) bytes of UTF-8; was \(string.utf8.count)")
      return nil
    }
    return string
  }

  package func string(_ name: String, oneOf allowed: [String]) -> String? {
    guard let string = string(name) else { return nil }
    guard allowed.contains(string) else {
      let nearest = EditDistance.nearest(to: string, among: allowed).map { "; did you mean \"\($0)\"?" } ?? ""
      fault(name, "must be one of \(Self.list(allowed)); was \"\(string)\"\(nearest)")
      return nil
    }
    return string
  }

  package func integers(_ name: String, count: ClosedRange<Int>, each: ClosedRange<Int>) -> [Int]? {
    guard let value = value(name) else { return nil }
    guard let array = value.array, count.contains(array.count) else {
      let was = value.array.map { "\($0.count) of them" } ?? Self.shown(value)
      fault(name, "must be an array of \(Self.phrase(count)) whole numbers; was \(was)")
      return nil
    }
    let integers = array.enumerated().map { integer($1, in: each, at: pointer(to: name) + "/\($0)") }
    return integers.contains(nil) ? nil : integers.compactMap(\.self)
  }

  /// A reader of the object `name`; nil where it is absent.
  package func object(_ name: String) -> FieldReader? {
    value(name).map { FieldReader($0, pointer: pointer(to: name), faults: faults) }
  }

  /// Records every member that no getter asked for.
  package func finish() {
    for key in object.keys where !known.contains(key) {
      if faults.isFull { return }
      let nearest = EditDistance.nearest(to: key, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      fault(key, "is not known here\(nearest.isEmpty ? "; known are \(Self.list(known))" : nearest)")
    }
  }

  package static func phrase(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (Int.min, Int.max): "of any size"
    case (let low, Int.max): "\(low) or more"
    case (Int.min, let high): "\(high) or less"
    case (let low, let high): low == high ? "\(low)" : "\(low) to \(high)"
    }
  }

  private static func list(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }

  /// The value as it came, cut to a length that fits a message.
  package static func shown(_ value: JSONValue) -> String {
    switch value {
    case .number(let number) where !number.isFinite: return "too large a number"
    case .array, .object: return value.kindName
    default:
      let text = value.serialized()
      return text.count <= 60 ? text : String(text.prefix(60)) + "…"
    }
  }
}

/// What a number may be.
package enum NumberBound: Sendable {
  case finite, positive, notNegative
  case range(ClosedRange<Double>)

  package func admits(_ number: Double) -> Bool {
    switch self {
    case .finite: true
    case .positive: number > 0
    case .notNegative: number >= 0
    case .range(let range): range.contains(number)
    }
  }

  package var phrase: String {
    switch self {
    case .finite: "a finite number"
    case .positive: "a number greater than 0"
    case .notNegative: "a number of 0 or more"
    case .range(let range): "a number from \(Self.shown(range.lowerBound)) to \(Self.shown(range.upperBound))"
    }
  }

  private static func shown(_ number: Double) -> String { JSONValue.number(number).serialized() }
}
