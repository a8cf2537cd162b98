import Foundation
import JSON
import Testing

/// A disk that has damaged a checkpoint under a running server: what is sound takes its place, and who follows the job is told.
@Suite struct `A damaged checkpoint` {
  private let folder: TemporaryFolder
  private let fount: FountProcess
  private let job: String
  private let model: String
  /// The best, which is the model, and the newest.
  private let steps: (best: Int, newest: Int)
  private let dataset: String
  private static let npy = ["-H", "Accept: application/x-npy"]

  init() throws {
    folder = try TemporaryFolder()
    fount = try FountProcess(data: folder.path)
    // So few examples that validation soon gets worse, and the best is not the last.
    dataset = try fount.dataset(SampleData.chains(height: 4, width: 4, count: 60))
    let training: JSONValue = [
      "epochs": 400, "batch_size": 10, "learning_rate": 0.01, "validation_fraction": 0.3, "early_stopping_patience": 5,
    ]
    let done = try fount.finish(
      try #require(
        try fount.submit(`The main job`.body(dataset, ["training": training, "configuration": ["hidden_layers": [200]]]))["id"]?.string))
    (job, model) = (try #require(done["id"]?.string), try #require(done["model"]?.string))
    let listed = try fount.curl("/v1/models/\(model)/checkpoints").json["data"]?.array ?? []
    let best = try #require(listed.first { $0["best"] == true }?["step"]?.integer)
    steps = (best, try #require(listed.first { $0["newest"] == true }?["step"]?.integer))
    try #require(steps.best != steps.newest)
  }

  private func damage(_ name: String) throws {
    let path = URL(fileURLWithPath: "\(folder.path)/models/\(model)/\(name)")
    var bytes = try Data(contentsOf: path)
    bytes[bytes.count * 2 / 3] ^= 0x10
    try bytes.write(to: path)
  }

  private func samples(_ query: String = "") throws -> Answer {
    try fount.curl("/v1/models/\(model)/samples?count=20&seed=3\(query)", Self.npy)
  }

  private func warnings(of job: String) throws -> [String] {
    let events = try fount.curl("/v1/jobs/\(job)/events?limit=1000").json["data"]?.array ?? []
    return events.filter { $0["type"] == "warning" }.compactMap { $0["data"]?["detail"]?.string }
  }

  @Test func `gives way to the newest sound one, for samples, weights, scores, forks and evaluations, with a warning`() throws {
    let before = (best: try samples().body, newest: try samples("&step=\(steps.newest)").body)
    try #require(before.best != before.newest)
    try damage("checkpoint-\(steps.best).safetensors")

    let answer = try samples()
    #expect(answer.status == 200 && answer.body == before.newest)
    // It is what it is until the better one is back: nobody is to keep it for good.
    #expect(answer.headers["cache-control"]?.contains("immutable") == false)
    let weights = try fount.curl("/v1/models/\(model)/weights.safetensors")
    #expect(weights.status == 200 && weights.headers["content-disposition"]?.contains("-\(steps.newest).safetensors") == true)
    let file = folder.path + "-examples"
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    try Data(SampleData.chains(height: 4, width: 4, count: 5)).write(to: URL(fileURLWithPath: file))
    #expect(try fount.curl("/v1/models/\(model)/score", "--data-binary", "@\(file)").status == 200)
    let told = try warnings(of: job).filter { $0.contains("checkpoint-\(steps.best).safetensors") }
    #expect(told.count == 1 && !(told.first ?? "/").contains(folder.path), "\(told)")

    let fork = try fount.post("/v1/jobs/\(job)/fork", ["training": ["epochs": 410, "early_stopping_patience": 400]])
    #expect(fork.status == 202, "\(fork.text)")
    let forked = try fount.curl("/v1/models/\(try fork.json["model"]?.string ?? "")").json
    #expect(forked["lineage"]?["step"]?.integer == steps.newest)
    try fount.finish(try fork.json["id"]?.string ?? "")
    let evaluation = try fount.submit(["kind": "evaluate", "model": .string(model), "dataset": .string(dataset)])["id"]?.string ?? ""
    #expect(try fount.finish(evaluation)["results"]?.array?.first?["settings"]?["step"]?.integer == steps.newest)
    #expect(try warnings(of: evaluation).contains { $0.contains("checkpoint-\(steps.best)") })

    // Asked for by its number, it is not replaced by another.
    let named = try samples("&step=\(steps.best)")
    #expect(named.status == 500 && named.text.contains("damaged"), "\(named.text)")
    #expect(try samples("&step=\(steps.newest)").body == before.newest)
  }

  @Test func `whose warning came after the job's end does not keep a stream of its events open`() throws {
    try damage("checkpoint-\(steps.best).safetensors")
    #expect(try samples().status == 200)
    let all = try fount.curl("/v1/jobs/\(job)/events", "-H", "Accept: text/event-stream", "--max-time", "20")
    #expect(all.status == 200 && all.text.contains("event: warning"))
    let finish = try #require(all.text.components(separatedBy: "\n").filter { $0.hasPrefix("id: ") }.dropLast().last?.dropFirst(4))
    let rest = try fount.curl(
      "/v1/jobs/\(job)/events", "-H", "Accept: text/event-stream", "-H", "Last-Event-ID: \(finish)", "--max-time", "20")
    #expect(rest.status == 200 && rest.text.contains("event: warning") && !rest.text.contains("event: status"))
  }

  @Test func `with no sound one beside it is told in words, and the service goes on`() throws {
    for step in [steps.best, steps.newest] { try damage("checkpoint-\(step).safetensors") }
    for path in ["samples?count=1&seed=1", "weights.safetensors", "samples/0.png?seed=1"] {
      let answer = try fount.curl("/v1/models/\(model)/\(path)")
      #expect(answer.status == 500 && answer.headers["content-type"] == "application/problem+json", "\(path)")
      let detail = try answer.json["detail"]?.string ?? ""
      #expect(detail.contains("damaged") && detail.contains("train the model again") && !detail.contains(folder.path), "\(detail)")
    }
    let fork = try fount.post("/v1/jobs/\(job)/fork", ["training": ["epochs": 410]])
    #expect(fork.status == 500 && fork.text.contains("damaged"), "\(fork.text)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/models") == [model])
    let evaluation = try fount.submit(["kind": "evaluate", "model": .string(model), "dataset": .string(dataset)])["id"]?.string ?? ""
    let failed = try fount.wait(for: evaluation) { $0["status"] == "failed" }
    #expect(failed["error"]?["reason"] == "checkpoint")
    #expect(try fount.curl("/v1/models/\(model)").status == 200)
    #expect(fount.isRunning)
  }

  @Test(arguments: ["{", "[]", #"{"status": "finished"}"#])
  func `is not what a model without a readable model.json is taken for`(text: String) throws {
    let newest = try samples("&step=\(steps.newest)").body
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/models/\(model)/model.json"))
    #expect(try samples().body == newest)
    #expect(try warnings(of: job).contains { $0.contains("model.json") })
    let listed = try fount.curl("/v1/models/\(model)/checkpoints")
    #expect(try listed.status == 200 && listed.json["data"]?.array?.contains { $0["step"] == .integer(steps.newest) } == true)
    let path = "/v1/models/\(model)/checkpoints/\(steps.newest)"
    for pinned in [true, false] {
      let answer = try fount.curl(path, "-X", "PATCH", "-d", #"{"pinned": \#(pinned)}"#)
      #expect(try answer.status == 200 && answer.json["pinned"] == JSONValue.bool(pinned), "\(answer.text)")
    }
    #expect(fount.stop() == 0)
    // The check puts it in order, and the server takes it up.
    #expect(try Program.run(FountProcess.executable, ["check", "--data", folder.path]).status == 1)
    #expect(try Program.run(FountProcess.executable, ["check", "--data", folder.path, "--mend"]).status == 0)
    let again = try FountProcess(data: folder.path)
    #expect(try again.curl("/v1/models/\(model)/samples?count=20&seed=3", Self.npy).body == newest)
  }

  @Test func `that is pinned stays where it is, whatever is mended, and stands in for those that go`() throws {
    let path = "/v1/models/\(model)/checkpoints"
    for step in [steps.best, steps.newest] {
      #expect(try fount.curl("\(path)/\(step)", "-X", "PATCH", "-d", #"{"pinned": true}"#).status == 200)
    }
    let newest = try samples("&step=\(steps.newest)").body
    #expect(fount.stop() == 0)
    // Training's own names of both lead to other files now, which are damaged; of the pins the best one is.
    for step in [steps.best, steps.newest] {
      let name = "\(folder.path)/models/\(model)/checkpoint-\(step).safetensors"
      let bytes = try #require(FileManager.default.contents(atPath: name))
      try FileManager.default.removeItem(atPath: name)
      try bytes.dropLast(3).write(to: URL(fileURLWithPath: name))
    }
    try damage("pinned-\(steps.best).safetensors")
    let mended = try Program.run(FountProcess.executable, ["check", "--data", folder.path, "--mend"])
    #expect(mended.status == 1 && mended.output.contains("it is pinned"), "\(mended.output)")
    let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/models/\(model)").sorted()
    #expect(
      left == ["checkpoint-\(steps.newest).safetensors", "model.json"]
        + ["pinned-\(steps.best)", "pinned-\(steps.newest)"].map {
          $0 + ".safetensors"
        }.sorted())
    let again = try FountProcess(data: folder.path)
    #expect(try again.curl("/v1/models/\(model)/samples?count=20&seed=3", Self.npy).body == newest)
    #expect(try again.curl("\(path)/\(steps.best)", "-X", "PATCH", "-d", #"{"pinned": false}"#).status == 200)
    #expect(again.stop() == 0)
    let check = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
    #expect(check.status == 0, "\(check.output)")
  }
}
