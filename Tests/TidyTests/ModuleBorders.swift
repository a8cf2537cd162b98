import Foundation
import Testing

/// SwiftPM lets a file import whatever is built by then, declared or not. Here the manifest is the map and every import is held to it.
@Suite struct `Module borders` {
  @Test func `every file imports only what its target declares`() throws {
    Finding.expectNone(try ModuleBorders.undeclaredImports(in: SourceTree.swiftFiles, of: .ofRepository()))
  }

  @Test func `every folder of Sources and Tests is a declared target`() throws {
    let declared = Set(try Manifest.ofRepository().targets.map(\.name))
    #expect(declared.count > 2)
    for parent in ["Sources", "Tests"] {
      let strangers = ModuleBorders.undeclaredFolders(try SourceTree.folders(in: parent), of: declared)
      #expect(strangers == [])
    }
  }

  @Test func `a name on disk that the manifest lacks is found`() {
    #expect(ModuleBorders.undeclaredFolders(["HTTP", "Old"], of: ["HTTP"]) == ["Old"])
  }

  @Test(arguments: [
    "import Jobs", "@testable import Jobs", "@preconcurrency import Jobs", "public import Jobs", "package import Jobs",
    "import struct Jobs.Record", "import Jobs.Sub", "  import Jobs", "@_implementationOnly import Jobs",
    "#if os(Linux)\nimport Jobs\n#endif",
    "import Testing",
  ])
  func `an undeclared import is found in every form`(text: String) {
    #expect(findings(text).count == 1)
  }

  @Test(arguments: [
    "import HTTP", "import Foundation\nimport Dispatch\nimport Synchronization", "// import Jobs", "let a = \"import Jobs\"",
    "/*\nimport Jobs\n*/", "let imported = Jobs", "import Yams", "import Service",
  ])
  func `declared ones, the toolchain's and mere mentions are not`(text: String) {
    #expect(findings(text) == [])
  }

  @Test func `a test target may import Testing`() {
    let manifest = Manifest(targets: [Manifest.Target(name: "HTTPTests", kind: "test", dependencies: ["HTTP"])])
    let file = TextFile(path: "Tests/HTTPTests/A.swift", text: "import HTTP\nimport Testing\nimport Jobs\n")
    #expect(
      ModuleBorders.undeclaredImports(in: [file], of: manifest) == [
        Finding(path: "Tests/HTTPTests/A.swift", line: 3, what: "imports Jobs, which HTTPTests does not declare")
      ])
  }

  @Test func `the manifest's names are read from products and targets alike`() throws {
    let dump = """
      {"name": "x", "targets": [{"name": "A", "type": "regular", "path": null, "dependencies": [
        {"byName": ["B", null]}, {"product": ["C", "c-package", null, {"platformNames": ["linux"]}]}, {"target": ["D", null]}]}]}
      """
    let target = try #require(try Manifest(dump: Data(dump.utf8)).targets.first)
    #expect(target.name == "A")
    #expect(target.dependencies == ["B", "C", "D"])
  }

  private func findings(_ text: String) -> [Finding] {
    let service = Manifest.Target(name: "Service", kind: "regular", dependencies: ["HTTP", "Yams"])
    return ModuleBorders.undeclaredImports(
      in: [TextFile(path: "Sources/Service/Sub/A.swift", text: text)], of: Manifest(targets: [service]))
  }
}

private enum ModuleBorders {
  /// The toolchain's own, which need no declaration.
  private static let ownToolchain: Set = [
    "Swift", "Foundation", "Dispatch", "Glibc", "Synchronization", "RegexBuilder", "_StringProcessing",
  ]

  static func undeclaredImports(in files: [TextFile], of manifest: Manifest) -> [Finding] {
    let targets = Dictionary(manifest.targets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return files.flatMap { file -> [Finding] in
      guard let target = targets[file.target] else { return [Finding(path: file.path, what: "belongs to no declared target")] }
      var known = ownToolchain.union(target.dependencies).union([target.name])
      if target.kind == "test" { known.insert("Testing") }
      return file.codeLines.enumerated().compactMap { index, line in
        guard let module = importedModule(line), !known.contains(module) else { return nil }
        return Finding(path: file.path, line: index + 1, what: "imports \(module), which \(target.name) does not declare")
      }
    }
  }

  static func undeclaredFolders(_ folders: [String], of declared: Set<String>) -> [String] { folders.filter { !declared.contains($0) } }

  /// `Jobs` of `@testable import struct Jobs.Record`.
  private static func importedModule(_ line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard let place = words.firstIndex(of: "import") else { return nil }
    let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    guard words[..<place].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
    let names = words[(place + 1)...].drop { kinds.contains($0) }
    return names.first.flatMap { $0.split(separator: ".").first }.map { String($0.filter { $0 != ";" }) }
  }
}
