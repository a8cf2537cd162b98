import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Testing

struct RecordTests {
  let folder: TemporaryFolder
  let record: Record

  init() throws {
    folder = try TemporaryFolder()
    record = try Record(opening: folder.database)
  }

  @Test func `the writer syncs every commit`() throws {
    #expect(try record.synchronousLevel() == 2)
    #expect(try Record(opening: folder.database).synchronousLevel() == 2)
  }

  @Test func `a dataset is inserted once, whatever comes second`() throws {
    let first = try record.insertDataset(.example("ds_1"))
    #expect(first.insertion == .new)
    var other = DatasetRecord.example("ds_1")
    other.name = "other"
    let second = try record.insertDataset(other)
    #expect(second.insertion == .known)
    #expect(second.dataset == first.dataset)
    #expect(try record.dataset("ds_1") == first.dataset)
    #expect(try record.dataset("ds_2") == nil)
  }

  @Test func `a submitted job is queued with its model, and reads back as it was asked`() throws {
    _ = try record.insertDataset(.example("ds_1"))
    var submission = JobSubmission.training("job_1", priority: 3, family: "made", datasets: ["ds_1"])
    submission.model = "mdl_1"
    let model = ModelRecord(id: "mdl_1", job: "job_1", family: "made", dataset: "ds_1", description: ["preset": "small"])
    let job = try record.submit(submission, model: model)
    #expect(job.status == .queued)
    #expect(job.path == [.queued])
    #expect(job.request == submission.request)
    #expect(job.datasets == ["ds_1"])
    #expect(job.metadata == ["owner": "a test"])
    #expect((job.seed, job.priority, job.attempt) == (7, 3, 0))
    #expect(try record.job("job_1") == job)
    let made = try #require(try record.model("mdl_1"))
    #expect(made.newestStep == nil)
    #expect(made.description == ["preset": "small"])
    #expect(try record.events(of: "job_1").map(\.type) == ["status"])
  }

  @Test func `a job without its dataset or model leaves nothing behind`() throws {
    #expect(throws: RecordError.unknownDataset("ds_9")) { try record.submit(.training("job_1", datasets: ["ds_9"])) }
    var reading = JobSubmission.training("job_1")
    reading.model = "mdl_9"
    #expect(throws: RecordError.unknownModel("mdl_9")) { try record.submit(reading) }
    #expect(try record.job("job_1") == nil)
    _ = try record.submit(.training("job_1"))
    #expect(throws: RecordError.alreadyThere("job_1")) { try record.submit(.training("job_1")) }
    #expect(try record.jobs().items.count == 1)
  }

  @Test func `what an unfinished job holds can't be deleted`() throws {
    _ = try record.insertDataset(.example("ds_1"))
    _ = try record.insertDataset(.example("ds_2"))
    _ = try record.submit(.training("job_1", datasets: ["ds_1"]))
    #expect(throws: RecordError.inUse("ds_1", byJob: "job_1")) { try record.deleteDataset("ds_1") }
    #expect(try record.blobIsReferenced("b"))
    #expect(try record.blobBytes() == 5000)
    #expect(try record.deleteDataset("ds_2").id == "ds_2")
    #expect(try record.blobIsReferenced("b"))
    _ = try record.apply(.cancel, to: "job_1")
    try record.deleteDataset("ds_1")
    #expect(try !record.blobIsReferenced("b"))
    #expect(try record.job("job_1")?.datasets == ["ds_1"])
    #expect(throws: RecordError.unknownDataset("ds_1")) { try record.deleteDataset("ds_1") }
  }

  @Test func `a model goes only when no unfinished job makes or reads it`() throws {
    _ = try record.submitTraining("a")
    #expect(throws: RecordError.inUse("mdl_a", byJob: "a")) { try record.deleteModel("mdl_a") }
    _ = try record.apply(.cancel, to: "a")
    var evaluation = JobSubmission.training("b")
    evaluation.model = "mdl_a"
    _ = try record.submit(evaluation)
    #expect(throws: RecordError.inUse("mdl_a", byJob: "b")) { try record.deleteModel("mdl_a") }
    _ = try record.apply(.cancel, to: "b")
    try record.deleteModel("mdl_a")
    #expect(try record.model("mdl_a") == nil)
    #expect(try record.job("a")?.model == "mdl_a")
  }

  @Test func `a repeated verb leaves no second entry`() throws {
    _ = try record.submit(.training("a"))
    let paused = try record.apply(.pause, to: "a")
    #expect(paused.path == [.queued, .paused])
    #expect(try record.apply(.pause, to: "a") == paused)
    #expect(try record.apply(.resume, to: "a").path == [.queued, .paused, .queued])
    let cancelled = try record.apply(.cancel, to: "a")
    #expect(try record.apply(.cancel, to: "a") == cancelled)
    #expect(throws: VerbRefused.self) { try record.apply(.resume, to: "a") }
    #expect(throws: RecordError.unknownJob("z")) { try record.apply(.cancel, to: "z") }
  }

  @Test func `history has times that do not go back`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.apply(.pause, to: "a")
    let job = try record.apply(.cancel, to: "a")
    #expect(job.history.map(\.at) == job.history.map(\.at).sorted())
    #expect(job.history.first?.at == job.createdAt)
    #expect(abs(job.createdAt.timeIntervalSinceNow) < 3600)
  }

  @Test func `a record opened again has everything`() throws {
    _ = try record.insertDataset(.example("ds_1"))
    _ = try record.submitTraining("a")
    let claimed = try #require(try record.claimNext())
    try record.note(
      AttemptNews(progress: ["step": 4], metrics: ["nats": 1.5], newestStep: 4, events: [.init(type: "warning", body: ["detail": "x"])]),
      of: "a", attempt: claimed.attempt, offset: 99)
    let (job, model, events) = (try record.job("a"), try record.model("mdl_a"), try record.events(of: "a"))
    try record.close()
    let again = try Record(opening: folder.database)
    #expect(try again.job("a") == job)
    #expect(try again.model("mdl_a") == model)
    #expect(try again.events(of: "a") == events)
    #expect(try again.eventsOffset(of: "a") == 99)
    #expect(try again.dataset("ds_1") != nil)
    #expect(job?.progress == ["step": 4])
    #expect(model?.newestStep == 4)
    #expect(events.map(\.type) == ["status", "status", "warning"])
  }

  @Test func `two records on one file see each other and never claim the same job`() throws {
    let other = try Record(opening: folder.database)
    let records = [record, other]
    let failures = Shared(0)
    DispatchQueue.concurrentPerform(iterations: 40) { index in
      do { _ = try records[index % 2].submit(.training("job_\(index)")) } catch { failures.change { $0 += 1 } }
    }
    #expect(try other.jobs(limit: 100).items.count == 40)
    let claimed = Shared<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 40) { index in
      do {
        if let job = try records[index % 2].claimNext() { claimed.change { $0.append(job.id) } }
      } catch { failures.change { $0 += 1 } }
    }
    #expect(failures.value == 0)
    #expect(claimed.value.count == 40)
    #expect(Set(claimed.value).count == 40)
    #expect(try record.claimNext() == nil)
  }

  @Test func `a file that is no database is refused`() throws {
    try Disk.replace("\(folder.path)/other", with: Array(repeating: 0x41, count: 8192))
    #expect(throws: (any Error).self) { try Record(opening: "\(folder.path)/other") }
  }
}
