import Foundation
import JSON
import Testing

/// Pausing, resuming and forking with real workers; limits of the queue and the disk.
@Suite struct `A job that is steered` {
  static let examples = SampleData.barsAndStripes(side: 5, copies: 20)

  static func longJob(_ dataset: String, _ training: JSONObject = [:]) -> JSONValue {
    var all: JSONObject = [
      "epochs": 300, "batch_size": 10, "learning_rate": 0.001, "validation_fraction": 0.2, "checkpoint_every_seconds": 1,
    ]
    for (key, value) in training { all[key] = value }
    return `The main job`.body(dataset, ["training": .object(all), "configuration": ["hidden_layers": [64]]])
  }

  private static func statuses(_ job: JSONValue) -> [String] { job["history"]?.array?.compactMap { $0["status"]?.string } ?? [] }

  private static func samples(_ fount: FountProcess, _ job: JSONValue) throws -> Data {
    let model = try #require(job["model"]?.string)
    return try fount.curl("/v1/models/\(model)/samples?count=50&seed=1", "-H", "Accept: application/x-npy").body
  }

  @Test func `pauses with a checkpoint, goes on when resumed, and ends as one that never paused`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(Self.examples)
    let id = try #require(try fount.submit(Self.longJob(dataset))["id"]?.string)
    try fount.wait(for: id) { ($0["progress"]?["step"]?.integer ?? 0) > 100 }
    let pausing = try fount.curl("/v1/jobs/\(id)/pause", "-X", "POST")
    #expect(try pausing.status == 202 && pausing.json["status"] == "pausing")
    let paused = try fount.wait(for: id) { $0["status"] == "paused" }
    #expect(try fount.curl("/v1/jobs/\(id)/pause", "-X", "POST").json == paused)
    #expect(try fount.curl("/v1/models/\(paused["model"]?.string ?? "")").json["step"]?.integer ?? 0 > 0)
    #expect(try fount.curl("/v1/jobs/\(id)/resume", "-X", "POST").status == 202)
    let done = try fount.finish(id)
    #expect(Self.statuses(done) == ["queued", "running", "pausing", "paused", "queued", "running", "succeeded"])
    for verb in ["cancel", "pause", "resume"] { #expect(try fount.curl("/v1/jobs/\(id)/\(verb)", "-X", "POST").status == 409) }

    let whole = try fount.finish(try #require(try fount.submit(Self.longJob(dataset))["id"]?.string))
    #expect(try Self.samples(fount, whole) == Self.samples(fount, done))
  }

  @Test func `forks from its checkpoint with other training, and the fork outlives it`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(Self.examples)
    let short = try fount.submit(Self.longJob(dataset, ["epochs": 20]))
    let parent = try fount.finish(try #require(short["id"]?.string))
    let id = try #require(parent["id"]?.string)
    let unchanged = try fount.post("/v1/jobs/\(id)/fork", [:])
    #expect(try unchanged.status == 422 && unchanged.faults["/training/epochs"]?.contains("more than 20") == true)
    let wrong = try fount.post("/v1/jobs/\(id)/fork", ["step": 3, "training": ["epochs": 30]])
    #expect(try wrong.status == 422 && wrong.faults["/step"]?.contains("was 3") == true)
    let other = try fount.post(
      "/v1/jobs/\(id)/fork", ["training": ["epochs": 30, "validation_fraction": 0.3, "batchsize": 1], "familly": "vae"])
    #expect(try Set(other.faults.keys) == ["/familly", "/training/batchsize"])
    let split = try fount.post("/v1/jobs/\(id)/fork", ["training": ["epochs": 30, "validation_fraction": 0.3]])
    #expect(try Set(split.faults.keys) == ["/training/validation_fraction"])

    // With the same settings and more epochs, a fork is what the whole run would have been.
    let same = try fount.post("/v1/jobs/\(id)/fork", ["training": ["epochs": 40], "name": "longer"])
    #expect(same.status == 202)
    let faster = try fount.post("/v1/jobs/\(id)/fork", ["training": ["epochs": 30, "batch_size": 50, "learning_rate": 0.01]])
    #expect(faster.status == 202)
    let fork = try fount.finish(try #require(try same.json["id"]?.string))
    #expect(fork["name"] == "longer" && fork["model"] != parent["model"])
    let model = try fount.curl("/v1/models/\(fork["model"]?.string ?? "")").json
    #expect(model["lineage"]?["job"] == .string(id) && model["lineage"]?["model"] == parent["model"])
    let other40 = try fount.finish(try #require(try fount.submit(Self.longJob(dataset, ["epochs": 40]))["id"]?.string))
    #expect(try Self.samples(fount, fork) == Self.samples(fount, other40))
    #expect(try fount.finish(try #require(try faster.json["id"]?.string))["progress"]?["epoch"] == 30)

    #expect(try fount.curl("/v1/models/\(parent["model"]?.string ?? "")", "-X", "DELETE").status == 204)
    #expect(try Self.samples(fount, fork).count > 1000)
    #expect(try fount.post("/v1/jobs/\(id)/fork", ["training": ["epochs": 30]]).status == 409)
  }

  @Test func `that is a fork holds where it began no longer than it lives, also over a restart`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(Self.examples)
    let parent = try fount.finish(try fount.submit(Self.longJob(dataset, ["epochs": 20]))["id"]?.string ?? "")["id"]?.string ?? ""
    #expect(fount.stop() == 0)
    func origin(_ fork: JSONValue) -> String { "\(folder.path)/models/\(fork["model"]?.string ?? "")/origin.safetensors" }
    func isThere(_ fork: JSONValue) -> Bool { FileManager.default.fileExists(atPath: origin(fork)) }
    fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let forks = try (0..<2).map { _ in try fount.post("/v1/jobs/\(parent)/fork", ["training": ["epochs": 40]]).json }
    #expect(forks.allSatisfy(isThere))
    #expect(try fount.curl("/v1/jobs/\(forks[0]["id"]?.string ?? "")/cancel", "-X", "POST").status == 202)
    let end = Date.now + 30
    while isThere(forks[0]), Date.now < end { Thread.sleep(forTimeInterval: 0.02) }
    #expect(!isThere(forks[0]) && isThere(forks[1]))
    #expect(fount.stop() == 0)
    // As a kill leaves it between the job's end and the file's.
    try FileManager.default.copyItem(atPath: origin(forks[1]), toPath: origin(forks[0]))
    let check = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
    #expect(check.status == 1 && check.output.contains(origin(forks[0])) && !check.output.contains(origin(forks[1])), "\(check.output)")
    // One that can't begin any more is found too.
    var bytes = try #require(FileManager.default.contents(atPath: origin(forks[1])))
    let sound = bytes
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: origin(forks[1])))
    let damaged = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
    #expect(damaged.output.contains(origin(forks[1])) && damaged.output.contains("fork again"), "\(damaged.output)")
    try sound.write(to: URL(fileURLWithPath: origin(forks[1])))
    fount = try FountProcess(data: folder.path)
    #expect(!isThere(forks[0]))
    try fount.finish(forks[1]["id"]?.string ?? "")
    #expect(!isThere(forks[1]))
  }

  @Test func `says why it waits`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    let dataset = try fount.dataset(Self.examples)
    let first = try #require(try fount.submit(Self.longJob(dataset))["id"]?.string)
    try fount.wait(for: first) { $0["status"] == "running" }
    #expect(try fount.job(first)["queue"] == .null)
    let second = try #require(try fount.submit(Self.longJob(dataset))["id"]?.string)
    let urgent = try fount.submit(`The main job`.body(dataset, ["priority": 5]))
    #expect(urgent["queue"]?["position"] == 0)
    let queue = try fount.job(second)["queue"]
    #expect(queue?["position"] == 1 && queue?["reason"] == "workers_busy")
    #expect(queue?["detail"]?.string?.contains("1 of 1 workers") == true)
    #expect(fount.stop() == 0)
  }

  @Test func `beyond the limit of those that wait is refused with a time to ask again`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0", "--queued-jobs-max", "2"])
    let dataset = try fount.dataset(Self.examples)
    for _ in 0..<2 { _ = try fount.submit(Self.longJob(dataset)) }
    let refused = try fount.post("/v1/jobs", Self.longJob(dataset))
    #expect(refused.status == 429 && refused.headers["retry-after"] != nil)
  }

  @Test func `is not taken by a server whose disk is below its mark, which goes on with what it has`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(Self.examples)
    let done = try fount.submit(Self.longJob(dataset, ["epochs": 2]))
    try fount.finish(try #require(done["id"]?.string))
    let long = try #require(try fount.submit(Self.longJob(dataset))["id"]?.string)
    #expect(fount.stop() == 0)
    fount = try FountProcess(data: folder.path, flags: ["--disk-free-bytes-min", "1000 TiB"])
    #expect(try fount.post("/v1/jobs", Self.longJob(dataset)).status == 507)
    let upload = try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1))
    #expect(upload.status == 507 && upload.text.contains("kept free"))
    #expect(try fount.upload(Self.examples).status == 507)
    try fount.wait(for: long) { $0["status"] == "running" }
    #expect(try Self.samples(fount, done).count > 1000)
    #expect(try fount.curl("/v1/jobs/\(long)/cancel", "-X", "POST").status == 202)
  }
}
