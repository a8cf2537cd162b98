import Foundation

/// How a value is written, read and refused.
struct ConfigurationFormat<Value: Sendable>: Sendable {
  let allowed: String
  let parse: @Sendable (String) -> Value?
  let shown: @Sendable (Value) -> String
}

extension ConfigurationFormat where Value == Int {
  static func integer(in range: ClosedRange<Int>, _ unit: String? = nil) -> Self {
    let what = unit.map { "a whole number of \($0)" } ?? "a whole number"
    return Self(
      allowed: "\(what) from \(range.lowerBound) to \(range.upperBound)",
      parse: { text in Decimal.parse(text).flatMap { range.contains($0) ? $0 : nil } },
      shown: { String($0) })
  }

  static func seconds(in range: ClosedRange<Int>) -> Self { .integer(in: range, "seconds") }

  /// Bytes, plain or with a unit: `65536`, `64 KiB`, `1GB`.
  static func bytes(in range: ClosedRange<Int>) -> Self {
    Self(
      allowed: "bytes, plain or as in 64 KiB or 1 GB, from \(ByteCount.shown(range.lowerBound)) to \(ByteCount.shown(range.upperBound))",
      parse: { text in ByteCount.parse(text).flatMap { range.contains($0) ? $0 : nil } },
      shown: ByteCount.shown)
  }
}

extension ConfigurationFormat where Value == String {
  static func oneOf(_ words: [String]) -> Self {
    Self(allowed: "one of " + words.joined(separator: ", "), parse: { words.contains($0) ? $0 : nil }, shown: { $0 })
  }

  /// A tilde is the shell's: taken literally it would make a folder of that name.
  static let folder = Self(
    allowed: "a folder's path, not empty and without a ~ in front",
    parse: { $0.isEmpty || $0.hasPrefix("~") || $0.utf8.contains(0) ? nil : $0 },
    shown: { $0 })

  /// Names are the resolver's, and one may mean an address that nobody meant.
  static let address = Self(
    allowed: "a numeric address, or localhost",
    parse: { $0 == "localhost" || NumericAddress.isOne($0) ? $0 : nil },
    shown: { $0 })
}

extension ConfigurationFormat where Value == [String] {
  static let files = Self(
    allowed: "files' paths with commas between them, or none",
    parse: { text in
      if text == "none" { return [] }
      let paths = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingPrefix(while: { $0 == " " }) }
      return paths.allSatisfy { ConfigurationFormat<String>.folder.parse(String($0)) != nil } ? paths.map(String.init) : nil
    },
    shown: { $0.isEmpty ? "none" : $0.joined(separator: ",") })
}

/// Whole numbers as people write them: `4096`, `4_096`. A leading zero is refused, since YAML 1.1 would read it as octal.
private enum Decimal {
  static func parse(_ text: some StringProtocol) -> Int? {
    let bytes = Array((text.hasPrefix("-") ? text.dropFirst() : text[...]).utf8)
    guard let first = bytes.first, let last = bytes.last, isDigit(first), isDigit(last) else { return nil }
    guard bytes.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) else { return nil }
    guard first != UInt8(ascii: "0") || bytes.count == 1 else { return nil }
    return Int(String(text).replacing("_", with: ""))
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

private enum ByteCount {
  private static let binary = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
  private static let decimal = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)]

  static func parse(_ text: String) -> Int? {
    for (unit, factor) in binary + decimal where text.hasSuffix(unit) {
      guard let count = Decimal.parse(text.dropLast(unit.count).trimmingSuffix(while: { $0 == " " })) else { return nil }
      let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
      return overflow ? nil : bytes
    }
    return Decimal.parse(text)
  }

  /// The largest unit that gives a whole number, so that what is shown can be read back.
  static func shown(_ bytes: Int) -> String {
    for (unit, factor) in binary where bytes != 0 && bytes.isMultiple(of: factor) { return "\(bytes / factor) \(unit)" }
    return String(bytes)
  }
}

/// Addresses as numbers: dotted quads without leading zeros, which some read as octal, and IPv6 as the system reads it.
private enum NumericAddress {
  static func isOne(_ text: String) -> Bool {
    if text.contains(":") {
      var address = in6_addr()
      return inet_pton(AF_INET6, text, &address) == 1
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { Decimal.parse($0).map { (0...255).contains($0) } ?? false }
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while drops: (Character) -> Bool) -> SubSequence {
    guard let last = lastIndex(where: { !drops($0) }) else { return self[startIndex..<startIndex] }
    return self[...last]
  }
}
