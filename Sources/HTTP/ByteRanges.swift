/// The parts of a representation that a `Range` field asks for (RFC 9110 §14.1.2, §14.2).
struct ByteRanges: Equatable {
  /// In the order of the field, each a part of what is there; empty where none of it is.
  let parts: [Range<Int>]

  /// More than so many are no download that goes on, but an attack or a mistake: the whole is sent instead (RFC 9110 §17.15).
  private static let countMax = 16

  /// Nil for another unit, for what the grammar has no place for, and for more than is good: then the field counts as not given.
  /// - Parameter count: how long the representation is.
  init?(_ field: String, of count: Int) {
    guard let equals = field.firstIndex(of: "="), field[..<equals].lowercased() == "bytes" else { return nil }
    var parts: [Range<Int>] = []
    var specs = 0
    for member in field[field.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: true) {
      let spec = member.drop { $0 == " " || $0 == "\t" }
      if spec.allSatisfy({ $0 == " " || $0 == "\t" }) { continue }  // RFC 9110 §5.6.1.2: an empty member counts for nothing.
      specs += 1
      guard specs <= Self.countMax, let part = Self.part(Self.trimmed(spec), of: count) else { return nil }
      if !part.isEmpty { parts.append(part) }
    }
    guard specs > 0, !Self.overlapOften(parts) else { return nil }
    self.parts = parts
  }

  /// `first-last`, `first-` or `-suffix`. Empty for one that is not there, nil for one that can't be.
  private static func part(_ spec: Substring, of count: Int) -> Range<Int>? {
    guard let dash = spec.firstIndex(of: "-") else { return nil }
    let (first, last) = (spec[..<dash], spec[spec.index(after: dash)...])
    guard let last = number(last) else { return nil }
    if first.isEmpty {
      guard let suffix = last else { return nil }
      return max(0, count - suffix)..<count
    }
    guard let from = number(first), let from else { return nil }
    if let last, last < from { return nil }
    guard from < count else { return 0..<0 }
    return from..<min(last ?? count, count - 1) + 1
  }

  /// `.some(nil)` for nothing, nil for what is no number; one beyond all is cut.
  private static func number(_ text: Substring) -> Int?? {
    if text.isEmpty { return .some(nil) }
    guard text.utf8.allSatisfy({ $0.isDigit }) else { return nil }
    return Int(text) ?? Int.max - 1
  }

  /// RFC 9110 §14.2: more than two that overlap are a sign of ill will.
  private static func overlapOften(_ parts: [Range<Int>]) -> Bool {
    let sorted = parts.sorted { $0.lowerBound < $1.lowerBound }
    var (end, overlaps) = (0, 0)
    for part in sorted {
      if part.lowerBound < end { overlaps += 1 }
      end = max(end, part.upperBound)
    }
    return overlaps >= 2
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
