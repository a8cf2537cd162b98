import Foundation
import JSON
import Testing

/// How a server leaves, and what its children do when it is gone.
@Suite struct `A server that leaves` {
  private static let examples = SampleData.barsAndStripes(side: 4, copies: 10)

  private static func children(of pid: Int32, _ kind: String) throws -> [Int32] {
    try Program.run("/usr/bin/pgrep", ["-P", "\(pid)", "-f", "fount \(kind)"]).output.split(separator: "\n").compactMap { Int32($0) }
  }

  private static func isAlive(_ pid: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return !stat.contains(") Z ")
  }

  private static func eventually(_ what: String, seconds: Double = 60, _ condition: () throws -> Bool) throws {
    let end = Date.now + seconds
    while try !condition() {
      try #require(Date.now < end, "\(what)")
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// A job whose worker does not answer SIGTERM, for it stands still.
  private static func stuckJob(_ fount: FountProcess) throws -> (id: String, worker: Int32) {
    let id = try #require(try fount.submit(`A job that is steered`.longJob(try fount.dataset(examples), ["epochs": 100_000]))["id"]?.string)
    try fount.wait(for: id) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    let worker = try #require(try children(of: fount.pid, "worker").first)
    Foundation.kill(worker, SIGSTOP)
    return (id, worker)
  }

  @Test func `says so to who asks, takes nothing new, and is gone in time with status 0, its jobs interrupted`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1", "--drain-seconds-max", "4"])
    let (id, worker) = try Self.stuckJob(fount)
    let start = Date.now
    Foundation.kill(fount.pid, SIGTERM)
    try Self.eventually("readyz says 503") { try fount.curl("/readyz").status == 503 }
    #expect(try fount.curl("/livez").status == 200)
    #expect(try fount.job(id)["status"] == "running")
    let refused = try fount.post("/v1/jobs", [:])
    #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
    #expect(fount.waitForEnd() == 0)
    #expect(Date.now.timeIntervalSince(start) < 9)
    #expect(!Self.isAlive(worker))
    let next = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let history = try next.job(id)["history"]?.array?.compactMap { $0["status"]?.string }
    #expect(history == ["queued", "running", "interrupted", "queued"])
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func `leaves at once when told twice`(second: Int32) throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1", "--drain-seconds-max", "60"])
    let (_, worker) = try Self.stuckJob(fount)
    Foundation.kill(fount.pid, SIGTERM)
    try Self.eventually("readyz says 503") { try fount.curl("/readyz").status == 503 }
    let start = Date.now
    Foundation.kill(fount.pid, second)
    #expect(fount.waitForEnd() == 128 + second)
    #expect(Date.now.timeIntervalSince(start) < 10)
    Foundation.kill(worker, SIGKILL)
  }

  @Test func `without a word takes its samplers with it, whatever they are at`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--samplers", "1"])
    let job = try fount.submit(
      `The main job`.body(try fount.dataset(Self.examples), ["family": "rbm", "configuration": ["hidden": 500], "training": ["epochs": 1]]))
    let model = try #require(try fount.finish(job["id"]?.string ?? "")["model"]?.string)
    #expect(try fount.curl("/v1/models/\(model)/samples?count=1&seed=1").status == 200)
    let sampler = try #require(try Self.children(of: fount.pid, "sampler").first)
    // Minutes of Gibbs steps, in which it does not look at its socket.
    let client = Process()
    client.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    client.arguments = ["-sS", "-o", "/dev/null", "\(fount.base)/v1/models/\(model)/samples?count=1000&seed=1&burn_in=100000"]
    client.standardError = FileHandle.nullDevice
    try client.run()
    func processorTicks() throws -> Int {
      let stat = try String(contentsOfFile: "/proc/\(sampler)/stat", encoding: .utf8).split(separator: " ")
      return (Int(stat[13]) ?? 0) + (Int(stat[14]) ?? 0)
    }
    let before = try processorTicks()
    try Self.eventually("the sampler is at work") { try processorTicks() > before + 30 }
    fount.kill()
    try Self.eventually("the sampler goes") { !Self.isAlive(sampler) }
    client.waitUntilExit()
  }

  @Test func `has told why a child died: one that was killed from outside is nobody's fault`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--samplers", "1", "--decoders", "1"])
    let model = try `The main job`.trainedModel(fount, Self.examples)
    let path = "/v1/models/\(model)/samples?count=1&seed=1"
    #expect(try fount.curl(path).status == 200)
    // A warm one that was killed while it was idle is replaced, and nobody sees it.
    let sampler = try #require(try Self.children(of: fount.pid, "sampler").first)
    Foundation.kill(sampler, SIGKILL)
    #expect(try fount.curl(path).status == 200)
    // A large upload, whose decoder is killed in the middle.
    let file = folder.path + "-large"
    try Data(SampleData.idx([600_000, 8, 8], [UInt8](repeating: 1, count: 38_400_000))).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    let killer = Process()
    killer.executableURL = URL(fileURLWithPath: "/bin/sh")
    killer.arguments = ["-c", "while ! pkill -KILL -P \(fount.pid) -f 'fount decode'; do :; done"]
    try killer.run()
    let answer = try fount.curl("/v1/datasets", "--data-binary", "@\(file)")
    killer.waitUntilExit()
    #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer.text)")
    #expect(answer.text.contains("killed from outside"))
    #expect(try fount.curl("/v1/datasets", "--data-binary", "@\(file)").status == 201)
  }
}
