import Foundation
import JSON
import Testing

/// What SIGKILL can't take: an acknowledged job, and the steps up to its newest checkpoint.
@Suite struct `A killed process` {
  /// Long enough that a kill comes in the middle, with a checkpoint a second.
  private static func longJob(_ dataset: String) -> JSONValue {
    `The main job`.body(
      dataset,
      [
        "training": [
          "epochs": 400, "batch_size": 10, "learning_rate": 0.001, "validation_fraction": 0.2, "checkpoint_every_seconds": 1,
        ], "configuration": ["hidden_layers": [256]],
      ])
  }

  private static func hasCheckpoint(_ fount: FountProcess, _ job: JSONValue) throws -> Bool {
    try fount.curl("/v1/models/\(job["model"]?.string ?? "")").json["step"]?.integer != nil
  }

  @Test func `server finds its job on start, and the job goes on from its checkpoint to the same weights`() throws {
    let folder = try TemporaryFolder()
    let examples = SampleData.barsAndStripes(side: 5, copies: 20)
    var fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(examples)
    let accepted = try fount.submit(Self.longJob(dataset))
    let id = try #require(accepted["id"]?.string)
    let model = try #require(accepted["model"]?.string)
    let running = try fount.wait(for: id) { _ in (try? Self.hasCheckpoint(fount, accepted)) ?? false }
    #expect(running["status"] == "running")
    fount.kill()
    fount = try FountProcess(data: folder.path)
    let done = try fount.finish(id)
    #expect((done["attempt"]?.integer ?? 0) >= 2)
    let statuses = done["history"]?.array?.compactMap { $0["status"]?.string } ?? []
    #expect(statuses == ["queued", "running", "interrupted", "queued", "running", "succeeded"])

    // A run that nothing stopped.
    let whole = try fount.submit(Self.longJob(dataset))
    try fount.finish(try #require(whole["id"]?.string))
    let (a, b) = (model, try #require(whole["model"]?.string))
    let npy = ["-H", "Accept: application/x-npy"]
    #expect(
      try fount.curl("/v1/models/\(a)/samples?count=200&seed=1", npy).body
        == fount.curl("/v1/models/\(b)/samples?count=200&seed=1", npy).body)
    let metrics = try fount.job(try #require(whole["id"]?.string))["metrics"]
    #expect(done["metrics"]?["validation_nats"] == metrics?["validation_nats"])
  }

  @Test func `worker is replaced, and the job succeeds`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let accepted = try fount.submit(Self.longJob(try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))))
    let id = try #require(accepted["id"]?.string)
    try fount.wait(for: id) { _ in (try? Self.hasCheckpoint(fount, accepted)) ?? false }
    let workers = try Program.run("/usr/bin/pgrep", ["-f", "worker .*\(id)"]).output.split(separator: "\n").compactMap { Int32($0) }
    #expect(workers.count == 1)
    for worker in workers { Foundation.kill(worker, SIGKILL) }
    let done = try fount.finish(id)
    #expect(done["attempt"] == 2)
  }

  @Test func `server leaves no worker behind`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let id = try #require(try fount.submit(Self.longJob(try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))))["id"]?.string)
    try fount.wait(for: id) { $0["status"] == "running" }
    fount.kill()
    let end = Date.now + 60
    while try Program.run("/usr/bin/pgrep", ["-f", "worker .*\(id)"]).status == 0 {
      try #require(Date.now < end, "the worker outlived its server")
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  @Test func `or rather a server told to leave does so cleanly, and its job goes on at the next start`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let id = try #require(try fount.submit(Self.longJob(try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))))["id"]?.string)
    try fount.wait(for: id) { $0["status"] == "running" }
    #expect(fount.stop() == 0)
    fount = try FountProcess(data: folder.path)
    try fount.finish(id)
  }

  @Test func `is no server that Ctrl-C ends together with the script around it: it leaves cleanly`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let id = try #require(try fount.submit(Self.longJob(try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))))["id"]?.string)
    try fount.wait(for: id) { $0["status"] == "running" }
    // The terminal's SIGINT reaches the server too, and the script's SIGTERM follows.
    Foundation.kill(fount.pid, SIGINT)
    Thread.sleep(forTimeInterval: 0.2)
    #expect(fount.stop() == 0)
  }

  @Test func `is not what cancel leaves behind: the job is cancelled, and stays so`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))
    let id = try #require(try fount.submit(Self.longJob(dataset))["id"]?.string)
    try fount.wait(for: id) { $0["status"] == "running" }
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    try fount.wait(for: id) { $0["status"] == "cancelled" }
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    let done = try fount.submit(`The main job`.body(dataset))
    try fount.finish(try #require(done["id"]?.string))
    let refused = try fount.curl("/v1/jobs/\(done["id"]?.string ?? "")/cancel", "-X", "POST")
    #expect(refused.status == 409)
    #expect(try fount.job(id)["status"] == "cancelled")
  }
}
