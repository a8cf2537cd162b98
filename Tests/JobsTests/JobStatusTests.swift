import JSON
import Jobs
import Testing

/// The rules of the HTTP interface, stated again as one table a verb, which the machine is compared with cell by cell.
struct JobStatusTests {
  /// `-` is a refusal. Columns: queued running pausing paused cancelling interrupted succeeded failed cancelled.
  static let verbs: [(JobVerb, String)] = [
    (.cancel, "cancelled cancelling cancelling cancelled cancelling cancelled - - cancelled"),
    (.pause, "paused pausing pausing paused - paused - - -"),
    (.resume, "queued running - queued - interrupted - - -"),
  ]
  static let columns: [JobStatus] = [.queued, .running, .pausing, .paused, .cancelling, .interrupted, .succeeded, .failed, .cancelled]

  @Test(arguments: JobStatus.allCases)
  func `every verb does to every status what the interface says`(status: JobStatus) throws {
    let column = try #require(Self.columns.firstIndex(of: status))
    for (verb, row) in Self.verbs {
      let cell = String(row.split(separator: " ")[column])
      if cell == "-" {
        let refusal = #expect(throws: VerbRefused.self) { try status.after(verb) }
        #expect(refusal == VerbRefused(verb: verb, status: status))
      } else {
        #expect(try status.after(verb).rawValue == cell, "\(verb) of \(status)")
      }
    }
  }

  @Test(arguments: JobStatus.allCases, JobVerb.allCases)
  func `a verb that was taken can be repeated`(status: JobStatus, verb: JobVerb) throws {
    guard let once = try? status.after(verb) else { return }
    #expect(try once.after(verb) == once)
  }

  static let endings: [(String, AttemptEnding)] = [
    ("succeeded", .succeeded(result: nil, metrics: nil)), ("failed", .failed(Failure(reason: "r", detail: "d"), metrics: nil)),
    ("stopped", .stopped), ("died", .died(Failure(reason: "r", detail: "d"))),
    ("hindered", .hindered(Failure(reason: "r", detail: "d"))),
  ]

  /// What becomes of a job whose worker goes: a row a status that has a worker, columns as `endings`.
  static let endingTable: [(JobStatus, String)] = [
    (.running, "succeeded failed interrupted interrupted interrupted"),
    (.pausing, "succeeded failed paused paused paused"),
    (.cancelling, "cancelled cancelled cancelled cancelled cancelled"),
  ]

  @Test func `success while cancelling is cancelled, while pausing it is success`() {
    for (status, row) in Self.endingTable {
      for ((name, ending), cell) in zip(Self.endings, row.split(separator: " ")) {
        #expect(status.after(ending, mayGoOn: true)?.rawValue == String(cell), "\(name) while \(status)")
      }
    }
  }

  @Test func `a death that is one too many is failure, unless something else was asked`() {
    let death = Self.endings[3].1
    #expect(JobStatus.running.after(death, mayGoOn: false) == .failed)
    #expect(JobStatus.pausing.after(death, mayGoOn: false) == .paused)
    #expect(JobStatus.cancelling.after(death, mayGoOn: false) == .cancelled)
  }

  @Test func `no ending reaches a status without a worker`() {
    for status in JobStatus.allCases where !status.hasWorker {
      for (_, ending) in Self.endings { #expect(status.after(ending, mayGoOn: true) == nil) }
    }
  }

  @Test func `a server's death interrupts what ran, and what was to leave still is`() {
    let expected: [JobStatus: [JobStatus]] = [.running: [.interrupted, .queued], .interrupted: [.queued]]
    for status in JobStatus.allCases { #expect(status.afterServerDeath == expected[status] ?? []) }
  }

  @Test func `finished is succeeded, failed and cancelled`() {
    #expect(JobStatus.allCases.filter(\.isFinished) == [.succeeded, .failed, .cancelled])
  }
}
