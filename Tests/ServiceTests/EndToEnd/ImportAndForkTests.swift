import Foundation
import JSON
import Testing

@Suite struct `Models that came in, and checkpoints that are pinned` {
  @Test func `an import under a key is done once, also when it is sent twice`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 3, copies: 10))
    let file = folder.path + "-weights"
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    try fount.curl("/v1/models/\(model)/weights.safetensors").body.write(to: URL(fileURLWithPath: file))
    let keyed = ["-H", "Idempotency-Key: k1", "--data-binary", "@\(file)"]
    let first = try fount.curl("/v1/models", keyed)
    #expect(first.status == 201)
    #expect(fount.stop() == 0)
    fount = try FountProcess(data: folder.path)
    let again = try fount.curl("/v1/models", keyed)
    #expect(again.status == 201 && again.body == first.body && again.headers["location"] == first.headers["location"])
    #expect(try fount.curl("/v1/models").json["data"]?.array?.count == 2)
    try Data("other".utf8).write(to: URL(fileURLWithPath: file))
    #expect(try fount.curl("/v1/models", keyed).status == 422)
    let imported = try #require(try first.json["id"]?.string)
    #expect(try fount.curl("/v1/models/\(imported)", "-X", "DELETE").status == 204)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/models/\(imported)"))
  }

  @Test func `a pinned checkpoint can be forked from, and a check finds it damaged`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 20))
    let accepted = try fount.submit(
      `The main job`.body(
        dataset, ["training": ["epochs": 100_000, "batch_size": 20, "learning_rate": 0.001, "checkpoint_every_seconds": 1]]))
    let (id, model) = (try #require(accepted["id"]?.string), try #require(accepted["model"]?.string))
    func newest() throws -> Int? {
      try fount.curl("/v1/models/\(model)/checkpoints").json["data"]?.array?.first { $0["newest"] == true }?["step"]?.integer
    }
    var pinned: Int?
    let end = Date.now + 60
    while pinned == nil, Date.now < end {
      if let step = try newest(),
        try fount.curl("/v1/models/\(model)/checkpoints/\(step)", "-X", "PATCH", "-d", #"{"pinned": true}"#).status == 200
      {
        pinned = step
      }
    }
    let step = try #require(pinned)
    while try newest() == step, Date.now < end {}
    let forked = try fount.post("/v1/jobs/\(id)/fork", ["step": .integer(step), "training": ["learning_rate": 0.0005]])
    #expect(forked.status == 202, "\(forked.text)")
    for job in [id, try #require(try forked.json["id"]?.string)] {
      #expect(try fount.curl("/v1/jobs/\(job)/cancel", "-X", "POST").status == 202)
      try fount.wait(for: job) { $0["status"] == "cancelled" }
    }
    #expect(fount.stop() == 0)
    let check = { try Program.run(FountProcess.executable, ["check", "--data", folder.path]) }
    #expect(try check().status == 0)
    let path = "\(folder.path)/models/\(model)/pinned-\(step).safetensors"
    var bytes = try #require(FileManager.default.contents(atPath: path))
    bytes[bytes.count - 3] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let found = try check()
    #expect(found.status != 0 && (found.output + found.errors).contains("pinned-\(step)"))
  }
}
