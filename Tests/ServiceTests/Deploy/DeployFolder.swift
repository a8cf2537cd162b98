import Foundation

/// The folder of what people deploy with.
enum DeployFolder {
  static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../Deploy").standardizedFileURL

  static func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  static func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
}
