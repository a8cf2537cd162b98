import Foundation
import JSON
import Testing

/// Clients that hang up before their answer: what was begun for them goes with them.
@Suite struct `A client that vanishes` {
  @Test func `while its request waits for a sampler leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--samplers", "1"])
    let examples = SampleData.barsAndStripes(side: 3, copies: 10)
    let model = try `The main job`.trainedModel(fount, examples)
    #expect(try fount.curl("/v1/models/\(model)/samples?count=1&seed=1").status == 200)
    let upload = folder.path + "-upload"
    try Data(examples).write(to: URL(fileURLWithPath: upload))
    defer { try? FileManager.default.removeItem(atPath: upload) }  // A leftover harms nothing.

    // The one sampler stands still, so that all but the first wait.
    let sampler = try #require(try Self.children(of: fount, "sampler").first)
    Foundation.kill(sampler, SIGSTOP)
    let urls = [String](repeating: "\(fount.base)/v1/models/\(model)/score", count: 8)
    let clients = try Program.run(
      "/usr/bin/curl", ["-sS", "-Z", "--parallel-immediate", "--max-time", "2", "--data-binary", "@\(upload)"] + urls)
    #expect(clients.status == 28)  // Curl's own number for a time that is up.

    let end = Date.now + 30
    while try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming") != ["bodies"] {
      try #require(Date.now < end, "a decoder's folder outlived its request")
      Thread.sleep(forTimeInterval: 0.1)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming/bodies").isEmpty)
    #expect(try fount.curl("/v1/models/\(model)/samples?count=1&seed=1").status == 200)
  }

  @Test func `is not the only one that a sampler is taken from: so is one whose time is up`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--samplers", "1", "--request-seconds-max", "1"])
    let model = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 3, copies: 10))
    let path = "/v1/models/\(model)/samples?count=1&seed=1"
    #expect(try fount.curl(path).status == 200)
    Foundation.kill(try #require(try Self.children(of: fount, "sampler").first), SIGSTOP)
    let late = try fount.curl(path)
    #expect(late.status == 503 && late.headers["retry-after"] != nil)
    #expect(try fount.curl(path).status == 200)
  }

  private static func children(of fount: FountProcess, _ kind: String) throws -> [Int32] {
    let found = try Program.run("/usr/bin/pgrep", ["-P", String(fount.pid), "-f", "fount \(kind)"])
    return found.output.split(separator: "\n").compactMap { Int32($0) }
  }
}
