import Foundation
import JSON
import Testing

/// Time that jumps, and processes that stand still.
@Suite struct `A clock that is set` {
  private static func start(_ folder: TemporaryFolder, clock: String) throws -> FountProcess {
    try FountProcess(
      data: folder.path, flags: ["--workers", "1"], environment: ["LD_PRELOAD": try PreloadedLibrary.clock(), "SHIM_CLOCK": clock])
  }

  @Test func `neither loses nor doubles a job, forwards or back, before a restart or over it`() throws {
    let folder = try TemporaryFolder()
    let clock = folder.path + "-clock"
    defer { try? FileManager.default.removeItem(atPath: clock) }  // A leftover harms nothing.
    func set(_ offset: String) throws { try offset.write(toFile: clock, atomically: true, encoding: .utf8) }
    try set("+0")
    var fount = try Self.start(folder, clock: clock)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 10))
    let keyed = ["-H", "Idempotency-Key: k", "-d", `The main job`.body(dataset).serialized()]
    let before = try fount.curl("/v1/jobs", keyed)
    var ids = [try #require(try before.json["id"]?.string)]
    let long = try #require(try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 300]))["id"]?.string)
    for (index, offset) in ["+3600", "-86400", "+0", "-3600"].enumerated() {
      try set(offset)
      ids.append(try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string))
      let job = try fount.job(ids.last ?? "")
      let told = try Date(job["created_at"]?.string ?? "", strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
      #expect(abs(told.timeIntervalSinceNow - (Double(offset) ?? 0)) < 120, "the clock was not set to \(offset)")
      // Less than a day of the key's has passed by this clock, whichever way.
      #expect(try fount.curl("/v1/jobs", keyed).body == before.body, "\(offset)")
      guard index == 1 else { continue }
      fount.kill()
      fount = try Self.start(folder, clock: clock)
    }
    for id in ids + [long] {
      let done = try fount.finish(id)
      let statuses = done["history"]?.array?.compactMap { $0["status"]?.string } ?? []
      #expect(statuses.first == "queued" && statuses.filter { $0 == "succeeded" }.count == 1, "\(statuses)")
    }
    let listed = try fount.curl("/v1/jobs?limit=100").json["data"]?.array?.map { $0["id"]?.string ?? "" } ?? []
    // Newest first by the order of their making, whatever the clock said.
    #expect(listed == ([ids[0], long] + ids.dropFirst()).reversed())
    #expect(try fount.curl("/v1/jobs/\(long)/cancel", "-X", "POST").status == 409)
    #expect(fount.stop() == 0)
  }

  @Test(arguments: ["+3600", "-3600"])
  func `is not what a request waits by for a job's news`(offset: String) throws {
    let folder = try TemporaryFolder()
    let clock = folder.path + "-clock"
    defer { try? FileManager.default.removeItem(atPath: clock) }  // A leftover harms nothing.
    try offset.write(toFile: clock, atomically: true, encoding: .utf8)
    let fount = try FountProcess(
      data: folder.path, flags: ["--workers", "0"], environment: ["LD_PRELOAD": try PreloadedLibrary.clock(), "SHIM_CLOCK": clock])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 10))
    let path = "/v1/jobs/\(try fount.submit(`The main job`.body(dataset))["id"]?.string ?? "")"
    let tag = try #require(try fount.curl(path).headers["etag"])
    let start = ContinuousClock.now
    let held = try fount.curl(path, "-H", "If-None-Match: \(tag)", "-H", "Prefer: wait=2", "--max-time", "30")
    #expect(held.status == 304 && held.headers["preference-applied"] == "wait=2")
    #expect(start.duration(to: .now) >= .seconds(1.9))
  }

  @Test func `is not what a worker that stood still is taken for: it goes on, and its job ends once`() throws {
    // With more rounds asked for, the whole minute.
    let seconds = Seeds.rounds > 1 ? 60.0 : 2
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 10))
    let id = try #require(try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 1000]))["id"]?.string)
    try fount.wait(for: id) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    let worker = try #require(try Self.worker(of: id))
    Foundation.kill(worker, SIGSTOP)
    Thread.sleep(forTimeInterval: seconds)
    #expect(try fount.job(id)["status"] == "running")
    Foundation.kill(worker, SIGCONT)
    let done = try fount.finish(id)
    #expect(done["attempt"] == 1)
  }

  @Test func `and a worker that stands still for good, when its server is killed, makes way for the next attempt`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 10))
    let id = try #require(try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 1000]))["id"]?.string)
    let cancelled = try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string)
    try fount.wait(for: id) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    let worker = try #require(try Self.worker(of: id))
    Foundation.kill(worker, SIGSTOP)
    fount.kill()
    fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    #expect(try fount.curl("/v1/jobs/\(cancelled)/cancel", "-X", "POST").status == 202)
    let done = try fount.finish(id)
    #expect(done["attempt"] == 2)
    // Gone, or a zombie that its new parent has yet to reap.
    let stat = try? String(contentsOfFile: "/proc/\(worker)/stat", encoding: .utf8)
    #expect(stat?.contains(") Z ") ?? true, "\(stat ?? "")")
  }

  private static func worker(of job: String) throws -> Int32? {
    try Program.run("/usr/bin/pgrep", ["-f", "worker .*\(job)"]).output.split(separator: "\n").first.flatMap { Int32($0) }
  }
}
