import Foundation
import JSON
import Testing

@Suite struct `A model's checkpoints` {
  private static func checkpoints(_ fount: FountProcess, _ model: String) throws -> [JSONValue] {
    try #require(try fount.curl("/v1/models/\(model)/checkpoints").json["data"]?.array)
  }

  private static func pin(_ fount: FountProcess, _ model: String, _ step: String, _ body: String) throws -> Answer {
    try fount.curl("/v1/models/\(model)/checkpoints/\(step)", "-X", "PATCH", "-H", "Content-Type: application/json", "-d", body)
  }

  @Test func `are the newest, the best and those that are pinned, and each can be sampled`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))
    let accepted = try fount.submit(
      `The main job`.body(
        dataset,
        [
          "training": ["epochs": 100_000, "batch_size": 20, "learning_rate": 0.001, "checkpoint_every_seconds": 1],
          "configuration": ["hidden_layers": [64]],
        ]))
    let (id, model) = (try #require(accepted["id"]?.string), try #require(accepted["model"]?.string))
    #expect(try Self.checkpoints(fount, model).isEmpty)
    func newest() throws -> Int? { try Self.checkpoints(fount, model).first { $0["newest"] == true }?["step"]?.integer }
    func waitForAnother(than step: Int?) throws -> Int {
      let end = Date.now + 60
      while Date.now < end {
        if let found = try newest(), found != step { return found }
        Thread.sleep(forTimeInterval: 0.05)
      }
      throw Waited()
    }

    // A step that was listed may have been replaced before it could be pinned; then the next one is tried.
    var pinned = try waitForAnother(than: nil)
    while try Self.pin(fount, model, "\(pinned)", #"{"pinned": true}"#).status == 404 { pinned = try waitForAnother(than: pinned) }
    let path = "/v1/models/\(model)/samples?count=20&seed=4&step=\(pinned)"
    let before = try fount.curl(path, "-H", "Accept: application/x-npy")
    #expect(before.status == 200 && before.headers["cache-control"]?.contains("immutable") == true)
    var last = pinned
    for _ in 0..<3 { last = try waitForAnother(than: last) }
    let listed = try Self.checkpoints(fount, model)
    #expect(listed.count <= 3)
    #expect(listed.filter { $0["pinned"] == true }.compactMap { $0["step"]?.integer } == [pinned])
    #expect(listed.compactMap { $0["step"]?.integer } == listed.compactMap { $0["step"]?.integer }.sorted(by: >))
    #expect(listed.allSatisfy { ($0["bytes"]?.integer ?? 0) > 1000 && $0["epoch"]?.integer != nil })

    // Neither the end of the job nor that of the server changes what is pinned.
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    try fount.wait(for: id) { $0["status"] == "cancelled" }
    #expect(fount.stop() == 0)
    fount = try FountProcess(data: folder.path)
    #expect(try fount.curl(path, "-H", "Accept: application/x-npy").body == before.body)
    let single = try fount.curl("/v1/models/\(model)/samples/3.png?seed=4&step=\(pinned)")
    #expect(single.status == 200)
    #expect(try Self.pin(fount, model, "\(pinned)", #"{"pinned": true}"#).json["pinned"] == true)
    let left = try Self.pin(fount, model, "\(pinned)", #"{"pinned": false}"#)
    #expect(try left.status == 200 && left.json["pinned"] == false)
    #expect(try fount.curl(path).status == 404)
    #expect(try Self.checkpoints(fount, model).allSatisfy { $0["pinned"] == false })
    #expect(try fount.curl("/v1/models/\(model)/samples?count=1&seed=1").status == 200)
  }

  private struct Waited: Error {}

  @Test func `say which is the best, and that is the model when the job has finished; no more are pinned than may be`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--pinned-checkpoints-max", "1"])
    // So few examples that validation soon gets worse.
    let dataset = try fount.dataset(SampleData.chains(height: 4, width: 4, count: 60))
    let training: JSONValue = [
      "epochs": 400, "batch_size": 10, "learning_rate": 0.01, "validation_fraction": 0.3, "early_stopping_patience": 5,
    ]
    let id = try #require(
      try fount.submit(`The main job`.body(dataset, ["training": training, "configuration": ["hidden_layers": [200]]]))["id"]?.string)
    let done = try fount.finish(id)
    let model = try #require(done["model"]?.string)
    let listed = try Self.checkpoints(fount, model)
    #expect(listed.count == 2)
    let best = try #require(listed.first { $0["best"] == true })
    #expect(best["current"] == true && best["newest"] == false)
    #expect(best["validation_nats"] == done["metrics"]?["validation_nats"])
    let npy = ["-H", "Accept: application/x-npy"]
    let step = try #require(best["step"]?.integer)
    #expect(
      try fount.curl("/v1/models/\(model)/samples?count=50&seed=2", npy).body
        == fount.curl("/v1/models/\(model)/samples?count=50&seed=2&step=\(step)", npy).body)
    let newest = try #require(listed.first { $0["newest"] == true }?["step"]?.integer)
    #expect(
      try fount.curl("/v1/models/\(model)/samples?count=50&seed=2", npy).body
        != fount.curl("/v1/models/\(model)/samples?count=50&seed=2&step=\(newest)", npy).body)
    let upload = folder.path + "/some"
    try Data(SampleData.chains(height: 4, width: 4, count: 3)).write(to: URL(fileURLWithPath: upload))
    let scores = try [step, newest].map {
      try fount.curl("/v1/models/\(model)/score?step=\($0)", "--data-binary", "@\(upload)").json["nats"]
    }
    #expect(scores[0]?.array?.count == 3 && scores[0] != scores[1])

    #expect(try Self.pin(fount, model, "\(step)", #"{"pinned": true}"#).status == 200)
    let beyond = try Self.pin(fount, model, "\(newest)", #"{"pinned": true}"#)
    #expect(beyond.status == 409 && beyond.text.contains("unpin one of \(step)"), "\(beyond.text)")
    #expect(try Self.pin(fount, model, "\(step)", #"{"pinned": true}"#).status == 200)
    #expect(try Self.pin(fount, model, "\(step)", #"{"pinned": false}"#).status == 200)
    #expect(try Self.pin(fount, model, "\(newest)", #"{"pinned": true}"#).status == 200)
  }

  @Test func `are refused where there is none, or the wish is none`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 3, copies: 10))
    #expect(try fount.curl("/v1/models/mdl_x/checkpoints").status == 404)
    for step in ["1", "x", "-1", "99999999999999999999", "007"] {
      #expect(try Self.pin(fount, model, step, #"{"pinned": true}"#).status == 404, "\(step)")
    }
    let kept = try #require(try Self.checkpoints(fount, model).first?["step"]?.integer)
    for (body, status) in [("{}", 422), (#"{"pinned": 1}"#, 422), (#"{"pinned": true, "x": 1}"#, 422), ("[", 400)] {
      #expect(try Self.pin(fount, model, "\(kept)", body).status == status, "\(body)")
    }
    #expect(try fount.curl("/v1/models/\(model)/samples?step=1").status == 404)
    #expect(try fount.curl("/v1/models/\(model)/samples?step=x").status == 400)
    #expect(try fount.curl("/v1/models/\(model)/samples?step=-1").status == 400)
    #expect(try fount.curl("/v1/models/\(model)/samples/0.png?step=1").text.contains("\(kept)"))
  }
}
