import Datasets
import Files
import Foundation
import JSON
import Models
import Tensors
import Testing
import Training

@Suite struct `A worker` {
  @Test func `reads back the job that it was given`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(20))
    let request = try trainingRequest(training: ["early_stopping_patience": 3], dataset: dataset, validation: dataset)
    let job = TrainingJob(
      id: "job_a", model: "mdl_a", modelFolder: "/m", training: request, dataset: dataset, validation: dataset)
    let faults = Faults()
    let read = try #require(TrainingJob(reader: FieldReader(job.json, faults: faults)), "\(faults.all)")
    #expect(read.json.serialized() == job.json.serialized())
  }

  @Test(arguments: ["", "{", "[]", "{}", #"{"kind":"train","id":"job_a"}"#, #"{"kind":"dance"}"#])
  func `fails a job whose file is none, with the place`(text: String) throws {
    let scratch = try Scratch()
    let attempts = try Attempts(scratch, "a")
    try Disk.replace("\(attempts.folder)/job.json", with: Array(text.utf8))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 4, stop: StopRequest()) == 0)
    let result = try #require(try attempts.result())
    #expect(result["status"] == "failed" && result["attempt"] == 4)
    #expect(result["failure"]?["reason"] == "invalid_job")
    #expect(result["failure"]?["detail"]?.string?.contains("job.json") == true)
  }

  @Test func `fails a job whose dataset is gone or damaged`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(20))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(dataset: dataset)
    let bytes = try Disk.read(dataset.path, bytesMax: 1 << 20)
    try Disk.replace(dataset.path, with: Array(bytes.dropLast()))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    #expect(try attempts.result()?["failure"]?["reason"] == "dataset")
    try Disk.removeTree(dataset.path)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    #expect(try attempts.result()?["failure"]?["reason"] == "dataset")
  }

  @Test func `leaves the checkpoints of another run alone`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(20))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let before = try attempts.model.steps()
    try attempts.writeTraining(["seed": 4], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    #expect(try attempts.result()?["failure"]?["reason"] == "checkpoint")
    #expect(try attempts.model.steps() == before)
  }

  @Test func `works in no folder that is locked`() throws {
    let scratch = try Scratch()
    let attempts = try Attempts(scratch, "a")
    let lock = try #require(try FolderLock(locking: attempts.folder))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 75)
    withExtendedLifetime(lock) {}
  }

  @Test func `is told to stop by SIGTERM`() throws {
    let stop = StopRequest(heedsTermination: true), other = StopRequest()
    #expect(!stop.isMade)
    Termination.heed()
    kill(getpid(), SIGTERM)
    #expect(waits { stop.isMade })
    #expect(!other.isMade)
  }

  @Test func `is told to stop by the end of its lifeline, and by that alone`() throws {
    let stop = StopRequest()
    let pipe = Pipe()
    let lifeline = Lifeline(pipe.fileHandleForReading.fileDescriptor, for: stop)
    Thread.sleep(forTimeInterval: 0.1)
    #expect(!stop.isMade)
    try pipe.fileHandleForWriting.close()
    #expect(waits { stop.isMade })
    withExtendedLifetime(lifeline) {}

    let other = StopRequest()
    let nowhere = try #require(FileHandle(forReadingAtPath: "/dev/null"))
    let deaf = Lifeline(nowhere.fileDescriptor, for: other)
    Thread.sleep(forTimeInterval: 0.1)
    #expect(!other.isMade)
    withExtendedLifetime(deaf) {}
  }

  private func waits(_ condition: () -> Bool) -> Bool {
    for _ in 0..<1000 where !condition() { Thread.sleep(forTimeInterval: 0.01) }
    return condition()
  }

  @Test func `evaluates to the mean of what each example has`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(60))
    let other = try scratch.dataset("b", shape: smallPicture, bytes: stripes(23, on: 255, seed: 9))
    let training = try Attempts(scratch, "a")
    try training.writeTraining(dataset: dataset)
    #expect(WorkerCommand.run(folder: training.folder, attempt: 1, stop: StopRequest()) == 0)

    let faults = Faults()
    let body = FieldReader(["metrics": ["nats"], "settings": ["batch_size": 7], "seed": 1], faults: faults)
    let request = try #require(
      EvaluationRequest(reader: body, model: (.made, ModelFamily.made.schema.defaults), dataset: nil, preparation: nil))
    let evaluation = try Attempts(scratch, "b")
    try evaluation.write(
      TrainingJob(id: "job_b", model: "mdl_a", modelFolder: training.modelFolder, evaluation: request, dataset: other))
    #expect(WorkerCommand.run(folder: evaluation.folder, attempt: 1, stop: StopRequest()) == 0)

    let checkpoint = try training.finalCheckpoint()
    var model = checkpoint.family.make(checkpoint.configuration, checkpoint.preparation.input, .adam, 99, ThreadTeam(count: 2))
    try model.restore(Dictionary(uniqueKeysWithValues: checkpoint.tensors.map { ($0.name, $0.tensor) }))
    let scores = try #require(model as? any ScoresLikelihood)
    let bits = stripes(23, on: 255, seed: 9).map { Float($0 / 255) }
    let nats = (0..<23).flatMap { scores.nats(of: Tensor(shape: [1, 36], scalars: Array(bits[$0 * 36..<($0 + 1) * 36]))) }
    let mean = nats.reduce(0, +) / 23
    let error = (nats.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 22 / 23).squareRoot()

    let result = try #require(try evaluation.result())
    #expect(result["status"] == "succeeded")
    #expect(result["metrics"]?["nats"]?.number == mean)
    let metric = try #require(result["result"]?.array?.first)
    #expect(metric["metric"] == "nats" && metric["value"]?.number == mean)
    #expect(abs((metric["standard_error"]?.number ?? 0) - error) < 1e-12)
    let interval = metric["interval"]?.array?.compactMap(\.number) ?? []
    #expect(interval.count == 2 && abs(interval[0] - (mean - 1.96 * error)) < 1e-3 && abs(interval[1] - (mean + 1.96 * error)) < 1e-3)
    #expect(abs((metric["bits_per_dim"]?.number ?? 0) - mean / (36 * log(2))) < 1e-12)
    #expect(metric["settings"]?["estimator"] == "exact" && metric["settings"]?["examples"] == 23)
  }

  @Test(arguments: ["", "{", "[]", #"{"status":"finished"}"#])
  func `evaluates no model whose model.json is damaged, and says so`(text: String) throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(20))
    let attempts = try Attempts(scratch, "a")
    try Disk.createFolders(attempts.modelFolder)
    try Disk.replace("\(attempts.modelFolder)/model.json", with: Array(text.utf8))
    let request = try #require(
      EvaluationRequest(reader: FieldReader([:], faults: Faults()), model: nil, dataset: nil, preparation: nil))
    try attempts.write(
      TrainingJob(id: "job_b", model: "mdl_a", modelFolder: attempts.modelFolder, evaluation: request, dataset: dataset))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let failure = try attempts.result()?["failure"]
    #expect(failure?["reason"] == "checkpoint" && failure?["detail"]?.string?.contains("model.json") == true)
  }

  @Test func `evaluates no model on data of another shape`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(60))
    let table = try scratch.dataset("b", shape: .table(columns: 36), bytes: stripes(5))
    let training = try Attempts(scratch, "a")
    try training.writeTraining(training: ["epochs": 1], dataset: dataset)
    #expect(WorkerCommand.run(folder: training.folder, attempt: 1, stop: StopRequest()) == 0)
    let request = try #require(
      EvaluationRequest(reader: FieldReader([:], faults: Faults()), model: nil, dataset: nil, preparation: nil))
    let evaluation = try Attempts(scratch, "b")
    try evaluation.write(
      TrainingJob(id: "job_b", model: "mdl_a", modelFolder: training.modelFolder, evaluation: request, dataset: table))
    #expect(WorkerCommand.run(folder: evaluation.folder, attempt: 1, stop: StopRequest()) == 0)
    #expect(try evaluation.result()?["failure"]?["reason"] == "dataset")
  }
}
