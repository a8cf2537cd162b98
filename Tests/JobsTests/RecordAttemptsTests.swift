import JSON
import Jobs
import Testing

struct RecordAttemptsTests {
  let folder: TemporaryFolder
  let record: Record
  let death = AttemptEnding.died(Failure(reason: "worker_killed", detail: "It was killed."))

  init() throws {
    folder = try TemporaryFolder()
    record = try Record(opening: folder.database)
  }

  @Test func `a claim is running as its first attempt`() throws {
    _ = try record.submit(.training("a"))
    let job = try #require(try record.claimNext())
    #expect((job.status, job.attempt) == (.running, 1))
    #expect(job.path == [.queued, .running])
  }

  @Test func `success brings its result and metrics`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.claimNext()
    let job = try #require(try record.settle("a", attempt: 1, ending: .succeeded(result: [1], metrics: ["nats": 2])))
    #expect((job.status, job.result, job.metrics) == (.succeeded, [1], ["nats": 2]))
    #expect(job.failure == nil)
  }

  @Test func `three deaths without a new checkpoint are failure, with the reason of the last`() throws {
    _ = try record.submit(.training("a"))
    for attempt in 1...2 {
      #expect(try record.claimNext()?.attempt == attempt)
      let job = try #require(try record.settle("a", attempt: attempt, ending: death))
      #expect(job.status == .queued)
      #expect(job.path.suffix(3) == [.running, .interrupted, .queued])
      #expect(job.deathsSinceCheckpoint == attempt)
    }
    _ = try record.claimNext()
    let job = try #require(try record.settle("a", attempt: 3, ending: death))
    #expect(job.status == .failed)
    #expect(job.failure?.reason == "worker_killed")
    #expect(job.failure?.detail.contains("3 times") == true)
  }

  @Test func `a checkpoint forgives the deaths before it`() throws {
    _ = try record.submitTraining("a")
    for attempt in 1...8 {
      #expect(try record.claimNext()?.attempt == attempt)
      if attempt.isMultiple(of: 2) {
        try record.note(AttemptNews(newestStep: attempt * 10), of: "a", attempt: attempt, offset: 0)
      }
      #expect(try record.settle("a", attempt: attempt, ending: death)?.status == .queued)
    }
    #expect(try record.model("mdl_a")?.newestStep == 80)
  }

  @Test func `an older step does not take a model back`() throws {
    _ = try record.submitTraining("a")
    _ = try record.claimNext()
    for step in [5, 9, 7] { try record.note(AttemptNews(newestStep: step), of: "a", attempt: 1, offset: 0) }
    #expect(try record.model("mdl_a")?.newestStep == 9)
  }

  @Test func `an evaluation's checkpoint does not touch the model that it reads`() throws {
    _ = try record.submitTraining("a")
    _ = try record.apply(.pause, to: "a")
    var evaluation = JobSubmission.training("b")
    evaluation.model = "mdl_a"
    _ = try record.submit(evaluation)
    _ = try record.claimNext()
    try record.note(AttemptNews(newestStep: 5), of: "b", attempt: 1, offset: 0)
    #expect(try record.model("mdl_a")?.newestStep == nil)
  }

  @Test func `what a stale attempt says changes nothing`() throws {
    _ = try record.submitTraining("a")
    _ = try record.claimNext()
    _ = try record.settle("a", attempt: 1, ending: death)
    _ = try record.claimNext()
    let before = try record.job("a")
    #expect(try record.settle("a", attempt: 1, ending: .succeeded(result: nil, metrics: nil)) == nil)
    #expect(try !record.note(AttemptNews(progress: ["step": 1], newestStep: 1), of: "a", attempt: 1, offset: 5))
    #expect(try record.job("a") == before)
    #expect(try record.model("mdl_a")?.newestStep == nil)
    #expect(try record.settle("nothing", attempt: 1, ending: .stopped) == nil)
  }

  @Test func `a finished job hears no more of its worker`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.claimNext()
    let job = try record.settle("a", attempt: 1, ending: .failed(Failure(reason: "diverged", detail: "loss is NaN"), metrics: nil))
    #expect(job?.failure == Failure(reason: "diverged", detail: "loss is NaN"))
    #expect(try record.settle("a", attempt: 1, ending: .succeeded(result: nil, metrics: nil)) == nil)
    #expect(try record.job("a") == job)
  }

  @Test func `success while cancelling is cancelled and leaves no result`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.claimNext()
    #expect(try record.apply(.cancel, to: "a").status == .cancelling)
    let job = try record.settle("a", attempt: 1, ending: .succeeded(result: [1], metrics: nil))
    #expect(job?.path == [.queued, .running, .cancelling, .cancelled])
    #expect(job?.result == nil)
  }

  @Test func `while the server drains, what it stops stays interrupted`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.claimNext()
    let job = try record.settle("a", attempt: 1, ending: .stopped, requeue: false)
    #expect(job?.path == [.queued, .running, .interrupted])
    #expect(job?.deathsSinceCheckpoint == 0)
    #expect(try record.claimNext() == nil)
  }

  @Test func `recovery puts right what a dead server has left, once`() throws {
    for id in ["running", "pausing", "cancelling", "interrupted", "queued", "paused", "done"] {
      _ = try record.submit(.training(id))
    }
    for _ in 1...7 { _ = try record.claimNext() }
    _ = try record.apply(.pause, to: "pausing")
    _ = try record.apply(.cancel, to: "cancelling")
    _ = try record.settle("interrupted", attempt: 1, ending: .stopped, requeue: false)
    _ = try record.settle("queued", attempt: 1, ending: .stopped)
    _ = try record.apply(.pause, to: "paused")
    _ = try record.settle("paused", attempt: 1, ending: .stopped)
    _ = try record.settle("done", attempt: 1, ending: .succeeded(result: nil, metrics: nil))

    let again = try Record(opening: folder.database)
    let recovered = try again.recover()
    #expect(recovered.map(\.id) == ["running", "pausing", "cancelling", "interrupted"])
    #expect(recovered.map(\.status) == [.queued, .pausing, .cancelling, .queued])
    #expect(recovered[0].path == [.queued, .running, .interrupted, .queued])
    #expect(recovered[0].deathsSinceCheckpoint == 0)
    #expect(try again.status("queued") == .queued)
    #expect(try again.status("paused") == .paused)
    #expect(try again.status("done") == .succeeded)
    // Those that are to leave wait for their workers, whoever serves.
    #expect(try again.recover().map(\.id) == ["pausing", "cancelling"])
    #expect(try again.settle("pausing", attempt: 1, ending: .stopped)?.status == .paused)
    #expect(try again.settle("cancelling", attempt: 1, ending: .stopped)?.status == .cancelled)
    #expect(try again.recover().isEmpty)
  }

  /// Every step that a history may show.
  private static let edges: Set<String> = [
    "queued running", "queued cancelled", "queued paused", "running succeeded", "running failed", "running pausing", "running cancelling",
    "running interrupted", "interrupted queued", "interrupted cancelled", "interrupted paused", "pausing paused", "pausing succeeded",
    "pausing failed", "pausing cancelling", "paused queued", "paused cancelled", "cancelling cancelled",
  ]

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `whatever happens in whatever order, histories keep to the machine and finished jobs do not change`(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let ids = ["a", "b", "c"]
    for id in ids { _ = try record.submit(.training(id)) }
    var finished: [String: JobRecord] = [:]
    for _ in 1...150 {
      let id = ids[Int(random.next() % 3)]
      let attempt = Int(random.next() % 4)
      switch random.next() % 8 {
      case 0: _ = try? record.apply(.cancel, to: id)
      case 1: _ = try? record.apply(.pause, to: id)
      case 2: _ = try? record.apply(.resume, to: id)
      case 3, 4: _ = try record.claimNext()
      case 5: _ = try record.settle(id, attempt: attempt, ending: death, requeue: random.next() % 2 == 0)
      case 6: _ = try record.settle(id, attempt: attempt, ending: random.next() % 4 == 0 ? .succeeded(result: nil, metrics: nil) : .stopped)
      default: if random.next() % 4 == 0 { _ = try record.recover() }
      }
      let job = try #require(try record.job(id))
      for (from, to) in zip(job.path, job.path.dropFirst()) { #expect(Self.edges.contains("\(from) \(to)"), "\(from) to \(to)") }
      #expect(job.path.last == job.status)
      if let before = finished[id] { #expect(job == before) }
      if job.status.isFinished { finished[id] = job }
    }
  }
}

/// A few reproducible numbers.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
