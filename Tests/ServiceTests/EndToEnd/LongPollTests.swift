import Foundation
import JSON
import Testing

/// `GET /v1/jobs/{id}` with `Prefer: wait=` and `If-None-Match`.
@Suite struct `A request that waits for a job's news` {
  private let folder: TemporaryFolder
  private let fount: FountProcess
  private let id: String

  init() throws {
    folder = try TemporaryFolder()
    fount = try FountProcess(data: folder.path, flags: ["--workers", "0", "--request-seconds-max", "20"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))
    id = try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string)
  }

  private func ask(_ tag: String?, wait: String? = nil, _ more: [String] = []) throws -> (answer: Answer, seconds: Double) {
    let fields = (tag.map { ["-H", "If-None-Match: \($0)"] } ?? []) + (wait.map { ["-H", "Prefer: \($0)"] } ?? [])
    let start = Date.now
    let answer = try fount.curl("/v1/jobs/\(id)", fields + more)
    return (answer, Date.now.timeIntervalSince(start))
  }

  @Test func `is answered 304 when its time is up`() throws {
    let tag = try #require(try ask(nil).answer.headers["etag"])
    #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))
    #expect(try ask(tag).answer.status == 304)
    let (answer, seconds) = try ask(tag, wait: "wait=1")
    #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == tag)
    #expect(answer.headers["preference-applied"] == "wait=1")
    #expect(seconds >= 1)
  }

  @Test func `is answered at once where there is nothing to compare, or the news is there already`() throws {
    let (first, _) = try ask(nil, wait: "wait=15")
    #expect(first.status == 200)
    let (stale, seconds) = try ask("\"0123456789abcdef-0123456789abcdef\"", wait: "wait=15")
    #expect(try stale.status == 200 && stale.json["status"] == "queued")
    #expect(seconds < 10)
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    let tag = try #require(try ask(nil).answer.headers["etag"])
    // A finished job has no more news.
    let (finished, wait) = try ask(tag, wait: "wait=15")
    #expect(finished.status == 304 && wait < 10)
  }

  @Test func `has its news the moment that it comes, as have all others who wait`() throws {
    let tag = try #require(try ask(nil).answer.headers["etag"])
    let urls = [String](repeating: "\(fount.base)/v1/jobs/\(id)", count: 40)
    let waiting = Process()
    waiting.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    waiting.arguments =
      ["-sS", "-Z", "--parallel-immediate", "-H", "If-None-Match: \(tag)", "-H", "Prefer: wait=19", "-w", "%{http_code}\n"] + urls
    let output = Pipe()
    waiting.standardOutput = output
    try waiting.run()
    Thread.sleep(forTimeInterval: 0.7)
    // Nobody else waits for those who wait.
    #expect(try fount.curl("/v1/jobs").status == 200)
    let start = Date.now
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(Date.now.timeIntervalSince(start) < 10)
    #expect(text.components(separatedBy: "\"status\":\"cancelled\"").count - 1 >= 40)
    #expect(text.split(separator: "\n").filter { $0 == "200" }.count == 40)
  }

  @Test func `waits no longer than a request may take, and does not mind what it does not know`() throws {
    let fount = try FountProcess(data: folder.path + "/other", flags: ["--workers", "0", "--request-seconds-max", "1"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))
    let id = try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string)
    let tag = try #require(try fount.curl("/v1/jobs/\(id)").headers["etag"])
    let start = Date.now
    let bounded = try fount.curl("/v1/jobs/\(id)", "-H", "If-None-Match: \(tag)", "-H", "Prefer: respond-async, Wait=\"99999\"; x=1")
    #expect(bounded.status == 304 && bounded.headers["preference-applied"] == "wait=1")
    #expect(Date.now.timeIntervalSince(start) < 15)
    for preference in ["wait", "wait=", "wait=-1", "wait=x", "wait=99999999999999999999", "return=minimal", ",;="] {
      let answer = try fount.curl("/v1/jobs/\(id)", "-H", "If-None-Match: \(tag)", "-H", "Prefer: \(preference)")
      #expect(answer.status == 304 && answer.headers["preference-applied"] == nil, "\(preference)")
    }
  }

  @Test func `is let go when the server leaves`() throws {
    let tag = try #require(try ask(nil).answer.headers["etag"])
    let waiting = Process()
    waiting.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    waiting.arguments =
      ["-sS", "-H", "If-None-Match: \(tag)", "-H", "Prefer: wait=19", "-w", "%{http_code}", "\(fount.base)/v1/jobs/\(id)"]
    let output = Pipe()
    waiting.standardOutput = output
    try waiting.run()
    Thread.sleep(forTimeInterval: 0.7)
    let start = Date.now
    #expect(fount.stop() == 0)
    #expect(Date.now.timeIntervalSince(start) < 10)
    #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "304")
  }

  @Test func `hears of metrics while a job runs, and not of mere progress`() throws {
    let fount = try FountProcess(data: folder.path + "/running")
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))
    let job = try fount.submit(
      `The main job`.body(dataset, ["training": ["epochs": 100_000, "batch_size": 20, "learning_rate": 0.001]]))
    let id = try #require(job["id"]?.string)
    var answer = try fount.curl("/v1/jobs/\(id)")
    var metrics: [JSONValue] = []
    for _ in 0..<12 {
      let tag = try #require(answer.headers["etag"])
      answer = try fount.curl("/v1/jobs/\(id)", "-H", "If-None-Match: \(tag)", "-H", "Prefer: wait=10")
      try #require(answer.status == 200)
      metrics.append(try #require(try answer.json["metrics"]))
    }
    #expect(Set(metrics.suffix(8)).count == 8)
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
  }
}
