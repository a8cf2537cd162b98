import Foundation
import Testing

/// Scripts have no compiler: at least their language has to be able to read them.
@Suite struct Scripts {
  @Test func `every script can be read, and may be run unless it is there to be sourced`() throws {
    let files = try SourceTree.files(under: ["Deploy", ".ci"])
    #expect(files.map(\.path).contains("Deploy/quickstart"))
    for file in files {
      let url = SourceTree.root.appendingPathComponent(file.path)
      let mayRun = FileManager.default.isExecutableFile(atPath: url.path)
      #expect(mayRun == file.text.hasPrefix("#!"), "\(file.path)")
      if Scripts.isBash(file) { #expect(throws: Never.self, "\(file.path)") { try Scripts.check(url) } }
    }
  }

  @Test func `what bash has to read is what says so, and what has no extension that says otherwise`() {
    let files = [("Deploy/test", "#!/bin/bash\n"), ("Deploy/packages", "# Sourced\n"), ("Deploy/a.sh", "#!/bin/bash\n")]
    #expect(files.allSatisfy { Scripts.isBash(TextFile(path: $0.0, text: $0.1)) })
    let others = [("Deploy/a.py", "#!/usr/bin/env python3\n"), ("Deploy/Dockerfile", "FROM a\n"), ("Deploy/a/b.yaml", "a: 1\n")]
    #expect(!others.contains { Scripts.isBash(TextFile(path: $0.0, text: $0.1)) })
  }

  @Test func `a script with a loop that never ends its body is found`() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("fount-script-\(UUID().uuidString)")
    try Data("while true; do\n".utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }  // A leftover file in the temporary folder harms nobody.
    #expect(throws: Command.Failed.self) { try Scripts.check(url) }
  }

  private static func isBash(_ file: TextFile) -> Bool {
    let name = file.path.split(separator: "/").last ?? ""
    return file.text.hasPrefix("#!/bin/bash") || (!file.text.hasPrefix("#!") && !name.contains(".") && name != "Dockerfile")
  }

  private static func check(_ script: URL) throws {
    _ = try Command.output(of: URL(fileURLWithPath: "/bin/bash"), ["-n", script.path])
  }
}
