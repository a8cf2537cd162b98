import Testing

/// Swift source with its comments and string literals blanked out; line breaks stay, so that line numbers do.
/// An interpolation counts as part of its literal. Regex literals are not known: the tree has none with quotes in them.
struct SwiftCode {
  private let source: [UInt8]
  private var place = 0
  /// As long as the source; what is not code is a space.
  private var code: [UInt8]

  static func withoutCommentsAndTexts(_ text: String) -> String {
    let source = Array(text.utf8)
    var reader = SwiftCode(source: source, code: source)
    reader.readCode(untilClosing: false)
    return String(decoding: reader.code, as: UTF8.self)
  }

  private init(source: [UInt8], code: [UInt8]) {
    self.source = source
    self.code = code
  }

  /// - Parameter closing: whether the parenthesis that closes an interpolation ends it; then nothing of it counts as code.
  private mutating func readCode(untilClosing closing: Bool) {
    var depth = 0
    while place < source.count {
      if starts(with: "//") {
        while place < source.count, source[place] != Self.newline { blank() }
      } else if starts(with: "/*") {
        readBlockComment()
      } else if let pounds = poundsBeforeQuote() {
        readText(pounds: pounds)
      } else {
        if closing, depth == 0, source[place] == Self.closing { return }
        depth += source[place] == Self.opening ? 1 : source[place] == Self.closing ? -1 : 0
        if closing { blank() } else { place += 1 }
      }
    }
  }

  /// Block comments nest.
  private mutating func readBlockComment() {
    var depth = 0
    repeat {
      if starts(with: "/*") {
        depth += 1
        blank(2)
      } else if starts(with: "*/") {
        depth -= 1
        blank(2)
      } else {
        blank()
      }
    } while depth > 0 && place < source.count
  }

  private mutating func readText(pounds: Int) {
    let pound = String(repeating: "#", count: pounds)
    blank(pounds)
    let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
    blank(quote.utf8.count)
    while place < source.count {
      if starts(with: quote + pound) { return blank(quote.utf8.count + pounds) }
      if starts(with: "\\" + pound + "(") {
        blank(pounds + 2)
        readCode(untilClosing: true)
        blank()
      } else if starts(with: "\\" + pound) {
        blank(pounds + 2)
      } else if source[place] == Self.newline, quote.utf8.count == 1 {
        return
      } else {
        blank()
      }
    }
  }

  private func starts(with text: String) -> Bool {
    var index = place
    for byte in text.utf8 {
      guard index < source.count, source[index] == byte else { return false }
      index += 1
    }
    return true
  }

  /// The `#` in front of a raw literal's quote, or nil where no literal starts.
  private func poundsBeforeQuote() -> Int? {
    var index = place
    while index < source.count, source[index] == UInt8(ascii: "#") { index += 1 }
    return index < source.count && source[index] == UInt8(ascii: "\"") ? index - place : nil
  }

  private mutating func blank(_ count: Int = 1) {
    for index in place..<min(place + count, source.count) where source[index] != Self.newline { code[index] = UInt8(ascii: " ") }
    place = min(place + count, source.count)
  }

  private static let newline = UInt8(ascii: "\n")
  private static let opening = UInt8(ascii: "(")
  private static let closing = UInt8(ascii: ")")
}

@Suite struct `Swift code without comments and texts` {
  @Test(arguments: [
    ("a // b\nc", "a     \nc"),
    ("a /* b /* c */ d */ e", "a                   e"),
    ("a /* b\nc */ d", "a     \n     d"),
    (#"a "b" c"#, "a     c"),
    (#"a "b\"c" d"#, "a        d"),
    ("a #\"b\"c\"# d", "a         d"),
    (#"a "\(b["c"])" d"#, "a             d"),
    (#"a "\(b(")"))" d"#, "a             d"),
    ("a \"\"\"\n b \"c\" // d\n \"\"\" e", "a    \n           \n     e"),
    ("a \"unfinished\nb", "a            \nb"),
    ("#if a\n\"b\"", "#if a\n   "),
  ])
  func `what is in them is blanked, what is around them stays`(text: String, code: String) {
    #expect(SwiftCode.withoutCommentsAndTexts(text) == code)
  }
}
