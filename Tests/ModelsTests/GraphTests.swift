import Foundation
import JSON
import Models
import ONNX
import Tensors
import Testing

/// What models are as graphs, computed by ONNX's own runtime with the noise of our samples.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: Runtime.python), "Deploy/test installs the packages of PyPI"))
struct `A graph` {
  private static let indices = Array(0..<24)
  private static let randomness = Philox(seed: 11)

  private static func uniforms(_ dims: Int) -> Tensor { Tensor(uniform: dims, .sampling, examples: indices, using: randomness) }

  /// A model after a few steps, so that biases and norms are not what they begin as.
  private static func trained(_ family: ModelFamily, _ input: ModelInput, _ request: JSONValue) throws -> any GenerativeModel {
    let faults = Faults()
    let configuration = family.schema.resolve(FieldReader(request, faults: faults))
    try #require(faults.isEmpty && family.refusal(configuration, input) == nil, "\(faults.all)")
    var optimizer = OptimizerSettings.adam
    optimizer.averagingDecay = 0.9
    var model = family.make(configuration, input, optimizer, 5, ThreadTeam(count: 1))
    for step in 0..<5 {
      var x = Tensor(uniform: input.dims, .data, step: step, examples: Array(0..<16), using: Philox(seed: 3))
      if input.kind == .bits { x = Tensor(shape: x.shape, scalars: x.scalars.map { $0.rounded() }) }
      if input.kind == .grey256 { x = Tensor(shape: x.shape, scalars: x.scalars.map { ($0 * 255).rounded() / 255 }) }
      _ = model.trainStep(on: x, examples: Array(0..<16), step: step, learningRate: 0.01, using: Philox(seed: 3))
    }
    return model
  }

  private static func graph(of model: any GenerativeModel) throws -> Graph {
    try #require(model as? any WritesGraph).graph()
  }

  private static func isNear(_ a: Tensor, _ b: [Float]) -> Bool {
    a.count == b.count && zip(a.scalars, b).allSatisfy { abs($0 - $1) <= 1e-4 * max(1, abs($0)) }
  }

  @Test(
    arguments: [
      ["hidden_layers": [30]], ["hidden_layers": [20, 11], "direct_connections": false, "activation": "tanh"],
    ] as [JSONValue])
  func `of MADE gives its logits, and with the noise of a sample that sample`(request: JSONValue) throws {
    let made = try #require(try Self.trained(.made, ModelInput(dims: 13, kind: .bits), request) as? MADE)
    let x = made.sample(Self.indices, temperature: 1, using: Self.randomness)
    let told = try Runtime.run(Self.graph(of: made), [["x": x, "uniforms": Self.uniforms(13)]])[0]
    #expect(Self.isNear(made.logits(of: x), try #require(told["logits"])))
    #expect(told["sample"] == x.scalars)
  }

  @Test(arguments: [("categorical", ModelInput.Kind.grey256, "logits"), ("gaussian_mixture", .real, "parameters")])
  func `of MADE gives what tells levels and reals`(output: String, kind: ModelInput.Kind, name: String) throws {
    let request: JSONValue = ["hidden_layers": [16], "output": .string(output), "components": 3]
    let made = try #require(try Self.trained(.made, ModelInput(dims: 6, kind: kind), request) as? MADE)
    let x = made.sample(Self.indices, temperature: 1, using: Self.randomness)
    let told = try Runtime.run(Self.graph(of: made), [["x": x]])[0]
    #expect(Self.isNear(made.logits(of: x), try #require(told[name])))
  }

  @Test(arguments: ["data", "shuffled"])
  func `of NADE is a step, and steps in its order make its sample`(order: String) throws {
    let dims = 9
    let nade = try #require(
      try Self.trained(.nade, ModelInput(dims: dims, kind: .bits), ["hidden_layers": [14], "order": .string(order)]) as? NADE)
    let (x, noise) = (nade.sample(Self.indices, temperature: 1, using: Self.randomness), Self.uniforms(dims))
    let logits = nade.logits(of: x)
    var known = Tensor(repeating: 0, shape: x.shape)
    var feeds: [[String: Tensor]] = []
    for d in nade.ordering {
      let column = Tensor(shape: [x.rows, 1], scalars: (0..<x.rows).map { noise[$0, d] })
      feeds.append(["x": known, "uniforms": column, "dimension": Tensor(shape: [], scalars: [Float(d)])])
      for row in 0..<x.rows { known[row, d] = x[row, d] }
    }
    for (d, told) in zip(nade.ordering, try Runtime.run(Self.graph(of: nade), feeds)) {
      let column = Tensor(shape: [x.rows], scalars: (0..<x.rows).map { logits[$0, d] })
      #expect(Self.isNear(column, try #require(told["logits"])))
      #expect(told["sample"] == (0..<x.rows).map { x[$0, d] })
    }
  }

  @Test(arguments: Networks.vaes)
  func `of a VAE gives what its decoder expects, and of bits its sample`(input: ModelInput, request: JSONValue) throws {
    let vae = try #require(try Self.trained(.vae, input, request) as? VAE)
    let z = vae.latents(Self.indices, using: Self.randomness)
    var feed = ["latents": z]
    if input.kind == .bits { feed["uniforms"] = Self.uniforms(input.dims) }
    let told = try Runtime.run(Self.graph(of: vae), [feed])[0]
    #expect(Self.isNear(vae.expected(z), try #require(told["mean"])))
    if input.kind == .bits { #expect(told["sample"] == vae.sample(Self.indices, temperature: 1, using: Self.randomness).scalars) }
    #expect(told.count == 2)
  }

  @Test(arguments: Networks.gans)
  func `of a GAN makes its samples of their noise`(input: ModelInput, request: JSONValue) throws {
    let gan = try #require(try Self.trained(.gan, input, request) as? GAN)
    let told = try Runtime.run(Self.graph(of: gan), [["latents": gan.latents(Self.indices, using: Self.randomness)]])[0]
    let samples = gan.sample(Self.indices, temperature: 1, using: Self.randomness)
    #expect(Self.isNear(samples, try #require(told["sample"])))
  }

  @Test func `is refused where a model mixes several, and not asked of chains`() throws {
    let mixed = try Self.trained(.made, ModelInput(dims: 6, kind: .bits), ["hidden_layers": [8], "orderings": 2])
    #expect(throws: NoGraph.self) { try Self.graph(of: mixed) }
    let rbm = try Self.trained(.rbm, ModelInput(dims: 6, kind: .bits), ["hidden": 4])
    #expect(!(rbm is any WritesGraph))
  }
}

/// One of every kind of decoder and generator.
private enum Networks {
  typealias Network = (input: ModelInput, request: JSONValue)

  static let small = ModelInput(dims: 64, imageShape: .init(height: 8, width: 8, channels: 1), kind: .bits)
  static let wide = ModelInput(dims: 96, imageShape: .init(height: 4, width: 8, channels: 3), kind: .grey256)
  static let coloured = ModelInput(dims: 192, imageShape: .init(height: 8, width: 8, channels: 3), kind: .grey256)
  static let high = ModelInput(dims: 224, imageShape: .init(height: 16, width: 14, channels: 1), kind: .grey256)

  static let vaes: [Network] = [
    (ModelInput(dims: 15, kind: .bits), ["hidden_layers": [20, 12], "latent": 3] as JSONValue),
    (small, ["architecture": "convolutional", "channels": 4] as JSONValue),
    (ModelInput(dims: 7, kind: .real), ["hidden_layers": [10], "latent": 2, "likelihood": "gaussian"] as JSONValue),
    (
      wide,
      ["architecture": "convolutional", "channels": 3, "hidden_layers": [9], "likelihood": "discretized_logistic"] as JSONValue
    ),
  ]

  static let gans: [Network] = [
    (ModelInput(dims: 5, kind: .real), ["hidden_layers": [16, 8], "latent": 3] as JSONValue),
    (ModelInput(dims: 12, kind: .bits), ["hidden_layers": [16], "latent": 4] as JSONValue),
    (coloured, ["architecture": "dcgan", "channels": 4, "latent": 6] as JSONValue),
    (high, ["architecture": "dcgan", "channels": 2] as JSONValue),
  ]
}

/// onnxruntime, in a process of its own.
private enum Runtime {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let root = tests.appendingPathComponent("../..").standardizedFileURL
  /// Its path as it is, for an environment's Python is a link, which tells it where its packages are.
  static let python = root.appendingPathComponent(".build/python/bin/python3").path

  struct Failed: Error, CustomStringConvertible { let description: String }

  /// The outputs of each feed, by their names.
  static func run(_ graph: Graph, _ feeds: [[String: Tensor]]) throws -> [[String: [Float]]] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("fount-\(UUID().uuidString).onnx")
    try Data(graph.encoded(producer: (name: "fount", version: "1"), metadata: ["family": "é", "empty": ""])).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }  // A file left over harms no test.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [tests.appendingPathComponent("Peers/run_onnx.py").path, file.path]
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
    try process.run()
    let asked = feeds.map { feed in
      JSONValue.object(
        feed.reduce(into: JSONObject()) { object, put in
          object[put.key] = [
            "shape": .array(put.value.shape.map(JSONValue.integer)), "values": .array(put.value.scalars.map { .number(Double($0)) }),
          ]
        })
    }
    try input.fileHandleForWriting.write(contentsOf: Data(JSONValue.array(asked).serializedBytes()))
    try input.fileHandleForWriting.close()
    let told = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }
    var results = try #require(try JSONValue(parsing: Array(told)).array)
    #expect(results.removeLast() == ["family": "é", "empty": ""])
    return try results.map { result in
      var outputs: [String: [Float]] = [:]
      for (name, value) in try #require(result.object) {
        outputs[name] = try #require(value["values"]?.array).compactMap { $0.number.map { Float($0) } }
      }
      return outputs
    }
  }
}
