import Foundation
import JSON
import Testing

/// What a model's samples are compared with, over HTTP. The truth is known: the data are samples of the model itself, or nothing like it.
@Suite struct `Samples compared with data` {
  private static let all: JSONValue = ["nats", "mmd", "polynomial_mmd", "precision_recall", "c2st", "memorization", "parzen_historical"]
  private static let settings: JSONValue = ["samples": 1000, "pairs": 500, "permutations": 199, "resamples": 100]

  private static func train(_ fount: FountProcess, _ dataset: String, _ family: String, _ configuration: JSONValue) throws -> String {
    let training: JSONValue = ["epochs": 40, "batch_size": 50, "learning_rate": 0.003]
    let job = try fount.submit(
      `The main job`.body(dataset, ["family": .string(family), "configuration": configuration, "training": training]))
    return try #require(try fount.finish(job["id"]?.string ?? "")["model"]?.string)
  }

  /// Each result by its metric.
  private static func evaluate(
    _ fount: FountProcess, _ model: String, on dataset: String, _ metrics: JSONValue
  ) throws -> [String: JSONValue] {
    let job = try fount.submit([
      "kind": "evaluate", "model": .string(model), "dataset": .string(dataset), "metrics": metrics, "seed": 1, "settings": settings,
    ])
    let done = try fount.finish(job["id"]?.string ?? "")
    let results = try #require(done["results"]?.array, "\(done.serialized())")
    return Dictionary(results.map { ($0["metric"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func `are told from what is not of their model, and not from what is; the leaderboard puts models in that order`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let training = try fount.dataset(SampleData.chains(height: 6, width: 6, count: 1000))
    let model = try Self.train(fount, training, "made", ["hidden_layers": [64]])
    let other = try Self.train(fount, training, "gan", ["architecture": "mlp", "hidden_layers": [16]])
    // Of another seed than the evaluation draws by.
    let drawn = try fount.curl("/v1/models/\(model)/samples?count=1000&seed=77", "-H", "Accept: application/x-npy")
    let own = try fount.dataset(Array(drawn.body))
    var random = SeededRandom(state: 5)
    let coins = try fount.dataset(SampleData.idx([1000, 6, 6], (0..<36_000).map { _ in UInt8(random.next() >> 40 & 1) }))

    let same = try Self.evaluate(fount, model, on: own, Self.all)
    #expect(
      same.keys.sorted() == [
        "c2st", "coverage", "density", "memorization", "mmd", "nats", "parzen_historical", "polynomial_mmd", "precision", "recall",
      ])
    for (metric, result) in same {
      let (value, interval) = (result["value"]?.number ?? .nan, result["interval"]?.array?.compactMap(\.number) ?? [])
      #expect(value.isFinite && interval.count == 2 && interval[0] <= interval[1], "\(metric): \(result.serialized())")
    }
    func value(_ results: [String: JSONValue], _ metric: String) -> Double { results[metric]?["value"]?.number ?? .nan }
    func p(_ results: [String: JSONValue], _ metric: String) -> Double { results[metric]?["settings"]?["p_value"]?.number ?? .nan }
    #expect(abs(value(same, "c2st") - 0.5) < 0.06, "\(value(same, "c2st"))")
    #expect(p(same, "mmd") > 0.01 && p(same, "polynomial_mmd") > 0.01)
    // Of one distribution both are the same, and a sample falls into the five nearest of 31 in 32 (Naeem et al. 2020).
    #expect(abs(value(same, "precision") - value(same, "recall")) < 0.1)
    #expect(abs(value(same, "coverage") - 31.0 / 32) < 0.04, "\(value(same, "coverage"))")
    #expect(abs(value(same, "memorization") - 1) < 0.1)

    let different = try Self.evaluate(fount, model, on: coins, ["mmd", "polynomial_mmd", "c2st", "precision_recall"])
    #expect(value(different, "c2st") > 0.8 && value(different, "coverage") < value(same, "coverage"))
    for metric in ["mmd", "polynomial_mmd"] { #expect(p(different, metric) == 0.005, "\(p(different, metric))") }

    // One without a density is asked what it can be asked, unless told otherwise.
    let refused = try fount.post("/v1/jobs", ["kind": "evaluate", "model": .string(other), "dataset": .string(own), "metrics": ["nats"]])
    #expect(refused.status == 422 && refused.text.contains("no density"), "\(refused.text)")
    _ = try Self.evaluate(fount, other, on: own, ["c2st", "precision_recall", "mmd"])
    let board = try fount.curl("/v1/datasets/\(own)/leaderboard").json["metrics"]
    for metric in ["c2st", "mmd", "coverage"] {
      let rows = board?[metric]?["models"]?.array ?? []
      #expect(rows.compactMap { $0["model"]?.string } == [model, other], "\(metric): \(board?[metric]?.serialized() ?? "")")
      #expect(rows.compactMap { $0["rank"]?.integer } == [1, 2] && rows.compactMap { $0["family"]?.string } == ["made", "gan"])
    }
    #expect(board?["nats"]?["models"]?.array?.count == 1 && board?["c2st"]?["better"] == "nearer to 0.5")
    #expect(try fount.curl("/v1/datasets/\(coins)/leaderboard").json["metrics"]?["c2st"]?["models"]?.array?.count == 1)
    #expect(try fount.curl("/v1/models/\(other)", "-X", "DELETE").status == 204)
    #expect(try fount.curl("/v1/datasets/\(own)/leaderboard").json["metrics"]?["c2st"]?["models"]?.array?.count == 1)
  }

  @Test func `are compared as well after the worker was killed, to the byte`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    let dataset = try fount.dataset(SampleData.chains(height: 6, width: 6, count: 1000))
    let model = try Self.train(fount, dataset, "made", ["hidden_layers": [64]])
    let body: JSONValue = [
      "kind": "evaluate", "model": .string(model), "dataset": .string(dataset), "metrics": ["mmd", "c2st"], "seed": 1,
      "settings": Self.settings,
    ]
    let whole = try fount.finish(try fount.submit(body)["id"]?.string ?? "")
    let id = try #require(try fount.submit(body)["id"]?.string)
    try fount.wait(for: id) { $0["status"] == "running" }
    // It may be over by then, and is the same all the same.
    _ = try Program.run("/usr/bin/pkill", ["-KILL", "-f", "worker .*\(id)"])
    #expect(try fount.finish(id)["results"] == whole["results"])
  }
}
