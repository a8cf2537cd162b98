import Testing

/// A name says what a thing is, never that it is useful.
@Suite struct `Names of files and types` {
  @Test func `none of them is a shelf for whatever had no home`() throws {
    Finding.expectNone(try Names.refused(in: SourceTree.swiftFiles))
  }

  @Test(arguments: [
    "struct StringUtils {}", "enum HTTPHelper {}", "final class JobManager {}", "protocol ModelBase {}", "actor Common {}",
    "package struct RecordImpl: Sendable {}", "typealias Misc = Int", "struct Utilities {}",
  ])
  func `a type with a refused word in its name is found`(text: String) {
    #expect(Names.refused(in: [TextFile(path: "Sources/A/A.swift", text: text)]).count == 1)
  }

  @Test(arguments: ["Utils.swift", "String+Helpers.swift", "JobManager.swift", "BaseModel.swift"])
  func `a file with one is found`(name: String) {
    #expect(Names.refused(in: [TextFile(path: "Sources/A/\(name)", text: "")]).count == 1)
  }

  @Test func `so is a folder`() {
    #expect(Names.refused(in: [TextFile(path: "Sources/A/Common/A.swift", text: "")]).count == 1)
  }

  @Test(arguments: [
    "struct Database {}", "struct Base64 {}", "struct Baseline {}", "extension FileManager {}", "// struct Utils", "class var base: Int",
    "enum Commonality {}", "struct Implication {}",
  ])
  func `a word that only contains one is not, nor the use of a foreign type`(text: String) {
    #expect(Names.refused(in: [TextFile(path: "Sources/A/Database.swift", text: text)]) == [])
  }
}

private enum Names {
  private static let refusedWords: Set = [
    "Util", "Utils", "Utility", "Utilities", "Helper", "Helpers", "Common", "Misc", "Manager", "Managers", "Base", "Impl",
  ]

  static func refused(in files: [TextFile]) -> [Finding] {
    files.flatMap { file in
      let places = file.path.split(separator: "/").flatMap { $0.split(separator: "+") }.map { String($0.split(separator: ".").first ?? $0) }
      let inPath = places.flatMap { refusedWords(in: $0) }.map { Finding(path: file.path, what: "its path says \($0)") }
      let inTypes = file.codeLines.enumerated().flatMap { index, line in
        declaredTypes(line).flatMap { refusedWords(in: $0) }.map { word in
          Finding(path: file.path, line: index + 1, what: "declares a type whose name says \(word)")
        }
      }
      return inPath + inTypes
    }
  }

  private static func declaredTypes(_ line: Substring) -> [String] {
    // Most lines declare nothing, and a regex costs more than this look.
    guard ["struct", "class", "enum", "actor", "protocol", "typealias"].contains(where: { line.contains($0) }) else { return [] }
    return line.matches(of: /\b(?:struct|class|enum|actor|protocol|typealias)\s+(?!func\b|var\b|let\b|subscript\b)([A-Za-z_]\w*)/)
      .map { String($0.output.1) }
  }

  /// Words of a camel-case name that are refused: `JobManager` is `Job`, `Manager`.
  private static func refusedWords(in name: String) -> [String] {
    name.matches(of: /[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+/).map { String($0.output) }.filter { refusedWords.contains($0) }
  }
}
