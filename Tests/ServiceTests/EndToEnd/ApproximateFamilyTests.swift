import Foundation
import JSON
import Testing

/// Families whose likelihood is a bound or an estimate, and what they do beside drawing: over real sockets, files and children.
@Suite struct `Families with approximate likelihoods` {
  private func train(
    _ fount: FountProcess, _ family: String, _ configuration: JSONValue, _ examples: [UInt8], epochs: Int = 60
  ) throws -> (model: String, job: JSONValue, dataset: String) {
    let dataset = try fount.dataset(examples)
    let job = try fount.submit([
      "kind": "train", "dataset": .string(dataset), "validation_dataset": .string(dataset), "family": .string(family),
      "configuration": configuration, "training": ["epochs": .integer(epochs), "batch_size": 40, "learning_rate": 0.01], "seed": 7,
    ])
    let done = try fount.finish(try #require(job["id"]?.string))
    return (try #require(done["model"]?.string), done, dataset)
  }

  private func evaluate(
    _ fount: FountProcess, _ model: String, _ dataset: String, _ metrics: [JSONValue], _ settings: JSONValue
  ) throws -> [String: JSONValue] {
    let job = try fount.submit([
      "kind": "evaluate", "model": .string(model), "dataset": .string(dataset), "metrics": .array(metrics), "settings": settings, "seed": 1,
    ])
    let done = try fount.finish(try #require(job["id"]?.string))
    return Dictionary(uniqueKeysWithValues: (done["results"]?.array ?? []).map { ($0["metric"]?.string ?? "", $0) })
  }

  private func written(_ answer: Answer, _ name: String, in folder: TemporaryFolder) throws -> String {
    try #require(answer.status == 200, "\(answer.text)")
    let path = "\(folder.path)/\(name)"
    try answer.body.write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func `a Boltzmann machine is estimated both ways beside the exact count, and draws by chains`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let bars = SampleData.barsAndStripes(side: 4, copies: 20)
    let (model, job, dataset) = try train(fount, "rbm", ["hidden": 12, "chains": 40], bars)
    #expect(job["metrics"]?["train_loss"] != nil && job["metrics"]?["train_nats"] == nil)
    let results = try evaluate(
      fount, model, dataset, ["nats", "ais", "raise"], ["chains": 200, "betas": 2000, "reverse_chains": 5, "reverse_examples": 40])
    let nats = try #require(results["nats"]?["value"]?.number)
    #expect(results["nats"]?["settings"]?["estimator"] == "exact" && nats < 11)
    let ais = try #require(results["ais"])
    let (count, logZ) = (try #require(results["nats"]?["settings"]?["log_z"]?.number), ais["settings"]?["log_z_interval"]?.array ?? [])
    #expect(logZ.count == 2 && (logZ[0].number ?? .infinity) <= count && count <= (logZ[1].number ?? 0), "\(results)")
    #expect(ais["settings"]?["chains"] == 200 && ais["settings"]?["betas"] == 2000 && abs((ais["value"]?.number ?? 0) - nats) < 0.5)
    #expect(results["raise"]?["settings"]?["examples"] == 40 && (results["raise"]?["value"]?.number ?? 0) > 0)

    try Data(SampleData.allImages(height: 4, width: 4)).write(to: URL(fileURLWithPath: folder.path + "/all"))
    let scores = try fount.curl("/v1/models/\(model)/score", "--data-binary", "@\(folder.path)/all").json
    let sum = (scores["nats"]?.array ?? []).compactMap(\.number).reduce(0) { $0 + exp(-$1) }
    #expect(scores["estimator"] == "exact" && scores["settings"]?["log_z"] != nil && abs(sum - 1) < 1e-4)

    // The 19th sample is the fourth of the second chain.
    let samples = "/v1/models/\(model)/samples"
    let one = try fount.curl("\(samples)/19.png?seed=3&burn_in=50&thin=20"), same = try fount.curl("\(samples)/1.png?seed=3&burn_in=110")
    let path = try (written(one, "one.png", in: folder), written(same, "same.png", in: folder))
    let script = """
      import sys, numpy as np
      from PIL import Image
      a, b = Image.open(sys.argv[1]), Image.open(sys.argv[2])
      assert (np.asarray(a) == np.asarray(b)).all() and a.text["burn_in"] == "50" and a.text["thin"] == "20", a.text
      """
    let python = try Program.run("/usr/bin/python3", ["-c", script, path.0, path.1])
    #expect(python.status == 0, "\(python.errors)")
    #expect(one.headers["etag"] != same.headers["etag"])
    #expect(try fount.curl("\(samples)?burn_in=0").status == 400)
    let filters = try written(try fount.curl("/v1/models/\(model)/filters.png?count=9&scale=2"), "filters.png", in: folder)
    #expect(try Program.run("/usr/bin/pngcheck", ["-q", filters]).status == 0)
    let features = try fount.curl("/v1/models/\(model)/encode", "-H", "Accept: application/json", "--data-binary", "@\(folder.path)/all")
      .json
    #expect(features["features"]?.array?.count == 1 << 16 && features["features"]?.array?.first?.array?.count == 12)
  }

  @Test func `a Boltzmann machine completes what a mask hides`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let (model, _, _) = try train(fount, "dbm", ["hidden_layers": [16, 8], "chains": 40], SampleData.barsAndStripes(side: 4, copies: 20))
    // The upper half of two stripes is known.
    let image: [UInt8] = [1, 0, 0, 1, 1, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    let mask = [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 255, count: 8)
    for (name, values) in [("image", image), ("mask", mask)] {
      try Data(SampleData.idx([1, 4, 4], values)).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    }
    let parts = ["-F", "image=@\(folder.path)/image", "-F", "mask=@\(folder.path)/mask"]
    let path = "/v1/models/\(model)/complete?count=12&seed=4"
    let array = try written(try fount.curl(path, parts + ["-H", "Accept: application/x-npy"]), "drawn.npy", in: folder)
    let grid = try written(try fount.curl(path + "&columns=4", parts), "drawn.png", in: folder)
    let script = """
      import sys, numpy as np
      from PIL import Image
      a, g = np.load(sys.argv[1]), np.asarray(Image.open(sys.argv[2]))
      assert a.shape == (12, 4, 4, 1) and set(np.unique(a)) <= {0, 255}, a.shape
      assert (a[:, :2, :, 0] == np.array([[255, 0, 0, 255]] * 2)).all()
      assert g.shape == (3 * 4 + 2 * 2, 4 * 4 + 3 * 2) and (g[:4, 6:10] == a[1, :, :, 0]).all(), g.shape
      assert len({bytes(x) for x in a}) < 12, "the stripes go on in some"
      """
    let python = try Program.run("/usr/bin/python3", ["-c", script, array, grid])
    #expect(python.status == 0, "\(python.errors)")
    #expect(try fount.curl(path, parts).body == fount.curl(path, parts).body)
    let unmasked = try fount.curl(path, ["-F", "image=@\(folder.path)/image"])
    #expect(try unmasked.status == 422 && unmasked.faults.keys.contains("/mask"))
    try Data(SampleData.idx([1, 4, 5], [UInt8](repeating: 1, count: 20))).write(to: URL(fileURLWithPath: folder.path + "/wide"))
    #expect(try fount.curl(path, ["-F", "image=@\(folder.path)/wide"] + parts.suffix(2)).faults.keys.contains("/image"))
    #expect(try fount.curl(path, parts.prefix(2) + ["-F", "mask=@\(folder.path)/wide"]).faults.keys.contains("/mask"))
  }

  @Test func `a VAE is bounded by draws, reconstructs, and leads from one sample to another`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let bars = SampleData.barsAndStripes(side: 4, copies: 20)
    let (model, job, dataset) = try train(fount, "vae", ["hidden_layers": [40], "latent": 6], bars, epochs: 100)
    #expect(job["metrics"]?["train_nats"] != nil)
    let results = try evaluate(fount, model, dataset, ["elbo", "iwae"], ["importance_samples": 200])
    let (elbo, iwae) = (results["elbo"]?["value"]?.number ?? 0, results["iwae"]?["value"]?.number ?? 0)
    // 3.38 nats is the entropy.
    #expect(elbo > iwae + 0.05 && iwae > 3.2 && iwae < 8 && results["iwae"]?["settings"]?["importance_samples"] == 200, "\(results)")

    try Data(bars).write(to: URL(fileURLWithPath: folder.path + "/bars"))
    let scores = try fount.curl("/v1/models/\(model)/score", "--data-binary", "@\(folder.path)/bars").json
    #expect(scores["estimator"] == "iwae" && scores["settings"]?["importance_samples"] == 100)
    let latents = try written(
      try fount.curl("/v1/models/\(model)/encode", "--data-binary", "@\(folder.path)/bars"), "latents.npy", in: folder)
    let again = try written(
      try fount.curl("/v1/models/\(model)/reconstruct?scale=2", "--data-binary", "@\(folder.path)/bars"), "again.png", in: folder)
    let way = try fount.curl("/v1/models/\(model)/interpolate?from_seed=1&to_seed=2&steps=5&scale=2")
    let steps = try fount.curl("/v1/models/\(model)/interpolate?from_seed=1&to_seed=2&steps=5", "-H", "Accept: application/x-npy")
    let script = """
      import sys, numpy as np
      from PIL import Image
      z, again, way = np.load(sys.argv[1]), np.asarray(Image.open(sys.argv[2])), np.asarray(Image.open(sys.argv[3]))
      steps = np.load(sys.argv[4])
      assert z.shape == (640, 6) and z.dtype == np.float32 and np.isfinite(z).all(), z.shape
      assert way.shape == (8, 5 * 8 + 4 * 2) and steps.shape == (5, 4, 4, 1), (way.shape, steps.shape)
      for i in range(5): assert (way[::2, 10 * i:10 * i + 8:2] == steps[i, :, :, 0]).all(), i
      # An example and what is made of it stand beside each other: black and white against shades near them.
      a, b = again[:8:2, :8:2], again[:8:2, 10:18:2]
      assert set(np.unique(a)) <= {0, 255} and np.abs(a.astype(int) - b).mean() < 90, (a, b)
      """
    let arguments = [
      "-c", script, latents, again, try written(way, "way.png", in: folder), try written(steps, "steps.npy", in: folder),
    ]
    let python = try Program.run("/usr/bin/python3", arguments)
    #expect(python.status == 0, "\(python.errors)")
    let tag = try #require(way.headers["etag"])
    #expect(
      try fount.curl("/v1/models/\(model)/interpolate?from_seed=1&to_seed=2&steps=5&scale=2", "-H", "If-None-Match: \(tag)").status == 304)
  }

  @Test func `what a family can't do is a conflict, and a metric that it does not admit is named with those that it does`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let bars = SampleData.barsAndStripes(side: 4, copies: 4)
    try Data(bars).write(to: URL(fileURLWithPath: folder.path + "/bars"))
    let (made, _, dataset) = try train(fount, "made", ["hidden_layers": [8]], bars, epochs: 1)
    for verb in ["encode", "reconstruct"] {
      let refused = try fount.curl("/v1/models/\(made)/\(verb)", "--data-binary", "@\(folder.path)/bars")
      #expect(refused.status == 409 && refused.text.contains("made"), "\(refused.text)")
    }
    #expect(try fount.curl("/v1/models/\(made)/interpolate").status == 409)
    let form = ["-F", "image=@\(folder.path)/bars", "-F", "mask=@\(folder.path)/bars"]
    #expect(try fount.curl("/v1/models/\(made)/complete", form).status == 409)
    #expect(try fount.curl("/v1/models/\(made)/filters.png").status == 409)
    let chain = try fount.curl("/v1/models/\(made)/samples?burn_in=5")
    #expect(try chain.status == 400 && chain.faults.keys.contains("burn_in"))
    let refused = try fount.post(
      "/v1/jobs", ["kind": "evaluate", "model": .string(made), "dataset": .string(dataset), "metrics": ["nats", "ais"]])
    #expect(try refused.status == 422 && refused.faults["/metrics/1"]?.contains("\"exact\"") == true, "\(refused.text)")
    let rbm = try train(fount, "rbm", ["hidden": 30], bars, epochs: 1).model
    let exact = try fount.post(
      "/v1/jobs", ["kind": "evaluate", "model": .string(rbm), "dataset": .string(dataset), "metrics": ["exact", "elbo"]])
    #expect(try exact.status == 422 && exact.faults["/metrics/0"]?.contains("\"ais\"") == true && exact.faults["/metrics/1"] != nil)
    let view = try fount.curl("/v1/models/\(rbm)").json
    #expect(view["abilities"] == ["score", "complete", "encode"] && view["links"]?["encode"] == .string("/v1/models/\(rbm)/encode"))
  }
}
