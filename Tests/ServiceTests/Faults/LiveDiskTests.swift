import Foundation
import JSON
import Testing

/// A disk that becomes read-only under a running server, as kernels do with one that fails.
@Suite struct `A disk that becomes read-only` {
  @Test func `is told in words, keeps being read, and when it can be written again all goes on`() throws {
    let folder = try TemporaryFolder()
    let control = folder.path + "-control"
    defer { try? FileManager.default.removeItem(atPath: control) }  // A leftover harms nothing.
    let environment = ["LD_PRELOAD": try PreloadedLibrary.readOnly(), "SHIM_ROOT": folder.path, "SHIM_CONTROL": control]
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1"], environment: environment)
    let examples = SampleData.barsAndStripes(side: 4, copies: 10)
    let dataset = try fount.dataset(examples)
    let model = try `The main job`.trainedModel(fount, examples)
    let path = "/v1/models/\(model)/samples?count=4&seed=1"
    let samples = try fount.curl(path).body
    let running = try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 1_000_000]))["id"]?.string ?? ""
    try fount.wait(for: running) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }

    try Data().write(to: URL(fileURLWithPath: control))
    let refused = [
      try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1)), try fount.post("/v1/jobs", `The main job`.body(dataset)),
      try fount.curl("/v1/jobs/\(running)/pause", "-X", "POST"), try fount.curl("/v1/datasets/\(dataset)", "-X", "DELETE"),
    ]
    // A job holds the dataset, which is told before the disk is asked.
    #expect(refused.map(\.status) == [507, 507, 507, 409])
    for answer in refused.prefix(3) {
      #expect(try answer.json["detail"]?.string?.contains("read-only") == true, "\(answer.text)")
      #expect(answer.headers["content-type"] == "application/problem+json")
    }
    // Long enough for a checkpoint to be due: its worker goes, and waits for the disk.
    let end = Date.now + 3
    while Date.now < end {
      #expect(try fount.curl("/v1/jobs/\(running)").status == 200)
      #expect(try fount.curl(path).body == samples)
      Thread.sleep(forTimeInterval: 0.2)
    }
    try FileManager.default.removeItem(atPath: control)
    let step = try fount.job(running)["progress"]?["step"]?.integer ?? 0
    try fount.wait(for: running) { $0["status"] == "running" && ($0["progress"]?["step"]?.integer ?? 0) > step }
    #expect(try fount.curl("/v1/jobs/\(running)/cancel", "-X", "POST").status == 202)
    try fount.wait(for: running) { $0["status"] == "cancelled" }
    #expect(try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1)).status == 201)
    try fount.finish(try fount.submit(`The main job`.body(dataset))["id"]?.string ?? "")
    #expect(fount.stop() == 0)
    let check = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
    #expect(check.status == 0, "\(check.output)")
  }
}
