import Datasets
import Foundation
import JSON
import Models
import Tensors
import Testing
import Training

@Suite struct `Standardized reals` {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Rows of three columns, each telling something of the next.
  private func rows(_ count: Int, scale: [Float] = [1, 1, 1], shift: [Float] = [0, 0, 0], seed: UInt64 = 3) -> [Float] {
    let normals = Tensor(normal: 3, .data, examples: Array(0..<count), using: Philox(seed: seed))
    var values: [Float] = []
    for row in 0..<count {
      let a = normals[row, 0]
      let b = 0.8 * a + 0.6 * normals[row, 1]
      let c = b * b + 0.3 * normals[row, 2]
      values += [a * scale[0] + shift[0], b * scale[1] + shift[1], c * scale[2] + shift[2]]
    }
    return values
  }

  private func train(_ name: String, _ family: String, _ values: [Float]) throws -> Attempts {
    let attempts = try Attempts(scratch, name)
    let dataset = try scratch.dataset(name, shape: .table(columns: 3), floats: values)
    try attempts.writeTraining(
      [
        "family": .string(family),
        "configuration": ["hidden_layers": [20], "output": "gaussian_mixture", "components": 3],
      ], training: ["epochs": 8, "validation_fraction": 0.2], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    return attempts
  }

  @Test func `have mean 0 and deviation 1 over the examples that train, and come back`() throws {
    let values = rows(500, scale: [1, 1000, 0.001], shift: [0, -70_000, 5])
    let file = try scratch.dataset("x", shape: .table(columns: 3), floats: values)
    let dataset = try Dataset(mapping: file.path, description: file.description)
    let training = Array(0..<300)
    let standardization = try Standardization(of: training, in: dataset, admitsConstants: false)
    for column in 0..<3 {
      let numbers = training.map { Double(values[$0 * 3 + column]) }
      let mean = numbers.reduce(0, +) / 300
      let deviation = (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 300).squareRoot()
      #expect(abs(standardization.means[column] - mean) < 1e-9 * (1 + abs(mean)))
      #expect(abs(standardization.deviations[column] - deviation) < 1e-9 * deviation)
    }
    #expect(Standardization(json: standardization.json, dims: 3) == standardization)
    #expect(Standardization(json: standardization.json, dims: 2) == nil)
    #expect(Standardization(json: ["means": [0, 0, 0], "deviations": [1, 0, 1]], dims: 3) == nil)
  }

  @Test(arguments: ["nade", "made"])
  func `are scored in the units in which they came, whatever those are`(family: String) throws {
    let plain = try train("plain", family, rows(400))
    let (scale, shift) = ([1, 1024, 0.125], [0, -4096, 16]) as ([Float], [Float])
    let scaled = try train("scaled", family, rows(400, scale: scale, shift: shift))
    // The volume of the units: the same densities, stretched. Which examples validate depends on their bytes, so all are scored.
    func scores(_ attempts: Attempts, _ values: [Float], _ name: String) throws -> (nats: [Double], estimator: String?) {
      let checkpoint = try #require(try attempts.model.current())
      let file = try scratch.dataset(name, shape: .table(columns: 3), floats: values)
      let answer = try SamplerClient().ask(.score(.init(checkpoint: checkpoint.path, model: "m", dataset: file)))
      let json = try JSONValue(parsing: answer.payload)
      return (json["nats"]?.array?.compactMap(\.number) ?? [], json["estimator"]?.string)
    }
    let first = try scores(plain, rows(300, seed: 4), "p")
    let second = try scores(scaled, rows(300, scale: scale, shift: shift, seed: 4), "s")
    #expect(first.estimator == "exact" && first.nats.count == 300)
    let means = (first.nats.reduce(0, +) / 300, second.nats.reduce(0, +) / 300)
    #expect(abs(means.1 - means.0 - log(1024 * 0.125)) < 0.15, "\(means)")
    // Independent normals of these deviations cost 4.9 nats; the truth 1.1.
    #expect(means.0 < 4)

    let result = try #require(try plain.result()?["metrics"])
    let (trained, validated) = (result["train_nats"]?.number ?? .nan, result["validation_nats"]?.number ?? .nan)
    #expect(abs(trained - means.0) < 1.5 && abs(validated - means.0) < 1, "\(trained), \(validated), \(means.0)")
  }

  @Test func `are drawn in the units in which they came`() throws {
    let attempts = try train("x", "nade", rows(400, scale: [1, 1024, 1], shift: [0, -4096, 16]))
    let checkpoint = try #require(try attempts.model.current())
    let answer = try SamplerClient().ask(
      .sample(
        .init(
          checkpoint: checkpoint.path, model: "m", selection: .first(count: 400, columns: nil), seed: 1, temperature: 1, scale: 1,
          format: .json, threads: 1)))
    let samples = try #require(try JSONValue(parsing: answer.payload)["samples"]?.array)
    func mean(_ column: Int) -> Double {
      let values = samples.compactMap { $0.array?[column].number }
      return values.reduce(0, +) / Double(samples.count)
    }
    #expect(samples.count == 400)
    // Four standard errors, and what so short a training leaves.
    #expect(abs(mean(0)) < 0.4 && abs(mean(1) + 4096) < 400 && abs(mean(2) - 17) < 0.7, "\(mean(0)), \(mean(1)), \(mean(2))")
  }

  @Test func `that are as far off as numbers go still have finite nats`() throws {
    let attempts = try train("x", "made", rows(200))
    let checkpoint = try #require(try attempts.model.current())
    let far = try scratch.dataset("far", shape: .table(columns: 3), floats: [3e38, 0, 0, 0, -3e38, 3e38])
    let answer = try SamplerClient().ask(.score(.init(checkpoint: checkpoint.path, model: "m", dataset: far)))
    let nats = try #require(try JSONValue(parsing: answer.payload)["nats"]?.array)
    #expect(nats.count == 2 && nats.compactMap(\.number).allSatisfy { $0.isFinite && $0 > 1000 }, "\(nats)")
  }

  @Test func `of a column that never changes have no density, and the run says which`() throws {
    var values = rows(50)
    for row in 0..<50 { values[row * 3 + 1] = 0.1 }
    let attempts = try train("x", "nade", values)
    let result = try #require(try attempts.result())
    #expect(result["status"] == "failed")
    #expect(result.serialized().contains("column 1 (counted from 0)"), "\(result.serialized())")
  }

  @Test func `of pictures share one mean and one deviation`() throws {
    // The first pixel never changes.
    var floats: [Float] = []
    for place in 0..<144 { floats.append(place % 36 == 0 ? 0.5 : Float(place % 7)) }
    let file = try scratch.dataset("x", shape: smallPicture, floats: floats)
    let dataset = try Dataset(mapping: file.path, description: file.description)
    let standardization = try Standardization(of: [0, 1, 2, 3], in: dataset, admitsConstants: false)
    #expect(standardization.means.count == 1 && standardization.deviations.count == 1)
  }
}
