import Foundation
import Testing

/// Scripts have no compiler: at least bash has to be able to read them.
@Suite struct Scripts {
  @Test func `every script is readable bash, and may be run unless it is there to be sourced`() throws {
    let files = try SourceTree.files(under: ["Deploy", ".ci"]).filter { !$0.path.hasSuffix(".md") }
    #expect(files.map(\.path).contains("Deploy/quickstart"))
    for file in files {
      let url = SourceTree.root.appendingPathComponent(file.path)
      let mayRun = FileManager.default.isExecutableFile(atPath: url.path)
      #expect(mayRun == file.text.hasPrefix("#!"), "\(file.path)")
      #expect(throws: Never.self, "\(file.path)") { try Scripts.check(url) }
    }
  }

  @Test func `a script with a loop that never ends its body is found`() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("fount-script-\(UUID().uuidString)")
    try Data("while true; do\n".utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }  // A leftover file in the temporary folder harms nobody.
    #expect(throws: Command.Failed.self) { try Scripts.check(url) }
  }

  private static func check(_ script: URL) throws {
    _ = try Command.output(of: URL(fileURLWithPath: "/bin/bash"), ["-n", script.path])
  }
}
