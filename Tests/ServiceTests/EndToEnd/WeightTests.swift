import Foundation
import JSON
import Testing

/// Models as files: out of one server and into another.
@Suite struct `A model's weights` {
  /// Reads and writes safetensors with struct and json alone, sharing no line with the server.
  private static let python = """
    import json, struct, sys, numpy as np
    def read(path):
        data = open(path, "rb").read()
        (n,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + n])
        meta = header.pop("__metadata__")
        tensors = {}
        for name, t in header.items():
            a, b = t["data_offsets"]
            assert t["dtype"] == "F32"
            tensors[name] = np.frombuffer(data[8 + n + a:8 + n + b], "<f4").reshape(t["shape"])
        return meta, tensors
    def write(path, meta, tensors):
        header, body = {"__metadata__": meta}, b""
        for name, t in tensors.items():
            raw = np.ascontiguousarray(t, "<f4").tobytes()
            header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(body), len(body) + len(raw)]}
            body += raw
        text = json.dumps(header).encode()
        open(path, "wb").write(struct.pack("<Q", len(text)) + text + body)

    """

  private static func run(_ program: String, _ arguments: String...) throws {
    let result = try Program.run("/usr/bin/python3", ["-c", python + program] + arguments)
    try #require(result.status == 0, "\(result.errors)")
  }

  private static func exported(_ fount: FountProcess, _ model: String, to path: String) throws -> Answer {
    let answer = try fount.curl("/v1/models/\(model)/weights.safetensors")
    try #require(answer.status == 200, "\(answer.text)")
    try answer.body.write(to: URL(fileURLWithPath: path))
    return answer
  }

  private static func files(in folder: String) throws -> [String] { try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() }

  @Test func `are read by Python, in whole or in parts`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 4, copies: 10))
    let file = folder.path + "/weights"
    let answer = try Self.exported(fount, model, to: file)
    #expect(answer.headers["content-disposition"]?.contains(model) == true && answer.headers["accept-ranges"] == "bytes")
    try Self.run(
      """
      meta, tensors = read(sys.argv[1])
      assert meta["family"] == "made" and json.loads(meta["configuration"])["hidden_layers"] == [24]
      assert json.loads(meta["preparation"])["shape"] == [4, 4, 1] and meta["seed"] == "7" and meta["model"] == sys.argv[2]
      shapes = {t.shape for t in tensors.values()}
      assert (16,) in shapes and any(24 in s and 16 in s for s in shapes), shapes
      assert all(np.isfinite(t).all() for t in tensors.values())
      """, file, model)
    let tag = try #require(answer.headers["etag"])
    let path = "/v1/models/\(model)/weights.safetensors"
    #expect(try fount.curl(path, "-H", "If-None-Match: \(tag)").status == 304)
    #expect(try fount.curl(path, "-I").headers["content-length"] == String(answer.body.count))
    for (range, expected) in [
      ("bytes=0-7", answer.body.prefix(8)), ("bytes=100-", answer.body.dropFirst(100)), ("bytes=-50", answer.body.suffix(50)),
      ("bytes=10-99999999", answer.body.dropFirst(10)),
    ] {
      let part = try fount.curl(path, "-H", "Range: \(range)", "-H", "If-Range: \(tag)")
      #expect(part.status == 206 && part.body == Data(expected), "\(range)")
      #expect(part.headers["content-range"]?.hasSuffix("/\(answer.body.count)") == true)
    }
    let beyond = try fount.curl(path, "-H", "Range: bytes=99999999-")
    #expect(try beyond.status == 416 && beyond.json["detail"]?.string?.contains("\(answer.body.count) bytes") == true)
    #expect(beyond.headers["content-type"] == "application/problem+json" && beyond.headers["cache-control"] == nil)
    #expect(beyond.headers["content-range"] == "bytes */\(answer.body.count)")
    #expect(try fount.curl(path, "-H", "Range: bytes=0-1,4-5").headers["content-type"]?.hasPrefix("multipart/byteranges; ") == true)
    for range in ["bytes=5-1", "bytes=x-", "bytes=-", "lines=1-2", "bytes=0-9,1-9,2-9"] {
      #expect(try fount.curl(path, "-H", "Range: \(range)").body == answer.body, "\(range)")
    }
    #expect(try fount.curl(path, "-H", "Range: bytes=0-7", "-H", "If-Range: \"other\"").status == 200)
    #expect(try fount.curl("/v1/models/mdl_x/weights.safetensors").status == 404)
    #expect(try fount.curl(path + "?step=1").status == 404)
  }

  @Test func `make a model on another server that gives the same samples and scores, and lasts`() throws {
    let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
    let fount = try FountProcess(data: folder.path)
    let examples = SampleData.barsAndStripes(side: 4, copies: 10)
    let dataset = try fount.dataset(examples)
    let body = `The main job`.body(
      dataset, ["configuration": ["hidden_layers": [24], "orderings": 3], "training": ["epochs": 5, "weight_averaging": 0.9]])
    let done = try fount.finish(try #require(try fount.submit(body)["id"]?.string))
    let model = try #require(done["model"]?.string)
    let file = folder.path + "/weights"
    _ = try Self.exported(fount, model, to: file)

    var second = try FountProcess(data: other.path)
    let made = try second.curl("/v1/models", "--data-binary", "@\(file)")
    #expect(made.status == 201, "\(made.text)")
    let imported = try #require(try made.json["id"]?.string)
    #expect(made.headers["location"] == "/v1/models/\(imported)" && imported != model)
    #expect(fount.stop() == 0 && second.stop() == 0)
    // A restart sweeps what nobody names.
    second = try FountProcess(data: other.path)
    let first = try FountProcess(data: folder.path)
    #expect(try second.curl("/v1/models/\(imported)").json == made.json)
    #expect(try made.json["job"] == .null && made.json["dataset"] == .null && made.json["family"] == "made")
    #expect(try made.json["lineage"]?["imported"]?["model"] == .string(model))
    #expect(try made.json["metrics"]?["validation_nats"] == done["metrics"]?["validation_nats"])
    #expect(try second.curl("/v1/models").json["data"]?.array?.map { $0["id"] } == [.string(imported)])
    let npy = ["-H", "Accept: application/x-npy"]
    for query in ["count=200&seed=5", "count=30&seed=6&temperature=0.7"] {
      let a = try first.curl("/v1/models/\(model)/samples?\(query)", npy)
      let b = try second.curl("/v1/models/\(imported)/samples?\(query)", npy)
      #expect(a.status == 200 && a.body == b.body)
    }
    try Data(SampleData.allImages(height: 4, width: 4)).write(to: URL(fileURLWithPath: file + "-all"))
    let scores = try [(first, model), (second, imported)].map { fount, model in
      try fount.curl("/v1/models/\(model)/score", "--data-binary", "@\(file)-all").json["nats"]
    }
    #expect(scores[0]?.array?.count == 65536 && scores[0] == scores[1])
    // What came in goes out again, and an evaluation reads it as any other.
    let again = try Self.exported(second, imported, to: file + "-again")
    #expect(try second.curl("/v1/models", "--data-binary", "@\(file)-again").status == 201)
    #expect(again.headers["etag"] != nil)
    let evaluation = try second.submit(["kind": "evaluate", "model": .string(imported), "dataset": .string(try second.dataset(examples))])
    try second.finish(try #require(evaluation["id"]?.string))
    // Weights alone, as another program may write them, are a model too.
    try Self.run(
      """
      meta, tensors = read(sys.argv[1])
      meta.pop("sha256")
      write(sys.argv[1] + "-alone", meta, {k: t for k, t in tensors.items() if not k.startswith("optimizer.")})
      """, file)
    let alone = try #require(try second.curl("/v1/models", "--data-binary", "@\(file)-alone").json["id"]?.string)
    #expect(
      try second.curl("/v1/models/\(alone)/samples?count=50&seed=1", npy).body
        == second.curl("/v1/models/\(imported)/samples?count=50&seed=1", npy).body)
  }

  @Test func `that are damaged or hostile are refused by what is wrong, and leave nothing behind`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 4, copies: 10))
    let file = folder.path + "-weights"
    _ = try Self.exported(fount, model, to: file)
    try Self.run(
      """
      f = sys.argv[1]
      data = open(f, "rb").read()
      def raw(name, b): open(f + "-" + name, "wb").write(b)
      raw("cut", data[:-5])
      raw("short", data[:50])
      raw("flipped", data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
      raw("longer", data + b"1234")
      raw("noise", bytes(np.random.RandomState(1).randint(0, 256, 5000, dtype=np.uint8)))
      raw("huge", struct.pack("<Q", 1 << 62) + data[8:])
      raw("deep", struct.pack("<Q", 100000) + b"[" * 100000)
      raw("png", b"\\x89PNG\\r\\n\\x1a\\n" + data)
      def changed(name, change):
          meta, tensors = read(f)
          meta.pop("sha256")
          change(meta, tensors)
          write(f + "-" + name, meta, tensors)
      def put(m, key, value): m[key] = value
      def poison(m, t):
          k = [k for k in t if not k.startswith("optimizer.")][0]
          t[k] = t[k].copy(); t[k].flat[0] = np.nan
      weight = [k for k in read(f)[1] if not k.startswith("optimizer.")][0]
      changed("family", lambda m, t: put(m, "family", "nonesuch"))
      changed("wide", lambda m, t: put(m, "configuration", json.dumps({"hidden_layers": [16384, 16384, 16384]})))
      changed("shape", lambda m, t: put(m, "preparation", json.dumps(dict(json.loads(m["preparation"]), shape=[4, 5, 1]))))
      changed("vast", lambda m, t: put(m, "preparation", json.dumps(dict(json.loads(m["preparation"]), shape=[1 << 40, 1 << 40, 3]))))
      changed("format", lambda m, t: put(m, "format", "9"))
      changed("seed", lambda m, t: put(m, "seed", "-1"))
      changed("infinite", lambda m, t: put(m, "progress", m["progress"].replace('"seconds":', '"seconds":1e999,"s":')))
      changed("late", lambda m, t: put(m, "progress", json.dumps(dict(json.loads(m["progress"]), step=2**62))))
      changed("missing", lambda m, t: t.pop(weight))
      changed("turned", lambda m, t: put(t, weight, np.zeros((3, 3))))
      changed("poisoned", poison)
      """, file)
    let before = try Self.files(in: folder.path + "/models")
    let expected = [
      "cut": "SHA-256", "short": "cut off", "flipped": "SHA-256", "longer": "", "noise": "header", "huge": "header", "deep": "header",
      "png": "header",
      "family": "nonesuch", "wide": "configuration", "shape": "shape", "vast": "preparation", "format": "format", "seed": "seed",
      "infinite": "progress", "late": "step", "missing": "tensor", "turned": "[3, 3]", "poisoned": "finite",
    ]
    for (name, word) in expected.sorted(by: { $0.key < $1.key }) {
      let answer = try fount.curl("/v1/models", "--data-binary", "@\(file)-\(name)")
      #expect(answer.status == 422, "\(name): \(answer.text)")
      let detail = try #require(try answer.json["detail"]?.string)
      #expect(word.isEmpty || detail.contains(word), "\(name): \(detail)")
      #expect(!detail.contains(folder.path), "\(name): \(detail)")
    }
    #expect(try fount.curl("/v1/models", "-X", "POST", "-d", "").status == 422)
    #expect(try fount.curl("/v1/models", "-F", "weights=@\(file)").status == 422)
    #expect(try fount.curl("/v1/models?name=x", "--data-binary", "@\(file)").status == 400)
    #expect(try Self.files(in: folder.path + "/models") == before)
    #expect(try Self.files(in: folder.path + "/incoming") == ["bodies"])
    #expect(try fount.curl("/v1/models").json["data"]?.array?.count == 1)
    #expect(try fount.curl("/v1/models", "--data-binary", "@\(file)").status == 201)
    #expect(try fount.curl("/v1/models", "-F", "file=@\(file)").status == 201)
    for path in try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
    where path.hasPrefix((folder.path as NSString).lastPathComponent + "-weights") {
      try FileManager.default.removeItem(atPath: NSTemporaryDirectory() + path)
    }
  }
}
