import Files
import JSON
import Tensors
import Testing
import Training

@Suite struct `A checkpoint` {
  private let scratch: Scratch
  private let path: String

  init() throws {
    scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(40))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 1], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    path = try #require(try attempts.model.current()).path
  }

  /// The file with something changed, under a digest that is right.
  private func error(_ change: (inout Safetensors) -> Void) throws -> String? {
    var file = try Safetensors(try Disk.read(path, bytesMax: 1 << 24), requiresDigest: true)
    change(&file)
    do {
      _ = try Checkpoint(file.encoded(), path: "x")
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `tells all that a model is`() throws {
    let checkpoint = try Checkpoint(path: path)
    #expect(checkpoint.family.name == "made" && checkpoint.model == "mdl_test" && checkpoint.seed == 3 && checkpoint.step > 0)
    #expect(checkpoint.configuration.integers("hidden_layers") == [16])
    #expect(checkpoint.preparation.shape == smallPicture)
    #expect(try error { _ in } == nil)
  }

  @Test(arguments: ["format", "model", "family", "configuration", "preparation", "optimizer", "seed", "progress"])
  func `without one of its texts, or with a wrong one, is refused by its name`(key: String) throws {
    let absent = try error { $0.metadata[key] = nil }
    #expect(absent?.contains("\"\(key)\"") == true, "\(String(describing: absent))")
    if key != "model" {
      let wrong = try error { $0.metadata[key] = "[1]" }
      #expect(wrong?.contains("\"\(key)\"") == true, "\(String(describing: wrong))")
    }
  }

  @Test func `of a model that its family would not make is refused before any is made`() throws {
    let wide: JSONValue = ["hidden_layers": [16_384, 16_384, 16_384]]
    #expect(try error { $0.metadata["configuration"] = wide.serialized() }?.contains("weights") == true)
    let grey: JSONValue = ["shape": [6, 6, 1], "kind": "grey256", "binarize": "none", "scale": 255]
    #expect(try error { $0.metadata["preparation"] = grey.serialized() }?.contains("grey256") == true)
  }

  @Test func `whose tensors are another model's is answered by a sampler, by name`() throws {
    var file = try Safetensors(try Disk.read(path, bytesMax: 1 << 24), requiresDigest: true)
    let index = try #require(file.tensors.firstIndex { $0.name == "output.bias" })
    file.tensors[index] = NamedTensor("output.bias", Tensor(repeating: 0, shape: [35]))
    try Disk.replace(path, with: file.encoded())
    let samples = SamplerRequest.Samples(
      checkpoint: path, model: "m", selection: .one(index: 0), seed: 1, format: .png)
    let answer = try SamplerClient().ask(.sample(samples))
    #expect(answer.header["error"]?["reason"] == "checkpoint")
    #expect(answer.header["error"]?["detail"]?.string?.contains("output.bias") == true, "\(answer.header)")
  }

  @Test func `that is cut off or absent is refused with the path`() throws {
    let bytes = try Disk.read(path, bytesMax: 1 << 24)
    for count in [0, 7, 8, 100, bytes.count / 2, bytes.count - 1] {
      let error = #expect(throws: CheckpointError.self) { _ = try Checkpoint(Array(bytes.prefix(count)), path: "/a/b") }
      #expect(error?.description.contains("/a/b") == true)
    }
    let absent = #expect(throws: CheckpointError.self) { _ = try Checkpoint(path: "/nowhere/x") }
    #expect(absent?.description.contains("/nowhere/x") == true)
  }
}
