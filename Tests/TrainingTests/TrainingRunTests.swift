import Datasets
import Files
import Foundation
import JSON
import Models
import Tensors
import Testing
import Training

@Suite struct `A training run` {
  /// All that a run's weights may depend on at once: new bits each epoch, a schedule, an average of weights, a last batch that is short.
  private func writeRich(_ attempts: Attempts, _ scratch: Scratch, threads: Int, epochs: Int = 3) throws {
    var numbers = SplitMix(state: 2)
    let grey = stripes(150, on: 255).map { $0 == 0 ? UInt8(numbers.below(60)) : UInt8(200 + numbers.below(56)) }
    let dataset = try scratch.dataset("grey", shape: smallPicture, bytes: grey)
    try attempts.writeTraining(
      ["data": ["binarize": "stochastic"], "configuration": ["hidden_layers": [24, 16], "orderings": 2]],
      training: [
        "epochs": .integer(epochs), "threads": .integer(threads), "learning_rate_schedule": "cosine", "weight_averaging": 0.9,
        "validation_fraction": 0.2,
      ], dataset: dataset)
  }

  private func bits(_ checkpoint: Checkpoint) -> [String: [UInt32]] {
    Dictionary(uniqueKeysWithValues: checkpoint.tensors.map { ($0.name, $0.tensor.scalars.map(\.bitPattern)) })
  }

  @Test func `that was stopped anywhere and went on ends with the same bits`() throws {
    let scratch = try Scratch()
    let whole = try Attempts(scratch, "whole")
    try writeRich(whole, scratch, threads: 1)
    #expect(WorkerCommand.run(folder: whole.folder, attempt: 1, stop: StopRequest()) == 0)
    let expected = bits(try whole.finalCheckpoint())
    let expectedMetrics = try #require(try whole.result()?["metrics"])

    // 9 checks an epoch, the last of them within its validation.
    let drills = (0...12).map { [$0] } + [[1, 1, 1, 1], [5, 8, 3], [8, 0, 2, 9, 1]]
    for (number, drill) in drills.enumerated() {
      let attempts = try Attempts(scratch, "drill-\(number)")
      try writeRich(attempts, scratch, threads: 1 + number % 2)
      for (attempt, checks) in drill.enumerated() {
        #expect(WorkerCommand.run(folder: attempts.folder, attempt: attempt + 1, stop: StopRequest(afterChecks: checks)) == 0)
        #expect(!attempts.hasResult, "drill \(drill)")
        #expect(try attempts.model.current() != nil)
      }
      #expect(WorkerCommand.run(folder: attempts.folder, attempt: drill.count + 1, stop: StopRequest()) == 0)
      #expect(bits(try attempts.finalCheckpoint()) == expected, "drill \(drill)")
      #expect(try attempts.result()?["metrics"] == expectedMetrics, "drill \(drill)")
    }
  }

  @Test func `killed after its end but before its result ends the same way again`() throws {
    let scratch = try Scratch()
    let attempts = try Attempts(scratch, "a")
    try writeRich(attempts, scratch, threads: 1)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let first = try #require(try attempts.result())
    let model = bits(try attempts.finalCheckpoint())
    try Disk.removeTree("\(attempts.folder)/result.json")
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    #expect(try attempts.result()?["metrics"] == first["metrics"])
    #expect(try attempts.result()?["attempt"] == 2)
    #expect(bits(try attempts.finalCheckpoint()) == model)
  }

  @Test func `whose newest checkpoint is damaged says so and still ends with the same bits`() throws {
    let scratch = try Scratch()
    let whole = try Attempts(scratch, "whole")
    try writeRich(whole, scratch, threads: 1)
    #expect(WorkerCommand.run(folder: whole.folder, attempt: 1, stop: StopRequest()) == 0)
    let attempts = try Attempts(scratch, "damaged")
    try writeRich(attempts, scratch, threads: 1)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest(afterChecks: 14)) == 0)
    let newest = try #require(try attempts.model.steps().last)
    var bytes = try Disk.read(attempts.model.checkpointPath(step: newest), bytesMax: 1 << 24)
    bytes[bytes.count / 2] ^= 4
    try Disk.replace(attempts.model.checkpointPath(step: newest), with: bytes)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    let warnings = try attempts.events().filter { $0["type"] == "warning" && $0["attempt"] == 2 }.compactMap { $0["detail"]?.string }
    #expect(warnings.contains { $0.contains("checkpoint-\(newest).safetensors") && $0.contains("SHA-256") }, "\(warnings)")
    #expect(bits(try attempts.finalCheckpoint()) == bits(try whole.finalCheckpoint()))
  }

  @Test func `keeps the newest and the best checkpoint alone, and names the best in the end`() throws {
    let scratch = try Scratch()
    let attempts = try Attempts(scratch, "a")
    try writeRich(attempts, scratch, threads: 1, epochs: 8)
    try Disk.createFolders(attempts.modelFolder)
    try Disk.replace("\(attempts.modelFolder)/checkpoint-3.safetensors.staged-abc", with: [1, 2, 3])
    for attempt in 1...5 {
      #expect(WorkerCommand.run(folder: attempts.folder, attempt: attempt, stop: StopRequest(afterChecks: 11)) == 0)
      let state = try #require(try attempts.model.state())
      #expect(state.step == state.newestStep && !state.isFinished)
      #expect(Set(try attempts.model.steps()) == Set([state.newestStep, state.bestStep].compactMap(\.self)))
    }
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 6, stop: StopRequest()) == 0)
    let state = try #require(try attempts.model.state())
    #expect(state.isFinished && state.step == state.bestStep)
    let names = Set(try Disk.list(attempts.modelFolder))
    #expect(names == Set([state.newestStep, state.step].map { "checkpoint-\($0).safetensors" } + ["model.json"]))
  }

  @Test func `that gets worse on validation ends early with its best weights`() throws {
    let scratch = try Scratch()
    // Noise has nothing to generalize from: whatever is learnt of it is wrong for other noise.
    var numbers = SplitMix(state: 11)
    let dataset = try scratch.dataset("few", shape: smallPicture, bytes: (0..<12 * 36).map { _ in UInt8(numbers.below(2)) })
    let validation = try scratch.dataset("others", shape: smallPicture, bytes: (0..<50 * 36).map { _ in UInt8(numbers.below(2)) })
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(
      ["configuration": ["hidden_layers": [64]]],
      training: ["epochs": 300, "learning_rate": 0.003, "early_stopping_patience": 4], dataset: dataset, validation: validation)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let result = try #require(try attempts.result())
    #expect(result["status"] == "succeeded" && result["result"]?["stopped_by"] == "early_stopping")
    let epochs = try attempts.events().filter { $0.object?.keys.contains("epoch") == true }
    let curve = epochs.compactMap { $0["metrics"]?["validation_nats"]?.number }
    let least = try #require(curve.min())
    let bestEpoch = try #require(curve.firstIndex(of: least)) + 1
    #expect(result["result"]?["best_epoch"]?.integer == bestEpoch)
    #expect(curve.count == bestEpoch + 4)
    #expect(result["metrics"]?["validation_nats"]?.number == least)
    let checkpoint = try attempts.finalCheckpoint()
    #expect(checkpoint.step == result["result"]?["best_step"]?.integer)

    // The weights that are kept really are those that had the least.
    let model = try #require(try restored(checkpoint) as? any ScoresLikelihood)
    let others = try Dataset(mapping: validation.path, description: validation.description)
    let x = checkpoint.preparation.tensor(of: Array(0..<50), in: others, draw: .fixed, using: Philox(seed: 3))
    #expect(model.nats(of: x).reduce(0, +) / 50 == least)
  }

  @Test func `that validates by few patterns, or by none, says so`() throws {
    let scratch = try Scratch()
    let sets: [(bytes: [UInt8], says: String?)] = [
      (stripes(1), "no two examples"), (stripes(1) + stripes(2, seed: 8), "few examples"), (stripes(300), nil),
    ]
    for (number, set) in sets.enumerated() {
      let attempts = try Attempts(scratch, "a\(number)")
      try attempts.writeTraining(
        training: ["epochs": 1], dataset: try scratch.dataset("set\(number)", shape: smallPicture, bytes: set.bytes))
      #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
      let warnings = try attempts.events().filter { $0["type"] == "warning" }.compactMap { $0["detail"]?.string }
      #expect(warnings.count == (set.says == nil ? 0 : 1) && warnings.allSatisfy { $0.contains(set.says ?? "") }, "\(warnings)")
    }
  }

  @Test func `learns`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(1000))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 10], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let nats = try #require(try attempts.result()?["metrics"]?["validation_nats"]?.number)
    // Independent pixels with the data's mean would cost about 23 nats.
    #expect(nats < 14, "\(nats)")
  }

  @Test func `that diverges fails with the step and the quantity`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(200))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest(afterChecks: 5)) == 0)
    // No weights overflow within the seconds of a test: one is made infinite.
    try change(try #require(try attempts.model.current()).path) { file in
      let index = try #require(file.tensors.firstIndex { $0.name == "output.bias" })
      file.tensors[index] = NamedTensor("output.bias", Tensor(repeating: .infinity, shape: [36]))
    }
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    let result = try #require(try attempts.result())
    #expect(result["status"] == "failed")
    #expect(result["failure"]?["reason"] == "diverged")
    let detail = try #require(result["failure"]?["detail"]?.string)
    #expect(detail.contains("step 5") && detail.contains("loss"), "\(detail)")
  }

  @Test func `that diverges in its very last step fails too`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(200))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 1, "validation_fraction": 0], dataset: dataset)
    // 13 steps, of which 12 are done. The next one's loss is that of the weights before it, which are sound.
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest(afterChecks: 12)) == 0)
    try change(try #require(try attempts.model.current()).path) { file in
      let index = try #require(file.tensors.firstIndex { $0.name == "optimizer.mean.output.bias" })
      file.tensors[index] = NamedTensor("optimizer.mean.output.bias", Tensor(repeating: .nan, shape: [36]))
    }
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    let result = try #require(try attempts.result())
    #expect(result["failure"]?["reason"] == "diverged")
    #expect(result["failure"]?["detail"]?.string?.contains("step 13") == true, "\(result)")
  }

  @Test func `takes its seconds over all attempts together`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(200))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 1000, "max_seconds": 5000], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest(afterChecks: 5)) == 0)
    #expect(!attempts.hasResult)
    // As if the first attempt had taken all of them.
    try change(try #require(try attempts.model.current()).path) { file in
      let text = try #require(file.metadata["progress"])
      var progress = try #require(try JSONValue(parsing: text).object)
      #expect(try #require(progress["seconds"]?.number) > 0)
      progress["seconds"] = 5000
      file.metadata["progress"] = JSONValue.object(progress).serialized()
    }
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    let result = try #require(try attempts.result())
    #expect(result["status"] == "succeeded" && result["result"]?["stopped_by"] == "max_seconds")
    #expect(result["result"]?["steps"] == 5)
    #expect(try #require(result["result"]?["seconds"]?.number) >= 5000)
  }

  @Test func `of many short epochs tells of the first thousand, and then of four a second`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(4))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 20_000, "validation_fraction": 0], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let seconds = try #require(try attempts.result()?["result"]?["seconds"]?.number)
    let lines = try attempts.events().filter { $0["type"] == "progress" }
    let epochs = lines.compactMap { $0["epoch"]?.integer }
    #expect(epochs.prefix(1000) == Array(1...1000).prefix(1000))
    #expect(Double(lines.count) <= 1000 + seconds * 4 + 2, "\(lines.count) lines in \(seconds) s")
  }

  @Test func `killed at any moment goes on from its newest checkpoint`() async throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(2000))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(
      training: ["epochs": 1_000_000, "checkpoint_every_seconds": 1, "learning_rate": 0.0001], dataset: dataset)
    setenv("TRAINING_TESTS_JOB", attempts.folder, 1)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      let folder = ProcessInfo.processInfo.environment["TRAINING_TESTS_JOB"] ?? ""
      Thread.detachNewThread {
        let log = "\(folder)/events.ndjson"
        while true {
          Thread.sleep(forTimeInterval: 0.05)
          let text = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
          if text.contains(#""type":"checkpoint""#) { kill(getpid(), SIGKILL) }
        }
      }
      exit(WorkerCommand.run(folder: folder, attempt: 1, stop: StopRequest()))
    }
    #expect(!attempts.hasResult)
    let newest = try #require(try attempts.model.current())
    #expect(newest.step > 0 && !newest.isFinal)
    // A look before each batch, and those of validation.
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest(afterChecks: 50)) == 0)
    let later = try #require(try attempts.model.current()).step
    #expect(later > newest.step && later <= newest.step + 50)
  }

  @Test func `writes whole lines that carry attempt, type and time`() throws {
    let scratch = try Scratch()
    let attempts = try Attempts(scratch, "a")
    try writeRich(attempts, scratch, threads: 1)
    // What a killed attempt may leave.
    try Disk.replace("\(attempts.folder)/events.ndjson", with: Array(#"{"attempt":1,"type":"prog"#.utf8))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 7, stop: StopRequest()) == 0)
    let bytes = try Disk.read("\(attempts.folder)/events.ndjson", bytesMax: 1 << 20)
    #expect(bytes.last == UInt8(ascii: "\n"))
    let lines = bytes.split(separator: UInt8(ascii: "\n")).dropFirst()
    #expect(lines.count >= 4)
    for line in lines {
      let event = try JSONValue(parsing: Array(line))
      #expect(event["attempt"] == 7)
      #expect(["progress", "checkpoint", "warning"].contains(event["type"]?.string))
      #expect(event["at"]?.string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }
    let epochs = try lines.map { try JSONValue(parsing: Array($0)) }.filter { $0.object?.keys.contains("epoch") == true }
    #expect(epochs.compactMap { $0["epoch"]?.integer } == [1, 2, 3])
    for epoch in epochs {
      for name in ["epoch", "epochs", "step", "steps"] { #expect(epoch["progress"]?[name]?.integer != nil, "\(name)") }
      for name in ["train_nats", "validation_nats", "validation_bits_per_dim"] {
        #expect(epoch["metrics"]?[name]?.number != nil, "\(name)")
      }
    }
  }

  @Test func `draws the same samples after the epochs that were asked for`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(60))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 4, "sample_every_epochs": 2], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let files = try attempts.events().filter { $0["type"] == "samples" }.compactMap { $0["file"]?.string }
    #expect(files == ["samples-2.png", "samples-4.png"])
    for file in files { #expect(Disk.exists("\(attempts.folder)/\(file)")) }
  }

  @Test func `of many epochs keeps a bounded number of pictures, spread over all of it, stopped or not`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(4))
    for (number, checks) in [[], [150, 333]].enumerated() {
      let attempts = try Attempts(scratch, "a\(number)")
      try attempts.writeTraining(
        ["configuration": ["hidden_layers": [2]]],
        training: ["epochs": 600, "batch_size": 4, "validation_fraction": 0, "sample_every_epochs": 1], dataset: dataset)
      for (attempt, checks) in checks.enumerated() {
        #expect(WorkerCommand.run(folder: attempts.folder, attempt: attempt + 1, stop: StopRequest(afterChecks: checks)) == 0)
      }
      #expect(WorkerCommand.run(folder: attempts.folder, attempt: 9, stop: StopRequest()) == 0)
      // 600 epochs in steps of 8 are 75 pictures; in steps of 4 they would be more than 128.
      #expect(try EpochSamples.epochs(in: attempts.folder) == Array(stride(from: 8, through: 600, by: 8)), "\(checks)")
    }
  }

  /// A checkpoint with something changed, under a digest that is right.
  private func change(_ path: String, _ body: (inout Safetensors) throws -> Void) throws {
    var file = try Safetensors(try Disk.read(path, bytesMax: 1 << 24), requiresDigest: true)
    try body(&file)
    try Disk.replace(path, with: file.encoded())
  }

  private func restored(_ checkpoint: Checkpoint) throws -> any GenerativeModel {
    var model = checkpoint.family.make(
      checkpoint.configuration, checkpoint.preparation.input, .adam, UInt64(checkpoint.seed), ThreadTeam(count: 1))
    try model.restore(Dictionary(uniqueKeysWithValues: checkpoint.tensors.map { ($0.name, $0.tensor) }))
    return model
  }
}
