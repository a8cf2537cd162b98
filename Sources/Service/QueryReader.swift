import HTTP
import JSON

/// Reads a request's query parameters into Swift values. Unknown ones, repeated ones and wrong values are recorded and told at once.
final class QueryReader {
  private let values: [(name: String, value: String)]
  private var known: [String] = []
  private let faults = Faults()

  /// - Parameter more: what a field of the request says beside its query.
  init(_ request: Request, adding more: [(name: String, value: String)] = []) { values = request.query + more }

  func string(_ name: String) -> String? {
    known.append(name)
    let given = values.filter { $0.name == name }
    if given.count > 1 { fault(name, "is given \(given.count) times; once is allowed") }
    return given.first?.value
  }

  func string(_ name: String, oneOf allowed: [String]) -> String? {
    guard let value = string(name) else { return nil }
    guard allowed.contains(value) else {
      fault(name, "must be one of \(allowed.joined(separator: ", ")); was \(value)")
      return nil
    }
    return value
  }

  func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let text = string(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      fault(name, "must be a whole number, \(FieldReader.phrase(range)); was \(text.prefix(60))")
      return nil
    }
    return value
  }

  func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
    guard let text = string(name) else { return nil }
    guard let value = Double(text), value.isFinite, range.contains(value) else {
      fault(name, "must be \(NumberBound.range(range).phrase); was \(text.prefix(60))")
      return nil
    }
    return value
  }

  func fault(_ name: String, _ detail: String) { faults.add(name, detail) }

  /// Throws when anything was wrong, unknown parameters among it.
  func finish() throws(Problem) {
    for name in Set(values.map(\.name)).sorted() where !known.contains(name) && !faults.isFull {
      let nearest = EditDistance.nearest(to: name, among: known).map { "; did you mean \($0)?" }
      let list = known.isEmpty ? "; none is known here" : "; known are \(known.joined(separator: ", "))"
      fault(name, "is not known here" + (nearest ?? list))
    }
    if !faults.isEmpty { throw .badQuery(faults.all) }
  }
}
