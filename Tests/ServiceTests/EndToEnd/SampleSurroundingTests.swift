import Foundation
import JSON
import Testing

/// What lies around samples: the training examples nearest to them, and the latents between them.
@Suite struct `What lies around samples` {
  private func train(_ fount: FountProcess, _ family: String, _ configuration: JSONValue, on dataset: String) throws -> String {
    let job = try fount.submit([
      "kind": "train", "dataset": .string(dataset), "family": .string(family), "configuration": configuration,
      "training": ["epochs": 4, "validation_fraction": 0.2], "seed": 3,
    ])
    let id = try #require(job["id"]?.string)
    return try #require(try fount.finish(id)["model"]?.string)
  }

  @Test func `is shown in pairs, a sample and its neighbour, of which the picture says which they are`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 30))
    let model = try train(fount, "made", ["hidden_layers": [30]], on: dataset)
    let path = "/v1/models/\(model)/neighbours?count=5&seed=2"
    let answer = try fount.curl("\(path)&scale=2&columns=4")
    #expect(answer.status == 200 && answer.headers["content-type"] == "image/png", "\(answer.text)")
    #expect(try fount.curl("/v1/models/\(model)").json["links"]?["neighbours"]?.string == "/v1/models/\(model)/neighbours")
    let told = try #require(try fount.curl(path, "-H", "Accept: application/json").json["neighbours"]?.array)
    #expect(told.compactMap { $0["sample"]?.integer } == [0, 1, 2, 3, 4])
    try answer.body.write(to: URL(fileURLWithPath: folder.path + "/pairs.png"))
    let samples = try fount.curl("/v1/models/\(model)/samples?count=5&seed=2", "-H", "Accept: application/x-npy")
    try samples.body.write(to: URL(fileURLWithPath: folder.path + "/samples.npy"))
    try Data(SampleData.barsAndStripes(side: 4, copies: 30)).write(to: URL(fileURLWithPath: folder.path + "/bars.idx"))
    // Two pairs a row of tiles of 8 pixels, 2 apart.
    let script = """
      import sys, numpy as np
      from PIL import Image
      picture = Image.open(sys.argv[1])
      tiles = np.asarray(picture)
      samples = np.load(sys.argv[2])[..., 0]
      data = np.frombuffer(open(sys.argv[3], "rb").read()[16:], np.uint8).reshape(-1, 4, 4) * 255
      examples = [int(text) for text in picture.text["neighbours"].split()]
      assert picture.text["seed"] == "2" and tiles.shape == (28, 38), tiles.shape
      for pair in range(5):
        y, x = pair // 2 * 10, pair % 2 * 20
        assert (tiles[y:y + 8:2, x:x + 8:2] == samples[pair]).all()
        assert (tiles[y:y + 8:2, x + 10:x + 18:2] == data[examples[pair]]).all()
      print(examples)
      """
    let arguments = ["pairs.png", "samples.npy", "bars.idx"].map { "\(folder.path)/\($0)" }
    let python = try Program.run("/usr/bin/python3", ["-c", script] + arguments)
    #expect(python.output == "\(told.compactMap { $0["example"]?.integer })\n", "\(python.errors)")

    let tag = try #require(answer.headers["etag"])
    #expect(try fount.curl("\(path)&scale=2&columns=4", "-H", "If-None-Match: \(tag)").status == 304)
    #expect(try fount.curl("\(path)&burn_in=3").status == 400, "no chain draws these")
    #expect(try fount.curl("\(path)", "-H", "Accept: application/x-npy").status == 406)
    #expect(try fount.curl("/v1/datasets/\(dataset)", "-X", "DELETE").status == 204)
    #expect(try fount.curl(path).status == 409)
  }

  @Test func `is a field of latents, whose borders are the ways between its corners`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 30))
    let model = try train(fount, "vae", ["latent": 3, "hidden_layers": [20]], on: dataset)
    /// The examples along a way or over a field, 16 bytes each.
    func examples(_ query: String, count: Int) throws -> [[UInt8]] {
      let answer = try fount.curl("/v1/models/\(model)/interpolate?\(query)", "-H", "Accept: application/x-npy")
      try #require(answer.status == 200, "\(answer.text)")
      let bytes = Array(answer.body.suffix(count * 16))
      return (0..<count).map { Array(bytes[$0 * 16..<($0 + 1) * 16]) }
    }
    let field = try examples("from_seed=5&to_seed=6&lower_from_seed=7&lower_to_seed=8&rows=4&steps=5", count: 20)
    #expect(Set(field).count > 4)
    #expect(try examples("from_seed=5&to_seed=6&steps=5", count: 5) == Array(field[..<5]))
    #expect(try examples("from_seed=7&to_seed=8&steps=5", count: 5) == Array(field[15...]))
    #expect(try examples("from_seed=5&to_seed=7&steps=4", count: 4) == (0..<4).map { field[$0 * 5] })
    #expect(try examples("from_seed=6&to_seed=8&steps=4", count: 4) == (0..<4).map { field[$0 * 5 + 4] })

    // One way has no other below it.
    #expect(try examples("from_seed=5&to_seed=6&steps=5&lower_to_seed=4", count: 5) == Array(field[..<5]))
    #expect(try fount.curl("/v1/models/\(model)/interpolate?rows=2&steps=1000").faults["rows"]?.contains("was 2") == true)
  }

  @Test func `families tell what they are honest about, and what they need to learn a dataset`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let grey = try fount.dataset(SampleData.greys(side: 8, count: 40))
    let families = try #require(try fount.curl("/v1/families?dataset=\(grey)").json["data"]?.array)
    let kinds = Dictionary(uniqueKeysWithValues: families.map { ($0["name"]?.string ?? "", $0["likelihood"]?["kind"]?.string ?? "") })
    let expected = [
      "nade": "exact", "made": "exact", "pixelrnn": "exact", "pixelcnn": "exact", "vae": "bound", "rbm": "estimate", "dbm": "estimate",
      "gan": "none", "gsn": "none",
    ]
    #expect(kinds == expected)
    for family in families {
      let name = family["name"]?.string ?? ""
      #expect((family["abilities"]?.array ?? []).contains("score") == (kinds[name] != "none"), "\(name)")
      #expect(family["sampling"]?.string?.hasSuffix(".") == true && family["presets"]?.array?.count == 2, "\(name)")
      // A preset and a fit are what a job takes.
      for preset in family["presets"]?.array ?? [] {
        var configuration = try #require(preset["configuration"]?.object)
        for (key, value) in try #require(family["fit"]?["configuration"]?.object) { configuration[key] = value }
        let job: JSONValue = [
          "kind": "train", "dataset": .string(grey), "family": .string(name), "configuration": .object(configuration),
          "data": family["fit"]?["data"] ?? [:],
        ]
        let answer = try fount.post("/v1/jobs?dry_run=1", job)
        #expect(answer.status == 200, "\(name) \(preset["name"]?.string ?? ""): \(answer.text)")
      }
    }
    let table = try #require(try fount.upload(Array("a,b\n1.5,2\n3,4\n5,6\n".utf8), query: "?format=csv").json["id"]?.string)
    let pixels = try fount.curl("/v1/families/pixelcnn?dataset=\(table)").json
    #expect(pixels["fit"] == .null && pixels["refusal"]?.string?.isEmpty == false)
    #expect(try fount.curl("/v1/families?dataset=ds_none").status == 404)
    #expect(try fount.curl("/v1/families").json["data"]?.array?.contains { $0["fit"] != nil } == false)
  }
}
