import JSON
import Jobs
import Testing

struct RecordPagesTests {
  let folder: TemporaryFolder
  let record: Record

  init() throws {
    folder = try TemporaryFolder()
    record = try Record(opening: folder.database)
  }

  private func allJobs(limit: Int, family: String? = nil) throws -> [[String]] {
    var pages: [[String]] = []
    var after: String?
    repeat {
      let page = try record.jobs(family: family, limit: limit, after: after)
      pages.append(page.items.map(\.id))
      after = page.next
      #expect(page.hasMore == (after != nil))
    } while after != nil
    return pages
  }

  @Test func `pages are newest first, and the last one says so`() throws {
    for index in 1...7 { _ = try record.submit(.training("j\(index)", family: index % 2 == 0 ? "made" : "nade")) }
    #expect(try allJobs(limit: 3) == [["j7", "j6", "j5"], ["j4", "j3", "j2"], ["j1"]])
    #expect(try allJobs(limit: 7) == [["j7", "j6", "j5", "j4", "j3", "j2", "j1"]])
    #expect(try allJobs(limit: 2, family: "made") == [["j6", "j4"], ["j2"]])
    #expect(try record.jobs(limit: .max).items.count == 7)
  }

  @Test func `an empty list is one empty page`() throws {
    let page = try record.jobs()
    #expect(page.items.isEmpty)
    #expect(page.next == nil)
  }

  @Test func `what comes in between two pages moves nothing`() throws {
    for index in 1...4 { _ = try record.submit(.training("j\(index)")) }
    let first = try record.jobs(limit: 2)
    _ = try record.submit(.training("j5"))
    #expect(try record.jobs(limit: 2, after: first.next).items.map(\.id) == ["j2", "j1"])
  }

  @Test func `an id is a cursor too, and what is neither is refused`() throws {
    for index in 1...3 { _ = try record.submit(.training("j\(index)")) }
    #expect(try record.jobs(after: "j2").items.map(\.id) == ["j1"])
    #expect(throws: RecordError.unknownCursor("nowhere")) { try record.jobs(after: "nowhere") }
    #expect(throws: RecordError.unknownCursor("-3")) { try record.jobs(after: "-3") }
    #expect(throws: RecordError.unknownCursor("' OR 1=1")) { try record.jobs(after: "' OR 1=1") }
  }

  @Test func `a cursor survives the deletion of what it points at`() throws {
    for index in 1...3 { _ = try record.insertDataset(.example("ds_\(index)")) }
    let first = try record.datasets(limit: 1)
    #expect(first.items.map(\.id) == ["ds_3"])
    try record.deleteDataset("ds_3")
    #expect(try record.datasets(limit: 5, after: first.next).items.map(\.id) == ["ds_2", "ds_1"])
  }

  @Test func `jobs are filtered by status, family and dataset at once`() throws {
    for id in ["ds_1", "ds_2"] { _ = try record.insertDataset(.example(id)) }
    _ = try record.submit(.training("a", family: "made", datasets: ["ds_1"]))
    _ = try record.submit(.training("b", family: "made", datasets: ["ds_2", "ds_1"]))
    _ = try record.submit(.training("c", family: "nade", datasets: ["ds_1"]))
    _ = try record.apply(.cancel, to: "a")
    #expect(try record.jobs(dataset: "ds_1").items.map(\.id) == ["c", "b", "a"])
    #expect(try record.jobs(dataset: "ds_2").items.map(\.id) == ["b"])
    #expect(try record.jobs(status: .queued, family: "made", dataset: "ds_1").items.map(\.id) == ["b"])
    #expect(try record.jobs(status: .cancelled).items.map(\.id) == ["a"])
    #expect(try record.jobs(status: .failed).items.isEmpty)
  }

  @Test func `models are listed from their first checkpoint on`() throws {
    _ = try record.submitTraining("a")
    _ = try record.submitTraining("b")
    #expect(try record.models().items.isEmpty)
    let job = try #require(try record.claimNext())
    try record.note(AttemptNews(newestStep: 3), of: job.id, attempt: job.attempt, offset: 0)
    #expect(try record.models().items.map(\.id) == ["mdl_a"])
    #expect(try record.models(family: "nade").items.isEmpty)
    #expect(try record.models(family: "made", dataset: "ds_1").items.map(\.newestStep) == [3])
  }

  @Test func `the queue says how many go first`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.submit(.training("b"))
    _ = try record.submit(.training("c", priority: 1))
    #expect(try ["c", "a", "b"].map { try record.queuePosition(of: $0) } == [0, 1, 2])
    _ = try record.claimNext()
    #expect(try ["c", "a", "b"].map { try record.queuePosition(of: $0) } == [nil, 0, 1])
  }

  @Test func `events are read on from a number`() throws {
    _ = try record.submit(.training("a"))
    _ = try record.submit(.training("b"))
    _ = try record.apply(.cancel, to: "a")
    let all = try record.events(of: "a")
    #expect(all.map(\.body) == [["status": "queued"], ["status": "cancelled"]])
    #expect(try record.events(of: "a", after: all[0].number).map(\.number) == [all[1].number])
    #expect(try record.events(of: "a", limit: 1).count == 1)
  }
}
