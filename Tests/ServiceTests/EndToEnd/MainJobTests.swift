import Foundation
import JSON
import Testing

/// The main job over real sockets, files and children: upload, train, poll, sample, score.
@Suite struct `The main job` {
  static let training: JSONValue = ["epochs": 30, "batch_size": 20, "learning_rate": 0.01, "validation_fraction": 0.2]

  static func body(_ dataset: String, threads: Int = 1, _ more: JSONObject = [:]) -> JSONValue {
    var training = training.object ?? [:]
    training["threads"] = .integer(threads)
    var body: JSONObject = [
      "kind": "train", "dataset": .string(dataset), "family": "made", "configuration": ["hidden_layers": [24]],
      "training": .object(training), "seed": 7,
    ]
    for (key, value) in more { body[key] = value }
    return .object(body)
  }

  @Test func `goes from upload to samples, and the model learns`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let uploaded = try fount.upload(SampleData.barsAndStripes(side: 4, copies: 40), query: "?name=bars")
    #expect(uploaded.status == 201)
    let dataset = try #require(try uploaded.json["id"]?.string)
    #expect(uploaded.headers["location"] == "/v1/datasets/\(dataset)")
    #expect(try uploaded.json["shape"] == [4, 4, 1] && uploaded.json["count"] == 1280)

    // Validated on itself, since a split by content would keep whole patterns from training.
    let training: JSONValue = ["epochs": 40, "batch_size": 20, "learning_rate": 0.01]
    let accepted = try fount.post("/v1/jobs", Self.body(dataset, ["training": training, "validation_dataset": .string(dataset)]))
    #expect(accepted.status == 202)
    let job = try #require(try accepted.json["id"]?.string)
    #expect(accepted.headers["location"] == "/v1/jobs/\(job)")
    let done = try fount.finish(job)
    #expect(done["history"]?.array?.compactMap { $0["status"]?.string } == ["queued", "running", "succeeded"])
    // 30 patterns, two of them twice as frequent: the entropy is 3.38 nats; a model of independent bits has 11.
    let nats = try #require(done["metrics"]?["validation_nats"]?.number)
    #expect(nats > 3.3 && nats < 4.5)

    let model = try #require(done["model"]?.string)
    #expect(try fount.curl("/v1/models").json["data"]?.array?.first?["id"] == .string(model))
    let grid = try fount.curl("/v1/models/\(model)/samples?count=9&seed=1&scale=3")
    #expect(grid.status == 200 && grid.headers["content-type"] == "image/png")
    #expect(Array(grid.body.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

    let evaluation = try fount.submit(["kind": "evaluate", "model": .string(model), "dataset": .string(dataset), "metrics": ["nats"]])
    let evaluated = try fount.finish(try #require(evaluation["id"]?.string))
    let result = try #require(evaluated["results"]?.array?.first)
    #expect(result["metric"] == "nats" && abs((result["value"]?.number ?? 0) - nats) < 1e-6)
  }

  @Test func `gives pictures whose pixels are those of the NPY answer, read by PIL and numpy`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try Self.trainedModel(fount, SampleData.barsAndStripes(side: 5, copies: 4))
    let npy = try fount.curl("/v1/models/\(model)/samples?count=6&seed=3", "-H", "Accept: application/x-npy")
    #expect(npy.headers["content-type"] == "application/x-npy")
    try npy.body.write(to: URL(fileURLWithPath: folder.path + "/samples.npy"))
    for index in 0..<6 {
      let png = try fount.curl("/v1/models/\(model)/samples/\(index).png?seed=3")
      try png.body.write(to: URL(fileURLWithPath: folder.path + "/\(index).png"))
      #expect(try Program.run("/usr/bin/pngcheck", ["-q", "\(folder.path)/\(index).png"]).status == 0)
    }
    let grid = try fount.curl("/v1/models/\(model)/samples?count=6&seed=3&columns=3&scale=2")
    try grid.body.write(to: URL(fileURLWithPath: folder.path + "/grid.png"))
    let script = """
      import sys, numpy as np
      from PIL import Image
      f = sys.argv[1]
      a = np.load(f + "/samples.npy")
      assert a.shape == (6, 5, 5, 1) and a.dtype == np.uint8, (a.shape, a.dtype)
      assert set(np.unique(a)) <= {0, 255}
      g = np.asarray(Image.open(f + "/grid.png"))
      assert g.shape == (2 * 10 + 2, 3 * 10 + 2 * 2), g.shape
      for i in range(6):
          p = np.asarray(Image.open(f"{f}/{i}.png"))
          assert (p == a[i, :, :, 0]).all(), i
          y, x = (i // 3) * 12, (i % 3) * 12
          assert (g[y:y + 10:2, x:x + 10:2] == a[i, :, :, 0]).all(), i
      t = Image.open(f + "/3.png").text
      assert t["seed"] == "3" and t["index"] == "3", t
      """
    let python = try Program.run("/usr/bin/python3", ["-c", script, folder.path])
    #expect(python.status == 0, "\(python.errors)")
  }

  @Test func `scores every image so that the probabilities sum to one`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try Self.trainedModel(fount, SampleData.chains(height: 2, width: 5, count: 400))
    try Data(SampleData.allImages(height: 2, width: 5)).write(to: URL(fileURLWithPath: folder.path + "/all"))
    let scores = try fount.curl("/v1/models/\(model)/score", "--data-binary", "@\(folder.path)/all").json
    #expect(scores["estimator"] == "exact")
    let nats = try #require(scores["nats"]?.array).compactMap(\.number)
    #expect(nats.count == 1024)
    #expect(abs(nats.reduce(0) { $0 + exp(-$1) } - 1) < 1e-5)
    let bits = try #require(scores["bits_per_dim"]?.array).compactMap(\.number)
    #expect(zip(nats, bits).allSatisfy { abs($0 / 10 / log(2) - $1) < 1e-9 * abs($1) + 1e-9 })
  }

  @Test func `trains on grey pictures by drawing bits, and previews them as they are`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.greys(side: 8, count: 60))
    let preview = try fount.curl("/v1/datasets/\(dataset)/preview.png?count=4&columns=2&scale=2")
    #expect(preview.status == 200 && preview.headers["content-type"] == "image/png")
    let refused = try fount.post("/v1/jobs", Self.body(dataset))
    #expect(try refused.status == 422 && refused.faults.keys.contains("/data/binarize"))
    for way in ["threshold", "stochastic"] {
      let job = try fount.submit(Self.body(dataset, ["data": ["binarize": .string(way)]]))
      try fount.finish(try #require(job["id"]?.string))
    }
  }

  static func trainedModel(_ fount: FountProcess, _ examples: [UInt8], threads: Int = 1) throws -> String {
    let job = try fount.submit(body(try fount.dataset(examples), threads: threads))
    let done = try fount.finish(try #require(job["id"]?.string))
    return try #require(done["model"]?.string)
  }
}
