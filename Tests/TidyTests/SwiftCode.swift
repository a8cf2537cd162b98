import Testing

/// Swift source with its comments and string literals blanked out; line breaks stay, so that line numbers do.
/// An interpolation counts as part of its literal. Regex literals are not known: the tree has none with quotes in them.
struct SwiftCode {
  private var source: ArraySlice<Character>
  private var code = ""

  static func withoutCommentsAndTexts(_ text: String) -> String {
    var reader = SwiftCode(source: Array(text)[...])
    reader.readCode(untilClosing: nil)
    return reader.code
  }

  private init(source: ArraySlice<Character>) { self.source = source }

  /// - Parameter closing: the parenthesis that ends an interpolation.
  private mutating func readCode(untilClosing closing: Character?) {
    var depth = 0
    while let next = source.first {
      if starts(with: "//") {
        while let character = source.first, character != "\n" { blank(character) }
      } else if starts(with: "/*") {
        readBlockComment()
      } else if let pounds = poundsBeforeQuote() {
        readText(pounds: pounds)
      } else {
        if next == closing, depth == 0 { return }
        depth += next == "(" ? 1 : next == ")" ? -1 : 0
        code.append(source.removeFirst())
      }
    }
  }

  /// Block comments nest.
  private mutating func readBlockComment() {
    var depth = 0
    repeat {
      if starts(with: "/*") {
        depth += 1
        drop(2)
      } else if starts(with: "*/") {
        depth -= 1
        drop(2)
      } else if let character = source.first {
        blank(character)
      }
    } while depth > 0 && !source.isEmpty
  }

  private mutating func readText(pounds: Int) {
    let pound = String(repeating: "#", count: pounds)
    drop(pounds)
    let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
    drop(quote.count)
    while let character = source.first {
      if starts(with: quote + pound) { return drop(quote.count + pounds) }
      if starts(with: "\\" + pound + "(") {
        drop(pounds + 2)
        let outside = code
        readCode(untilClosing: ")")
        let inside = code.dropFirst(outside.count)
        code = outside + inside.map { $0 == "\n" ? "\n" : " " }
        drop(1)
      } else if starts(with: "\\" + pound) {
        drop(pounds + 1)
        if let escaped = source.first { blank(escaped) }
      } else if character == "\n", quote.count == 1 {
        return
      } else {
        blank(character)
      }
    }
  }

  private func starts(with text: String) -> Bool { source.starts(with: text) }

  /// The `#` in front of a raw literal's quote, or nil where no literal starts.
  private func poundsBeforeQuote() -> Int? {
    let pounds = source.prefix(while: { $0 == "#" }).count
    return source.dropFirst(pounds).first == "\"" ? pounds : nil
  }

  private mutating func drop(_ count: Int) {
    code += String(repeating: " ", count: min(count, source.count))
    source = source.dropFirst(count)
  }

  private mutating func blank(_ character: Character) {
    code.append(character == "\n" ? "\n" : " ")
    source.removeFirst()
  }
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
