import Foundation
import Testing

/// What somebody sees who opens the repository, and nothing more.
@Suite struct `Top level of the repository` {
  static let tracked = try? Command.output(  // A copy without its history, or a machine without git: there is nothing to hold to.
    of: URL(fileURLWithPath: "/usr/bin/env"), ["git", "-c", "safe.directory=*", "-C", SourceTree.root.path, "ls-files", "-z"])

  @Test(.enabled(if: tracked != nil, "a copy without its history says nothing of what is kept"))
  func `it holds what was agreed on and hidden files`() throws {
    let output = try #require(Self.tracked)
    let paths = output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    #expect(paths.count > 2)
    #expect(TopLevel.strangers(among: paths) == [])
  }

  @Test func `anything else is found, once`() {
    let paths = ["Package.swift", "Sources/A/A.swift", ".gitignore", ".ci/run", "notes.txt", "Scripts/a", "Scripts/b", "Makefile"]
    #expect(TopLevel.strangers(among: paths) == ["Makefile", "Scripts", "notes.txt"])
  }
}

private enum TopLevel {
  private static let agreed: Set = ["Package.swift", "Sources", "Tests", "Config", "Deploy", "README.md"]

  static func strangers(among paths: [String]) -> [String] {
    let top = Set(paths.compactMap { $0.split(separator: "/").first.map(String.init) })
    return top.filter { !agreed.contains($0) && !$0.hasPrefix(".") }.sorted()
  }
}
