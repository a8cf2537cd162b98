import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Testing

/// The server goes, politely or not, and another one comes to the same record and folders.
struct ServerDeathTests {
  @Test func `a drained pool has its workers stopped and their jobs interrupted, and the next one goes on`() throws {
    let place = try Workplace(#"trap 'checkpoint 5; exit 0' TERM; touch "$F/ready"; work"#)
    for id in ["a", "b", "c"] { _ = try place.record.submitTraining(id) }
    try place.pool.start()
    for id in ["a", "b"] { try place.waitForFile("ready", of: id) }
    try place.drain()
    #expect(try ["a", "b", "c"].map { try place.record.status($0) } == [.interrupted, .interrupted, .queued])
    place.pool.wake()
    try place.drain()
    #expect(try place.record.status("c") == .queued)
    try place.record.close()

    let next = try Workplace({ _ in ScriptedEngine("succeed") }, in: place.folder)
    try next.pool.start()
    let job = try next.wait(for: "a", .succeeded)
    #expect(job.path == [.queued, .running, .interrupted, .queued, .running, .succeeded])
    #expect(job.deathsSinceCheckpoint == 0)
    for id in ["b", "c"] { try next.wait(for: id, .succeeded) }
  }

  @Test func `an idle pool drains at once`() throws {
    let place = try Workplace("succeed")
    try place.pool.start()
    try place.drain()
    try place.drain()
  }

  @Test func `what a dead server did not hear is heard by the next one`() throws {
    let folder = try TemporaryFolder()
    let dead = try Record(opening: folder.database)
    _ = try dead.submitTraining("a")
    _ = try dead.submitTraining("b")
    for _ in 1...2 { _ = try dead.claimNext() }
    try dead.close()
    let checkpoint = #"{"attempt":1,"type":"checkpoint","step":44}"# + "\n"
    for id in ["a", "b"] {
      try Disk.createFolders(folder.folder(of: id).path)
      try Disk.replace(folder.folder(of: id).events, with: Array(checkpoint.utf8))
    }
    // The worker of `a` was done when its server died.
    let result = #"{"attempt":1,"status":"succeeded","metrics":{"nats":3}}"#
    try Disk.replace(folder.folder(of: "a").result, with: Array(result.utf8))

    let engine = ScriptedEngine(#"grep -q 44 "$F/events.ndjson" && fail"#)
    let place = try Workplace({ _ in engine }, in: folder)
    try place.pool.start()
    let done = try place.wait(for: "a", .succeeded)
    #expect(done.metrics == ["nats": 3])
    try place.wait(for: "b", .failed)
    #expect(engine.started.value.map(\.job) == ["b"])
    #expect(try ["mdl_a", "mdl_b"].map { try place.record.model($0)?.newestStep } == [44, 44])
  }

  @Test func `verbs that a dead server had accepted are completed`() throws {
    let folder = try TemporaryFolder()
    let dead = try Record(opening: folder.database)
    for id in ["a", "b"] {
      _ = try dead.submit(.training(id))
      _ = try dead.claimNext()
    }
    _ = try dead.apply(.cancel, to: "a")
    _ = try dead.apply(.pause, to: "b")
    try dead.close()
    let place = try Workplace({ _ in ScriptedEngine("succeed") }, in: folder)
    try place.pool.start()
    #expect(try place.record.status("a") == .cancelled)
    #expect(try place.record.status("b") == .paused)
  }

  /// A process that holds a folder's lock, as a worker does, and does not care that its server is gone.
  private func holdLock(of folder: JobFolder, seconds: Double, ended: Shared<Termination?>) throws -> ChildProcess {
    try Disk.createFolders(folder.path)
    let script = """
      use Fcntl; open(F, '+>>', "$ARGV[0]/lock") or die; my $lock = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0); \
      fcntl(F, F_SETLK, $lock) or die; select(undef, undef, undef, $ARGV[1])
      """
    let launch = ChildLaunch(executable: "/usr/bin/perl", arguments: ["-e", script, folder.path, "\(seconds)"])
    let holder = try ChildProcess(launch, queue: DispatchQueue(label: "holder")) { end in ended.change { $0 = end.status } }
    try eventually("the lock is held") { try FolderLock.holder(of: folder.path) == holder.pid }
    return holder
  }

  @Test func `a worker of a dead server that keeps its folder is killed before the next attempt`() throws {
    let place = try Workplace({ _ in ScriptedEngine("succeed") }, folderWaitSeconds: 0.4)
    let ended = Shared<Termination?>(nil)
    let holder = try holdLock(of: place.folder.folder(of: "a"), seconds: 600, ended: ended)
    defer { holder.kill() }
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    #expect(try place.wait(for: "a", .succeeded).attempt == 1)
    try eventually("the holder is gone") { ended.value != nil }
    #expect(ended.value == .signalled(SIGKILL))
  }

  @Test func `one that leaves by itself is only waited for`() throws {
    let engine = ScriptedEngine("succeed")
    let place = try Workplace({ _ in engine })
    let ended = Shared<Termination?>(nil)
    let holder = try holdLock(of: place.folder.folder(of: "a"), seconds: 1, ended: ended)
    defer { holder.kill() }
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    #expect(engine.started.value.isEmpty)
    try place.wait(for: "a", .succeeded)
    try eventually("the holder is gone") { ended.value != nil }
    #expect(ended.value == .exited(code: 0))
  }

  @Test func `a job that waits for its folder can be cancelled, and the stray still goes`() throws {
    let place = try Workplace({ _ in ScriptedEngine("succeed") }, folderWaitSeconds: 1)
    let ended = Shared<Termination?>(nil)
    let holder = try holdLock(of: place.folder.folder(of: "a"), seconds: 600, ended: ended)
    defer { holder.kill() }
    _ = try place.record.submit(.training("a"))
    try place.pool.start()
    _ = try place.pool.cancel("a")
    try place.wait(for: "a", .cancelled)
    try eventually("the holder is gone") { ended.value != nil }
    #expect(ended.value == .signalled(SIGKILL))
  }

  @Test func `a worker that holds the folder of a job long over is ended at the next start`() throws {
    let folder = try TemporaryFolder()
    let dead = try Record(opening: folder.database)
    _ = try dead.submit(.training("a"))
    _ = try dead.apply(.cancel, to: "a")
    try dead.close()
    let ended = Shared<Termination?>(nil)
    let holder = try holdLock(of: folder.folder(of: "a"), seconds: 600, ended: ended)
    defer { holder.kill() }
    let place = try Workplace({ _ in ScriptedEngine("succeed") }, in: folder, folderWaitSeconds: 0.4)
    try place.pool.start()
    try eventually("the holder is gone") { ended.value != nil }
    #expect(ended.value == .signalled(SIGKILL))
  }

  @Test func `a result that two servers died before hearing is heard by the third`() throws {
    let folder = try TemporaryFolder()
    let dead = try Record(opening: folder.database)
    _ = try dead.submitTraining("a")
    _ = try dead.claimNext()
    try Disk.createFolders(folder.folder(of: "a").path)
    try Disk.replace(folder.folder(of: "a").events, with: Array((#"{"attempt":1,"type":"checkpoint","step":44}"# + "\n").utf8))
    try Disk.replace(folder.folder(of: "a").result, with: Array(#"{"attempt":1,"status":"succeeded","metrics":{"nats":3}}"#.utf8))
    // The second one died between its claim and everything else.
    _ = try dead.recover()
    _ = try dead.claimNext()
    try dead.close()
    let engine = ScriptedEngine("fail")
    let place = try Workplace({ _ in engine }, in: folder)
    try place.pool.start()
    let done = try place.wait(for: "a", .succeeded)
    #expect(done.attempt == 3 && done.metrics == ["nats": 3])
    #expect(engine.started.value.isEmpty)
    #expect(try place.record.model("mdl_a")?.newestStep == 44)
  }

  @Test(arguments: [(JobVerb.cancel, JobStatus.cancelling, JobStatus.cancelled), (.pause, .pausing, .paused)])
  func `a job that was to leave when its server died leaves once its worker has gone, and what that told last is heard`(
    verb: JobVerb, leaving: JobStatus, left: JobStatus
  ) throws {
    let folder = try TemporaryFolder()
    let dead = try Record(opening: folder.database)
    _ = try dead.submitTraining("a")
    _ = try dead.claimNext()
    _ = try dead.apply(verb, to: "a")
    try dead.close()
    let ended = Shared<Termination?>(nil)
    let holder = try holdLock(of: folder.folder(of: "a"), seconds: 600, ended: ended)
    defer { holder.kill() }
    for _ in 0..<2 {
      // The first server after it leaves before the worker has: the job stays as it is for the next.
      let place = try Workplace({ _ in ScriptedEngine("fail") }, in: folder)
      try place.pool.start()
      Thread.sleep(forTimeInterval: 0.3)
      #expect(try place.record.status("a") == leaving)
      try place.drain()
      #expect(try place.record.status("a") == leaving)
    }
    let place = try Workplace({ _ in ScriptedEngine("fail") }, in: folder)
    try place.pool.start()
    try Disk.replace(folder.folder(of: "a").events, with: Array((#"{"attempt":1,"type":"checkpoint","step":44}"# + "\n").utf8))
    holder.kill()
    let job = try place.wait(for: "a", left)
    #expect(job.path == [.queued, .running, leaving, left])
    #expect(try place.record.model("mdl_a")?.newestStep == 44)
  }

  @Test func `a worker whose lifeline ends writes a checkpoint and goes`() throws {
    let folder = try TemporaryFolder()
    let job = folder.folder(of: "a")
    try Disk.createFolders(job.path)
    let ended = Shared<Termination?>(nil)
    let launch = ChildLaunch(
      executable: "/bin/sh", arguments: ["-c", #"cat; echo saved > "$1/checkpoint""#, "sh", job.path], output: .file(job.log))
    let worker = try ChildProcess(launch, queue: DispatchQueue(label: "lifeline")) { end in ended.change { $0 = end.status } }
    worker.cutLifeline()
    try eventually("it goes") { ended.value != nil }
    #expect(ended.value == .exited(code: 0))
    #expect(Disk.exists("\(job.path)/checkpoint"))
  }
}
