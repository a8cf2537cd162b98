import Dispatch
import Files
import Foundation
import Jobs
import Testing

/// The server is killed without a word, as a process of its own.
///
/// The process finds its folder in a note that goes by its parent's number: an exit test that captures values crashes the optimizer of
/// Swift 6.3.1.
@Suite(.serialized) struct KillTests {
  @Test func `kill -9 of the server ends its worker by the lifeline, and the next server goes on from what it left`() async throws {
    let folder = try TemporaryFolder()
    let note = try DoomedServer.note(folder)
    await #expect(processExitsWith: .signal(SIGKILL)) { try DoomedServer.runOneJob() }
    try Disk.removeTree(note)
    try expectJobGoesOn(in: folder)
  }

  private func expectJobGoesOn(in folder: TemporaryFolder) throws {
    let events = folder.folder(of: "a").events
    try eventually("the orphan has written its checkpoint") {
      try Disk.exists(events) && String(decoding: Disk.read(events, bytesMax: 1000), as: UTF8.self).hasSuffix("77}\n")
    }
    let next = try Workplace({ _ in ScriptedEngine("succeed") }, in: folder)
    #expect(try ["a", "b", "c"].map { try next.record.status($0) } == [.running, .queued, .cancelled])
    try next.pool.start()
    let job = try next.wait(for: "a", .succeeded)
    #expect(job.path == [.queued, .running, .interrupted, .queued, .running, .succeeded])
    #expect((job.attempt, job.deathsSinceCheckpoint) == (2, 0))
    #expect(try next.record.model("mdl_a")?.newestStep == 77)
    try next.wait(for: "b", .succeeded)
  }

  @Test func `what was acknowledged before a kill -9 is there afterwards`() async throws {
    var acknowledged = 0
    for round in 0..<8 {
      let folder = try TemporaryFolder()
      let note = try DoomedServer.note(folder)
      try Disk.replace("\(folder.path)/milliseconds", with: Array("\(20 + 31 * round)".utf8))
      await #expect(processExitsWith: .signal(SIGKILL)) { try DoomedServer.acknowledge() }
      try Disk.removeTree(note)
      acknowledged += try expectAcknowledgedJobs(in: folder)
    }
    #expect(acknowledged > 0)
  }

  /// - Returns: how many acknowledgements there were.
  private func expectAcknowledgedJobs(in folder: TemporaryFolder) throws -> Int {
    let record = try Record(opening: folder.database)
    _ = try record.recover()
    // A server that was killed before its first acknowledgement has none.
    let lines = (try? String(contentsOfFile: "\(folder.path)/acknowledged", encoding: .utf8)) ?? ""
    let acknowledged = lines.split(separator: "\n").map { $0.split(separator: " ") }
    for line in acknowledged {
      let job = try #require(try record.job(String(line[0])), "\(line) is lost")
      if line[1] == "cancelled" { #expect(job.status == .cancelled) }
      #expect([.queued, .cancelling, .cancelled, .succeeded].contains(job.status), "\(job.id) is stuck \(job.status)")
    }
    return acknowledged.count
  }
}

/// What runs in a process of its own, which ends by SIGKILL.
enum DoomedServer {
  private static func notePath(ofParent parent: pid_t) -> String { "\(NSTemporaryDirectory())/jobs-tests-of-\(parent)" }

  /// Tells the next exit test where to work.
  /// - Returns: the note's path.
  static func note(_ folder: TemporaryFolder) throws -> String {
    let path = notePath(ofParent: getpid())
    try Disk.replace(path, with: Array(folder.path.utf8))
    return path
  }

  private static func notedPath() throws -> String {
    String(decoding: try Disk.read(notePath(ofParent: getppid()), bytesMax: 4096), as: UTF8.self)
  }

  static func runOneJob() throws {
    let path = try notedPath()
    // The orphan's checkpoint comes after the death of its server.
    let script = #"echo ready > "$F/ready"; cat; checkpoint 77; exit 0"#
    let place = try Workplace({ _ in ScriptedEngine(script) }, in: TemporaryFolder(keeping: path), workersMax: 1)
    for id in ["a", "b", "c"] { _ = try place.record.submitTraining(id) }
    try place.pool.start()
    try place.waitForFile("ready", of: "a")
    _ = try place.pool.cancel("c")
    kill(getpid(), SIGKILL)
  }

  static func acknowledge() throws {
    let path = try notedPath()
    let milliseconds = Int(String(decoding: try Disk.read("\(path)/milliseconds", bytesMax: 10), as: UTF8.self)) ?? 0
    // Each acknowledgement is noted outside of the record; the end comes at a moment that nobody has chosen.
    let place = try Workplace({ _ in ScriptedEngine("succeed") }, in: TemporaryFolder(keeping: path))
    try place.pool.start()
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { kill(getpid(), SIGKILL) }
    let acknowledged = try OpenFile(appending: "\(path)/acknowledged")
    for index in 0... {
      let id = try place.record.submit(.training("job_\(index)")).id
      try acknowledged.write(Array("\(id) submitted\n".utf8).span)
      place.pool.wake()
      if index.isMultiple(of: 3), try !place.pool.cancel(id).status.isFinished { continue }
      if index.isMultiple(of: 3) { try acknowledged.write(Array("\(id) cancelled\n".utf8).span) }
    }
  }
}
