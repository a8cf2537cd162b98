/// Numbers as people write them in tables: `-12`, `.5`, `6.02e23`, with spaces around. No hexadecimals, no thousands' separators.
enum DecimalNumber {
  /// The nearest double; NaN and the infinities for their names; nil where it is no number.
  static func value(_ text: ArraySlice<UInt8>) -> Double? {
    var place = text.startIndex
    var end = text.endIndex
    while place < end, isSpace(text[place]) { place += 1 }
    while end > place, isSpace(text[end - 1]) { end -= 1 }
    let number = text[place..<end]
    let isNegative = number.first == UInt8(ascii: "-")
    if isNegative || number.first == UInt8(ascii: "+") { place += 1 }
    // Digits as one whole number and a power of ten: exact as long as both are exact in doubles.
    var (digits, digitCount, exponent) = (UInt64(0), 0, 0)
    var isAfterPoint = false
    scan: while place < end {
      switch text[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digitCount += 1
        if digitCount <= 18 { digits = digits * 10 + UInt64(text[place] - UInt8(ascii: "0")) }
        if isAfterPoint { exponent -= 1 }
      case UInt8(ascii: ".") where !isAfterPoint: isAfterPoint = true
      default: break scan
      }
      place += 1
    }
    guard digitCount > 0 else { return named(text[place..<end], isNegative: isNegative) }
    if place == end, digitCount <= 18, digits <= 1 << 53, exponent >= -22 {
      let magnitude = Double(digits) / powersOfTen[-exponent]
      return isNegative ? -magnitude : magnitude
    }
    // With an exponent or many digits: the standard library's own, once the form is known to be a decimal's.
    guard place == end || isExponent(text[place..<end]) else { return nil }
    return Double(String(decoding: number, as: UTF8.self))
  }

  private static let powersOfTen = (0...22).map { (power: Int) in (0..<power).reduce(1.0) { product, _ in product * 10 } }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private static func isExponent(_ text: ArraySlice<UInt8>) -> Bool {
    guard text.first == UInt8(ascii: "e") || text.first == UInt8(ascii: "E") else { return false }
    var rest = text.dropFirst()
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.count <= 6 && rest.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func named(_ text: ArraySlice<UInt8>, isNegative: Bool) -> Double? {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "nan": .nan
    case "inf", "infinity": isNegative ? -.infinity : .infinity
    default: nil
    }
  }
}
