import Testing

/// What stops the whole server, and what puts work off.
@Suite struct `Refused words` {
  @Test func `no source traps on the world's faults or leaves work for later`() throws {
    let files = try SourceTree.files(under: ["Sources"])
    #expect(files.count > 2)
    Finding.expectNone(RefusedWords.found(in: files))
  }

  @Test(arguments: [
    "fatalError(\"no\")", "let a = try! f()", "// TODO: later", "/* FIXME */", "let a = 1  // XXX", "let a = b as! Int", "print(\"TODO\")",
  ])
  func `one is found, in a comment too where it puts work off`(text: String) {
    let file = TextFile(path: "Sources/A/A.swift", text: "\n\(text)\n")
    #expect(RefusedWords.found(in: [file]).map(\.line) == [2])
  }

  @Test(arguments: ["// never fatalError, never try!", "let a = \"try!\"", "let todo = 1", "try? f()", "let fatalErrors = 0", "a as? Int"])
  func `mentions and likenesses are not`(text: String) {
    #expect(RefusedWords.found(in: [TextFile(path: "Sources/A/A.swift", text: text)]) == [])
  }

  @Test func `C is held to the words that put work off`() {
    #expect(RefusedWords.found(in: [TextFile(path: "Sources/C/a.c", text: "int a; // TODO\n")]).count == 1)
  }
}

private enum RefusedWords {
  static func found(in files: [TextFile]) -> [Finding] {
    files.filter { $0.mentions(["TODO", "FIXME", "XXX", "fatalError", "try!", "as!"]) }.flatMap { file in
      let postponing = file.lines.enumerated().flatMap { index, line in
        line.matches(of: /\b(?:TODO|FIXME|XXX)\b/).map { Finding(path: file.path, line: index + 1, what: "says \($0.output)") }
      }
      guard file.path.hasSuffix(".swift") else { return postponing }
      let trapping = file.codeLines.enumerated().flatMap { index, line in
        line.matches(of: /\bfatalError\b|\btry!|\bas!/).map { Finding(path: file.path, line: index + 1, what: "uses \($0.output)") }
      }
      return postponing + trapping
    }
  }
}
