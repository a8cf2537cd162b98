import Foundation
import Testing

/// The repository as a reader finds it. Build folders and other hidden ones are left out, `.ci` is not.
enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").standardizedFileURL

  /// Every text file that people wrote, by its path from the root.
  static func files(under folders: [String]) throws -> [TextFile] {
    try folders.flatMap { folder in
      try paths(under: folder).compactMap { path in
        let bytes = try Data(contentsOf: root.appendingPathComponent(path))
        return String(validating: bytes, as: UTF8.self).map { TextFile(path: path, text: $0) }
      }
    }.sorted { $0.path < $1.path }
  }

  static var swiftFiles: [TextFile] {
    get throws { try files(under: ["Sources", "Tests"]).filter { $0.path.hasSuffix(".swift") } }
  }

  static func folders(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      at: root.appendingPathComponent(folder), includingPropertiesForKeys: [.isDirectoryKey], options: [.skipsHiddenFiles]
    ).filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }.map(\.lastPathComponent).sorted()
  }

  private static func paths(under path: String) throws -> [String] {
    let url = root.appendingPathComponent(path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return [] }
    guard isFolder.boolValue else { return [path] }
    return try FileManager.default.contentsOfDirectory(atPath: url.path).filter { !$0.hasPrefix(".") && $0 != "__pycache__" }
      .flatMap { try paths(under: "\(path)/\($0)") }
  }
}

struct TextFile {
  /// From the repository's root.
  let path: String
  let text: String

  /// `HTTP` of `Sources/HTTP/Syscalls.swift`.
  var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  /// The lines with comments and texts blanked out, so that only what the compiler acts on is judged.
  var codeLines: [Substring] { SwiftCode.withoutCommentsAndTexts(text).split(separator: "\n", omittingEmptySubsequences: false) }

  /// A quick look that spares most files the slow one.
  func mentions(_ words: [String]) -> Bool { words.contains { text.contains($0) } }
}

/// What a check has against a file.
struct Finding: Hashable, CustomStringConvertible {
  let path: String
  var line: Int?
  let what: String

  /// The tree is clean, or every finding is told by itself.
  static func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    for finding in findings { Issue.record("\(finding)", sourceLocation: sourceLocation) }
  }

  var description: String { line.map { "\(path):\($0): \(what)" } ?? "\(path): \(what)" }
}
