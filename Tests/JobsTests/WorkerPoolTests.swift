import Files
import Foundation
import JSON
import Jobs
import Testing

/// What every engine owes the pool.
struct EngineTests {
  private func workplace(_ kind: EngineKind, _ script: String, graceSeconds: Double = 60) throws -> Workplace {
    try Workplace({ try kind.engine(script, in: $0) }, graceSeconds: graceSeconds)
  }

  @Test(arguments: EngineKind.allCases)
  func `a job is prepared, worked on and done`(kind: EngineKind) throws {
    let place = try workplace(kind, #"progress 5 1.5; checkpoint 10; grep -q '"id":"a"' "$F/job.json" || exit 9; succeed"#)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    let job = try place.wait(for: "a", .succeeded)
    #expect(job.path == [.queued, .running, .succeeded])
    #expect(job.result == ["by": 1])
    #expect(job.metrics == ["test_nats": 90])
    #expect(job.progress == ["step": 5])
    #expect(try place.record.model("mdl_a")?.newestStep == 10)
    #expect(Disk.exists("\(place.folder.models)/mdl_a"))
    #expect(try place.record.events(of: "a").map(\.type) == ["status", "status", "metrics", "checkpoint", "status"])
    #expect(place.changes.value.contains("a"))
  }

  @Test(arguments: EngineKind.allCases)
  func `a killed worker's job goes on, and the attempts are counted`(kind: EngineKind) throws {
    let place = try workplace(kind, #"[ $N = 1 ] && die; succeed"#)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    let job = try place.wait(for: "a", .succeeded)
    #expect(job.path == [.queued, .running, .interrupted, .queued, .running, .succeeded])
    #expect((job.attempt, job.deathsSinceCheckpoint) == (2, 1))
    #expect(job.result == ["by": 2])
  }

  @Test(arguments: EngineKind.allCases)
  func `a running job is cancelled by asking its worker`(kind: EngineKind) throws {
    let place = try workplace(kind, #"trap 'checkpoint 9; exit 0' TERM; touch "$F/ready"; work"#)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    try place.waitForFile("ready", of: "a")
    #expect(try place.pool.cancel("a").status == .cancelling)
    #expect(try place.pool.cancel("a").status.rawValue.hasPrefix("cancel"))
    let job = try place.wait(for: "a", .cancelled)
    #expect(job.path == [.queued, .running, .cancelling, .cancelled])
    #expect(job.failure == nil)
    #expect(try place.record.model("mdl_a")?.newestStep == 9)
  }

  @Test(arguments: EngineKind.allCases)
  func `a worker that will not go is killed after the grace time`(kind: EngineKind) throws {
    let place = try workplace(kind, #"trap '' TERM; touch "$F/ready"; work"#, graceSeconds: 0.3)
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    try place.waitForFile("ready", of: "a")
    _ = try place.pool.cancel("a")
    #expect(try place.wait(for: "a", .cancelled).failure == nil)
  }

  @Test(arguments: EngineKind.allCases)
  func `a failure has the reason that its worker gave`(kind: EngineKind) throws {
    let place = try workplace(kind, "fail")
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let job = try place.wait(for: "a", .failed)
    #expect(job.failure == Failure(reason: "diverged", detail: "loss is NaN at step 3"))
    #expect(job.attempt == 1)
  }
}

struct WorkerPoolTests {
  @Test func `a failure that tells no metrics leaves those that were told before`() throws {
    let failure = #"{\"attempt\":$N,\"status\":\"failed\",\"failure\":{\"reason\":\"dataset\"},\"metrics\":null,\"result\":null}"#
    let place = try Workplace("progress 3 91; result \"\(failure)\"; exit 0")
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let job = try place.wait(for: "a", .failed)
    #expect(job.metrics == ["train_nats": 91] && job.failure?.reason == "dataset")
  }

  @Test func `three deaths without a new checkpoint are failure, with the worker's last words`() throws {
    let place = try Workplace("echo attempt $N: the last words >&2; exit 3")
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let job = try place.wait(for: "a", .failed)
    #expect(job.attempt == 3)
    #expect(job.failure?.reason == "worker_exited")
    let detail = try #require(job.failure?.detail)
    for part in ["3 times", "exit code 3", "attempt 3: the last words"] { #expect(detail.contains(part), "\(detail)") }
    #expect(!detail.contains("attempt 2"))
  }

  @Test func `a job whose worker died rests, says so, and lets others go first`() throws {
    let script = #"grep -q '"a"' "$F/job.json" && [ $N = 1 ] && die; succeed"#
    let place = try Workplace({ _ in ScriptedEngine(script) }, workersMax: 1, restSeconds: 1.5)
    for id in ["a", "b"] { _ = try place.record.submit(.training(id)) }
    try place.pool.start()
    try place.wait(for: "b", .succeeded)
    let resting = try #require(try place.record.job("a"))
    #expect(resting.path == [.queued, .running, .interrupted, .queued])
    let standing = place.pool.queueStanding(position: 0, of: resting)
    #expect(standing.reason == .resting && standing.detail.contains("1 of 3 times"))
    #expect(try place.wait(for: "a", .succeeded).attempt == 2)
    #expect(place.prepared.value == ["a", "b", "a"])
  }

  @Test func `a queued job is told why it waits`() throws {
    let place = try Workplace(#"trap 'exit 0' TERM; touch "$F/ready"; work"#, workersMax: 1)
    for id in ["a", "b", "c"] { _ = try place.record.submit(.training(id)) }
    func standing(_ id: String) throws -> QueueStanding {
      place.pool.queueStanding(position: try place.record.queuePosition(of: id) ?? -1, of: try #require(try place.record.job(id)))
    }
    #expect(try standing("a").reason == .starting)
    try place.pool.start()
    try place.waitForFile("ready", of: "a")
    #expect(
      try standing("c") == QueueStanding(position: 1, reason: .workersBusy, detail: "1 of 1 workers are busy, and 1 job goes before it."))
    try place.drain()
    #expect(try standing("b").reason == .draining)
    let none = try Workplace("succeed", workersMax: 0)
    _ = try none.record.submit(.training("a"))
    #expect(none.pool.queueStanding(position: 0, of: try #require(try none.record.job("a"))).reason == .noWorkers)
  }

  @Test func `a worker that gets further each time may die as often as it likes`() throws {
    let place = try Workplace("[ $N = 6 ] && succeed; checkpoint $N; die")
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    #expect(try place.wait(for: "a", .succeeded).attempt == 6)
    #expect(try place.record.model("mdl_a")?.newestStep == 5)
  }

  @Test(arguments: [
    ("kill -SEGV $$", "worker_crashed"), ("kill -9 $$", "worker_killed"), ("exit 0", "worker_stopped"),
    ("result '{'; exit 0", "invalid_result"), (#"result "{\"attempt\":$N,\"status\":\"fine\"}"; exit 0"#, "invalid_result"),
  ])
  func `each way to die has its name`(script: String, reason: String) throws {
    let place = try Workplace(script)
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    #expect(try place.wait(for: "a", .failed).failure?.reason == reason)
  }

  @Test func `running out of memory is failure at once, and says so above its backtrace`() throws {
    let place = try Workplace(
      """
      echo "Fatal error: failed to allocate 40000032 bytes of memory with alignment 8" >&2
      printf '\n*** Signal 6: Backtracing from 0x7fa2... done ***\n' >&2
      for line in $(seq 300); do echo "$line 0x00007fa2882d9eec __pthread_kill_implementation + 268 in libc.so.6" >&2; done
      kill -ABRT $$
      """)
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let job = try place.wait(for: "a", .failed)
    #expect((job.failure?.reason, job.attempt) == ("out_of_memory", 1))
    #expect(job.failure?.detail.hasSuffix("failed to allocate 40000032 bytes of memory with alignment 8") == true)
  }

  @Test func `last words are the last, in whole lines`() throws {
    let place = try Workplace("for line in $(seq 1000); do echo line $line. >&2; done; exit 3")
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let detail = try #require(try place.wait(for: "a", .failed).failure?.detail)
    #expect(detail.hasSuffix("line 999.\nline 1000."))
    #expect(detail.count < 2600)
    #expect(detail.split(separator: "\n").filter { $0.hasPrefix("line ") }.count > 100)
  }

  @Test func `a result of another attempt is not heard`() throws {
    let place = try Workplace(#"[ $N = 2 ] && succeed; result '{"attempt":7,"status":"failed","failure":{"reason":"stale"}}'; exit 0"#)
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let job = try place.wait(for: "a", .succeeded)
    #expect((job.attempt, job.failure) == (2, nil))
  }

  @Test func `success that races with a cancel is cancelled, with a pause it is success`() throws {
    let place = try Workplace(#"trap succeed TERM; touch "$F/ready"; work"#)
    for id in ["a", "b"] { _ = try place.record.submit(.training(id)) }
    try place.pool.start()
    for id in ["a", "b"] { try place.waitForFile("ready", of: id) }
    _ = try place.pool.cancel("a")
    _ = try place.pool.pause("b")
    let cancelled = try place.wait(for: "a", .cancelled)
    #expect(cancelled.path == [.queued, .running, .cancelling, .cancelled])
    #expect(cancelled.result == nil)
    #expect(try place.wait(for: "b", .succeeded).path == [.queued, .running, .pausing, .succeeded])
  }

  @Test func `a queued job is cancelled at once and never runs`() throws {
    let engine = ScriptedEngine(#"trap 'exit 0' TERM; touch "$F/ready"; work"#)
    let place = try Workplace({ _ in engine }, workersMax: 1)
    for id in ["a", "b"] { _ = try place.record.submit(.training(id)) }
    try place.pool.start()
    try place.waitForFile("ready", of: "a")
    #expect(try place.pool.cancel("b").status == .cancelled)
    _ = try place.pool.cancel("a")
    try place.wait(for: "a", .cancelled)
    _ = try place.record.submit(.training("c"))
    place.pool.wake()
    try place.waitForFile("ready", of: "c")
    #expect(engine.started.value.map(\.job) == ["a", "c"])
    try place.drain()
  }

  @Test func `a paused job keeps its checkpoint and goes on when resumed`() throws {
    let place = try Workplace(#"[ $N = 2 ] && succeed; trap 'checkpoint 12; exit 0' TERM; touch "$F/ready"; work"#)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    try place.waitForFile("ready", of: "a")
    #expect(try place.pool.pause("a").status == .pausing)
    #expect(try place.wait(for: "a", .paused).deathsSinceCheckpoint == 0)
    #expect(try place.record.model("mdl_a")?.newestStep == 12)
    #expect(try place.pool.resume("a").status == .queued)
    let job = try place.wait(for: "a", .succeeded)
    #expect(job.path == [.queued, .running, .pausing, .paused, .queued, .running, .succeeded])
  }

  @Test func `the highest priority goes first, and the oldest among equals`() throws {
    let place = try Workplace("succeed", workersMax: 1)
    for (id, priority) in [("a", 0), ("b", 9), ("c", 9), ("d", -9)] { _ = try place.record.submit(.training(id, priority: priority)) }
    try place.pool.start()
    for id in ["a", "b", "c", "d"] { try place.wait(for: id, .succeeded) }
    #expect(place.prepared.value == ["b", "c", "a", "d"])
  }

  @Test func `no more workers than allowed are at work, and all get their turn`() throws {
    let engine = ScriptedEngine("sleep 0.1; succeed")
    let place = try Workplace({ _ in engine }, workersMax: 3)
    for index in 0..<10 { _ = try place.record.submit(.training("j\(index)")) }
    try place.pool.start()
    for index in 0..<10 { try place.wait(for: "j\(index)", .succeeded) }
    #expect(engine.atWork.value.most == 3)
  }

  @Test func `what a worker tells is there while it runs, and lines of other attempts are not`() throws {
    let place = try Workplace(
      #"""
      say '{"attempt":4,"type":"progress","progress":{"step":99}}'
      say 'no JSON at all'; say ''; say '{"attempt":1}'; say '[]'
      printf '{"attempt":1,"type":"progr' >> "$F/events.ndjson"; sleep 0.7
      printf 'ess","progress":{"step":7},"metrics":{"train_nats":2.5}}\n' >> "$F/events.ndjson"
      say '{"attempt":1,"type":"warning","detail":"slow"}'
      while [ ! -e "$F/go" ]; do sleep 0.05; done
      succeed
      """#)
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    try eventually("progress is heard") { try place.pool.liveJob("a")?.progress != nil }
    let live = try #require(try place.pool.liveJob("a"))
    #expect((live.status, live.progress, live.metrics) == (.running, ["step": 7], ["train_nats": 2.5]))
    try eventually("the record hears of it while the worker runs") { try place.record.job("a")?.progress == ["step": 7] }
    #expect(try place.record.status("a") == .running)
    try Disk.replace(place.folder.folder(of: "a").path + "/go", with: [])
    try place.wait(for: "a", .succeeded)
    let events = try place.record.events(of: "a")
    #expect(events.map(\.type) == ["status", "status", "metrics", "warning", "status"])
    #expect(events[3].body == ["detail": "slow"])
    #expect(try place.pool.liveJob("a") == place.record.job("a"))
    #expect(try place.pool.liveJob("nothing") == nil)
  }

  @Test func `a line that a killed worker has torn does not swallow the next one's`() throws {
    let place = try Workplace(#"[ $N = 1 ] && { printf '{"attempt":1,"ty' >> "$F/events.ndjson"; die; }; checkpoint 31; succeed"#)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    try place.wait(for: "a", .succeeded)
    #expect(try place.record.model("mdl_a")?.newestStep == 31)
  }

  @Test func `a series takes up every change of a metric, however quick`() throws {
    let place = try Workplace("progress 1 3; progress 2 2; progress 3 2; progress 4 1; succeed")
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    try place.wait(for: "a", .succeeded)
    let series = try place.record.events(of: "a").filter { $0.type == "metrics" }
    #expect(series.map { $0.body["metrics"]?["train_nats"] } == [3, 2, 1])
    #expect(series.first?.at == Date(timeIntervalSince1970: 1_767_323_045))
  }

  @Test func `of a worker that tells too much its checkpoints and samples are told all the same`() throws {
    let place = try Workplace(
      #"""
      awk -v n=$N 'BEGIN { for (i = 0; i < 5000; i++)
        printf "{\"attempt\":%d,\"type\":\"progress\",\"progress\":{\"step\":%d},\"metrics\":{\"train_nats\":%d}}\n", n, i, i }' > "$F/many"
      cat "$F/many" >> "$F/events.ndjson"
      say "{\"attempt\":$N,\"type\":\"samples\",\"epoch\":7}"
      checkpoint 31
      succeed
      """#)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    try place.wait(for: "a", .succeeded)
    let events = try place.record.events(of: "a", limit: 10_000)
    #expect((1000..<5000).contains(events.count { $0.type == "metrics" }))
    #expect(events.filter { $0.type == "samples" }.map(\.body) == [["epoch": 7]])
    #expect(events.filter { $0.type == "checkpoint" }.map(\.body) == [["step": 31]])
    #expect(try place.record.job("a")?.metrics == ["test_nats": 90])
  }

  @Test func `what a power cut took back of a worker's lines is told once, and what comes after it too`() throws {
    let script = #"""
      [ $N = 2 ] && { progress 3 1; succeed; }
      progress 1 3; progress 2 2; checkpoint 2
      while [ ! -e "$F/go" ]; do sleep 0.05; done
      die
      """#
    let folder = try TemporaryFolder()
    let place = try Workplace({ _ in ScriptedEngine(script) }, in: folder)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    try eventually("the checkpoint is heard") { try place.record.model("mdl_a")?.newestStep == 2 }
    let events = folder.folder(of: "a").events
    try Disk.replace(events, with: Array(try Disk.read(events, bytesMax: 1 << 20).prefix(150)))
    try Disk.replace(folder.folder(of: "a").path + "/go", with: [])
    try place.wait(for: "a", .succeeded)
    let told = try place.record.events(of: "a")
    #expect(told.filter { $0.type == "metrics" }.map { $0.body["metrics"]?["train_nats"] } == [3, 2, 1])
    #expect(told.count { $0.type == "checkpoint" } == 1)
  }

  @Test func `a worker that can't be started is a reason, not a hang`() throws {
    let place = try Workplace({ _ in LocalEngine(executable: "/nowhere/fount") })
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    let failure = try place.wait(for: "a", .failed).failure
    #expect(failure?.reason == "worker_not_started")
    #expect(failure?.detail.contains("/nowhere/fount") == true)
  }

  @Test func `a worker that finds no room on the disk has not died: its job rests, says so, and goes on`() throws {
    let script = #"[ $N -le 4 ] && { echo "no space left on $F" >&2; exit 73; }; checkpoint 3; succeed"#
    let place = try Workplace({ _ in ScriptedEngine(script) }, restSeconds: 0.4)
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    try eventually("it rests") {
      guard let job = try place.record.job("a"), job.status == .queued, job.attempt > 0 else { return false }
      let standing = place.pool.queueStanding(position: 0, of: job)
      return standing.reason == .resting && standing.detail.contains("disk had no room")
    }
    let job = try place.wait(for: "a", .succeeded)
    #expect((job.attempt, job.deathsSinceCheckpoint) == (5, 0))
    let warnings = try place.record.events(of: "a", after: 0, limit: 100).filter { $0.type == "warning" }
    #expect(warnings.count == 4 && warnings.allSatisfy { $0.body["detail"]?.string?.contains("no space left") == true })
  }

  @Test func `a host that is short of something keeps a job waiting and costs it no life`() throws {
    let refusals = Shared<[Int32]>([ENOSPC, EAGAIN, EROFS, EMFILE])
    let place = try Workplace({ _ in ShortEngine(refusals: refusals, then: ScriptedEngine("checkpoint 3; succeed")) })
    _ = try place.record.submitTraining("a")
    try place.pool.start()
    let job = try place.wait(for: "a", .succeeded)
    #expect(job.attempt == 1 && refusals.value.isEmpty)
  }
}

/// Refuses to start a worker with one code after another, then starts it.
private struct ShortEngine: Engine {
  let refusals: Shared<[Int32]>
  let then: any Engine

  init(refusals: Shared<[Int32]>, then: some Engine) { (self.refusals, self.then) = (refusals, then) }

  func start(_ attempt: Attempt, queue: DispatchQueue, onExit: @escaping @Sendable (Termination) -> Void) throws -> RunningWorker {
    if let code = refusals.value.first {
      refusals.change { $0.removeFirst() }
      throw Errno(code: code, operation: "posix_spawn", path: attempt.folder)
    }
    return try then.start(attempt, queue: queue, onExit: onExit)
  }
}
