import Foundation
import JSON
import Testing

/// `GET /v1/models/{id}/model.onnx`: a model for other programs to compute.
@Suite struct `A model as an ONNX graph` {
  private static let examples = SampleData.barsAndStripes(side: 4, copies: 10)
  private static let python = DeployFolder.path("../.build/python/bin/python3")

  /// −ln p of the examples of an IDX file, by onnxruntime.
  private static let nats = """
    import sys, numpy as np, onnxruntime
    x = np.fromfile(sys.argv[2], np.uint8, offset=16).reshape(-1, 16).astype(np.float32)
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    logits = session.run(["logits"], {"x": x, "uniforms": np.zeros_like(x)})[0].astype(float)
    print(session.get_modelmeta().custom_metadata_map["family"], np.logaddexp(0, logits * (1 - 2 * x)).sum(1).mean())
    """

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "Deploy/test installs the packages of PyPI"))
  func `tells elsewhere what the server tells of examples`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path + "/data")
    let model = try `The main job`.trainedModel(fount, Self.examples)
    let graph = try fount.curl("/v1/models/\(model)/model.onnx")
    #expect(graph.status == 200 && graph.headers["content-type"] == "application/octet-stream")
    let (file, data) = (folder.path + "/model.onnx", folder.path + "/examples.idx")
    try graph.body.write(to: URL(fileURLWithPath: file))
    try Data(Self.examples).write(to: URL(fileURLWithPath: data))
    let ran = try Program.run(Self.python, ["-c", Self.nats, file, data])
    try #require(ran.status == 0, "\(ran.errors)")
    let told = ran.output.split(separator: " ")
    let score = try fount.curl("/v1/models/\(model)/score", "--data-binary", "@\(data)").json
    let nats = try #require(score["nats"]?.array).compactMap { $0.number }
    let ours: Double = nats.reduce(0, +) / Double(nats.count)
    let theirs: Double = try #require(Double(told[1].trimmingCharacters(in: .newlines)))
    #expect(told[0] == "made" && abs(ours - theirs) < 1e-4, "\(ours) and \(theirs)")
  }

  @Test func `is the same bytes each time, and not sent where the client has them`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let path = "/v1/models/\(try `The main job`.trainedModel(fount, Self.examples))/model.onnx"
    let (first, second) = try (fount.curl(path), fount.curl(path))
    #expect(first.body == second.body && first.body.count > 1000)
    let tag = try #require(first.headers["etag"])
    #expect(try fount.curl(path, "-H", "If-None-Match: \(tag)").status == 304)
    #expect(try fount.curl(path + "?seed=1").status == 400)
    #expect(try fount.curl("/v1/models/mdl_none/model.onnx").status == 404)
  }

  @Test func `is refused where there is no single pass, with the reason`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(Self.examples)
    for (family, configuration) in [("rbm", ["hidden": 4]), ("made", ["hidden_layers": [8], "orderings": 2])] as [(String, JSONValue)] {
      let job = try fount.submit([
        "kind": "train", "dataset": .string(dataset), "family": .string(family), "configuration": configuration, "training": ["epochs": 1],
      ])
      try fount.finish(try #require(job["id"]?.string))
      let refused = try fount.curl("/v1/models/\(job["model"]?.string ?? "")/model.onnx")
      #expect(try refused.status == 409 && refused.json["detail"]?.string?.contains("single pass") == true, "\(refused.text)")
    }
  }
}
