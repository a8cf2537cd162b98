import Foundation
import JSON
import Testing

/// Real workers that reach their limits.
@Suite struct `A worker that wants too much` {
  private static let examples = SampleData.barsAndStripes(side: 4, copies: 10)

  private static func failed(_ fount: FountProcess, _ job: JSONValue) throws -> JSONValue {
    try fount.wait(for: try fount.submit(job)["id"]?.string ?? "") { ["failed", "succeeded"].contains($0["status"]?.string ?? "") }
  }

  @Test func `of memory fails its job at once, with that reason, and the next job runs`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1", "--worker-memory-bytes-max", "256 MiB"])
    let dataset = try fount.dataset(Self.examples)
    // 8192² weights with their gradients and moments: 1 GB.
    let job = try Self.failed(fount, `The main job`.body(dataset, ["configuration": ["hidden_layers": [8192, 8192]]]))
    #expect(job["status"] == "failed" && job["error"]?["reason"] == "out_of_memory" && job["attempt"] == 1, "\(job.serialized())")
    #expect(job["error"]?["detail"]?.string?.contains("memory") == true)
    try fount.finish(try fount.submit(`The main job`.body(dataset))["id"]?.string ?? "")
  }

  @Test func `of the processor fails its job at once, with that reason, and its model is the newest checkpoint`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1", "--worker-processor-seconds-max", "3"])
    let dataset = try fount.dataset(Self.examples)
    let job = try Self.failed(fount, `A job that is steered`.longJob(dataset, ["epochs": 1_000_000]))
    #expect(job["status"] == "failed" && job["error"]?["reason"] == "processor_time_exceeded", "\(job.serialized())")
    #expect(job["attempt"] == 1)
    #expect(try fount.curl("/v1/models/\(job["model"]?.string ?? "")/samples?count=1&seed=1").status == 200)
    try fount.finish(try fount.submit(`The main job`.body(dataset))["id"]?.string ?? "")
  }
}
