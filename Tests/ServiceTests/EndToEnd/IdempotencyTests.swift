import Dispatch
import Foundation
import JSON
import Testing

@Suite struct `A request under an Idempotency-Key` {
  @Test func `makes one job however often it is sent, over a kill too, and one of other contents is refused`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 2))
    let body = `The main job`.body(dataset)
    func send(_ path: String, _ body: JSONValue, key: String) throws -> Answer {
      try fount.curl(path, "-H", "Idempotency-Key: \(key)", "-d", body.serialized())
    }
    let first = try send("/v1/jobs", body, key: "a b")
    #expect(first.status == 400)
    let made = try send("/v1/jobs", body, key: "k1")
    #expect(made.status == 202 && made.headers["idempotency-replayed"] == nil)
    _ = try fount.curl("/v1/jobs/\(try made.json["id"]?.string ?? "")/cancel", "-X", "POST")
    fount.kill()
    fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let again = try send("/v1/jobs", body, key: "\"k1\"")
    #expect(again.status == 202 && again.body == made.body && again.headers["idempotency-replayed"] == "true")
    #expect(again.headers["location"] == made.headers["location"])
    #expect(try send("/v1/jobs", `The main job`.body(dataset, ["name": "other"]), key: "k1").status == 422)
    #expect(try send("/v1/jobs?dry_run=1", `The main job`.body(dataset, ["name": "other"]), key: "k1").status == 200)
    #expect(try send("/v1/jobs", ["kind": "tarin"], key: "k2").status == 422)
    #expect(try send("/v1/jobs", body, key: "k2").status == 202)
    #expect(try fount.curl("/v1/jobs").json["data"]?.array?.count == 2)
  }

  @Test func `sent many times at once makes one`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let body = `The main job`.body(try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 2)))
    let urls = [String](repeating: "\(fount.base)/v1/jobs", count: 12)
    let curl = try Program.run(
      "/usr/bin/curl",
      ["-sS", "-Z", "--parallel-immediate", "-w", "\n", "-H", "Idempotency-Key: same", "-d", body.serialized()] + urls)
    let ids = try curl.output.split(separator: "\n").compactMap { try JSONValue(parsing: Array($0.utf8))["id"]?.string }
    #expect(ids.count == 12 && Set(ids).count == 1, "\(curl.output)")
    #expect(try fount.curl("/v1/jobs").json["data"]?.array?.count == 1)
  }

  @Test func `uploads a dataset with the same answer twice`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let file = folder.path + "-bars"
    try Data(SampleData.barsAndStripes(side: 3, copies: 2)).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    let arguments = ["--data-binary", "@\(file)", "-H", "Idempotency-Key: up"]
    let first = try fount.curl("/v1/datasets?name=a", arguments)
    let second = try fount.curl("/v1/datasets?name=a", arguments)
    #expect(first.status == 201 && second.status == 201 && first.body == second.body)
    #expect(try fount.curl("/v1/datasets?name=b", arguments).status == 422)
    #expect(try fount.curl("/v1/datasets", "--data-binary", "@\(file)").status == 200)
  }

  @Test func `of many uploads at once says which are repeats`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let file = folder.path + "-bars"
    try Data(SampleData.barsAndStripes(side: 3, copies: 3)).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    let requests = (0..<8).flatMap { _ in ["-o", "/dev/null", "\(fount.base)/v1/datasets"] }
    let curl = try Program.run(
      "/usr/bin/curl",
      [
        "-sS", "-Z", "--parallel-immediate", "-w", "%{http_code} %header{idempotency-replayed}\n", "-H", "Idempotency-Key: same",
        "--data-binary", "@\(file)",
      ] + requests)
    let lines = curl.output.split(separator: "\n").sorted()
    #expect(lines == ["201 "] + [Substring](repeating: "201 true", count: 7), "\(curl)")
  }

  @Test func `begins an upload in parts once, also after a restart`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let arguments = ["-X", "POST", "-H", "Idempotency-Key: u", "-H", "Upload-Length: 40", "-H", "Tus-Resumable: 1.0.0"]
    let first = try fount.curl("/v1/uploads", arguments)
    fount.kill()
    fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let second = try fount.curl("/v1/uploads", arguments)
    #expect(first.status == 201 && second.status == 201 && first.body == second.body, "\(first.text) \(second.text)")
    #expect(first.headers["location"] == second.headers["location"] && second.headers["idempotency-replayed"] == "true")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/uploads").count == 1)
    let other = try fount.curl("/v1/uploads", arguments.map { $0 == "Upload-Length: 40" ? "Upload-Length: 41" : $0 })
    #expect(other.status == 422 && other.text.contains("Idempotency-Key"), "\(other.text)")
  }

  @Test func `forks once`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 2))
    let parent = try fount.finish(try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string))
    let path = "/v1/jobs/\(parent["id"]?.string ?? "")/fork"
    let arguments = ["-H", "Idempotency-Key: f", "-d", #"{"training": {"epochs": 35}}"#]
    let (first, second) = (try fount.curl(path, arguments), try fount.curl(path, arguments))
    #expect(first.status == 202 && first.body == second.body)
    try fount.finish(try #require(try first.json["id"]?.string))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/models").count == 2)
  }
}
