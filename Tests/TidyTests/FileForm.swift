import Testing

/// The outer form of what people write: it ends where it ends, fits a screen's width, and is one idea long.
@Suite struct `Form of files` {
  @Test func `every file ends in one newline, fits 140 columns and stays under 500 lines`() throws {
    let files = try SourceTree.files(under: ["Sources", "Tests", "Config", "Deploy", ".ci", "Package.swift", "README.md"])
      .filter { FileForm.isWritten($0) }
    #expect(files.count > 2)
    Finding.expectNone(files.flatMap { FileForm.findings($0, longAllowed: FileForm.longAllowed) })
  }

  @Test(arguments: ["a", "a\n\n", "\n", "a\n\n\n"])
  func `a file that ends otherwise is found`(text: String) {
    #expect(findings("Sources/A/A.swift", text).count == 1)
  }

  @Test func `an empty file and a tidy one are fine`() {
    #expect(findings("Sources/A/A.swift", "") == [])
    #expect(findings("Sources/A/A.swift", "a\n") == [])
  }

  @Test func `a carriage return is found`() {
    #expect(findings("Sources/A/A.swift", "a\r\n").map(\.line) == [1])
  }

  @Test func `a line of 141 columns is found, one of 140 is not; prose may be wider, and JSON, whose texts can't be broken`() {
    #expect(findings("Sources/A/A.swift", "a\n\(String(repeating: "é", count: 141))\n").map(\.line) == [2])
    #expect(findings("Sources/A/A.swift", String(repeating: "é", count: 140) + "\n") == [])
    #expect(findings("README.md", String(repeating: "a", count: 500) + "\n") == [])
    #expect(findings("Deploy/a.json", "\"\(String(repeating: "a", count: 500))\"\n") == [])
  }

  @Test func `a file of more than 500 lines is found unless it is listed`() {
    let text = String(repeating: "a\n", count: 501)
    #expect(findings("Sources/A/A.swift", text).count == 1)
    #expect(findings("Sources/A/A.swift", String(repeating: "a\n", count: 500)) == [])
    #expect(FileForm.findings(TextFile(path: "Sources/A/A.swift", text: text), longAllowed: ["Sources/A/A.swift": "a table"]) == [])
  }

  @Test func `golden data is not judged, scripts are`() {
    #expect(!FileForm.isWritten(TextFile(path: "Tests/A/golden.json", text: "")))
    #expect(FileForm.isWritten(TextFile(path: "Deploy/test", text: "#!/bin/bash\n")))
    #expect(FileForm.isWritten(TextFile(path: "Sources/A/a.h", text: "")))
  }

  private func findings(_ path: String, _ text: String) -> [Finding] {
    FileForm.findings(TextFile(path: path, text: text), longAllowed: [:])
  }
}

private enum FileForm {
  static let columnsMax = 140
  static let linesMax = 500
  /// A file that is longer, and why it is one idea all the same.
  static let longAllowed: [String: String] = [:]

  private static let endings = [".swift", ".c", ".h", ".md", ".yaml", ".modulemap", ".html", ".css", ".js"]

  static func isWritten(_ file: TextFile) -> Bool {
    endings.contains { file.path.hasSuffix($0) } || file.path.hasPrefix("Deploy/") || file.text.hasPrefix("#!")
  }

  static func findings(_ file: TextFile, longAllowed: [String: String]) -> [Finding] {
    guard !file.text.isEmpty else { return [] }
    var findings: [Finding] = []
    let lines = file.text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
    // The last piece is what follows the last newline.
    if lines.last != "" || lines.dropLast().last == "" { findings.append(Finding(path: file.path, what: "must end in one newline")) }
    for (index, line) in lines.enumerated() {
      if line.utf8.last == UInt8(ascii: "\r") {
        findings.append(Finding(path: file.path, line: index + 1, what: "ends in a carriage return"))
      }
      if line.count > columnsMax, ![".md", ".json"].contains(where: { file.path.hasSuffix($0) }) {
        findings.append(Finding(path: file.path, line: index + 1, what: "is \(line.count) columns wide; \(columnsMax) are allowed"))
      }
    }
    if lines.count - 1 > linesMax, longAllowed[file.path] == nil {
      findings.append(Finding(path: file.path, what: "has \(lines.count - 1) lines; \(linesMax) are allowed"))
    }
    return findings
  }
}
