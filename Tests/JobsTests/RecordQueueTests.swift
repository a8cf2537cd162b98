import JSON
import Jobs
import Testing

struct RecordQueueTests {
  let folder: TemporaryFolder
  let record: Record

  init() throws {
    folder = try TemporaryFolder()
    record = try Record(opening: folder.database)
  }

  private func submit(_ ids: String..., owner: String, priority: Int = 0) throws {
    for id in ids { _ = try record.submit(.training(id, owner: owner, priority: priority)) }
  }

  private func claimAll() throws -> [String] {
    var claimed: [String] = []
    while let job = try record.claimNext() { claimed.append(job.id) }
    return claimed
  }

  @Test func `the highest priority goes first, and the oldest among equals`() throws {
    for (id, priority) in [("a", 0), ("b", 5), ("c", 5), ("d", -1)] { _ = try record.submit(.training(id, priority: priority)) }
    #expect(try claimAll() == ["b", "c", "a", "d"])
  }

  @Test func `owners take turns, however many jobs one of them has`() throws {
    try submit("a1", "a2", "a3", "a4", owner: "ann")
    try submit("b1", "b2", owner: "bob")
    try submit("c1", owner: "cyd")
    #expect(try claimAll() == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"])
  }

  @Test func `a priority is among its owner's jobs alone`() throws {
    try submit("a1", owner: "ann")
    try submit("a2", owner: "ann", priority: 100)
    try submit("b1", owner: "bob")
    #expect(try claimAll() == ["a2", "b1", "a1"])
  }

  @Test func `who was served last waits for the others, over a restart too`() throws {
    try submit("a1", "a2", owner: "ann")
    try submit("b1", owner: "bob")
    #expect(try record.claimNext()?.id == "a1")
    try record.close()
    let again = try Record(opening: folder.database)
    #expect(try again.claimNext()?.id == "b1")
    #expect(try again.claimNext()?.id == "a2")
  }

  @Test func `a job's position is how many claims come before its own`() throws {
    try submit("a1", "a2", "a3", owner: "ann")
    try submit("b1", "b2", owner: "bob", priority: 7)
    try submit("c1", owner: "cyd")
    _ = try record.claimNext()
    try submit("d1", owner: "dot", priority: -3)
    var positions: [String: Int] = [:]
    for id in ["a2", "a3", "b1", "b2", "c1", "d1"] { positions[id] = try record.queuePosition(of: id) }
    #expect(try record.queuePositions() == positions)
    let order = try claimAll()
    #expect(positions == Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first }))
    #expect(try record.queuePosition(of: "a1") == nil)
    #expect(try record.queuePosition(of: "nothing") == nil)
  }

  @Test func `a job that rests is passed over, and nobody waits for it`() throws {
    try submit("a1", "a2", owner: "ann")
    try submit("b1", owner: "bob")
    #expect(try record.claimNext(except: ["a1"])?.id == "a2")
    #expect(try record.claimNext(except: ["a1"])?.id == "b1")
    #expect(try record.claimNext(except: ["a1"]) == nil)
    #expect(try record.claimNext()?.id == "a1")
  }

  @Test func `an owner's waiting jobs have a limit, which others do not fill`() throws {
    func submit(_ id: String, owner: String) throws {
      _ = try record.submit(.training(id, owner: owner), waitingMax: 2) { _, _ in KeptAnswer(status: 202, location: nil, body: []) }
    }
    try submit("a1", owner: "ann")
    try submit("a2", owner: "ann")
    // A paused job waits as well: pausing must not make room for more without end.
    _ = try record.apply(.pause, to: "a2")
    #expect(throws: RecordError.queueFull(waitingMax: 2)) { try submit("a3", owner: "ann") }
    #expect(try record.job("a3") == nil)
    try submit("b1", owner: "bob")
    _ = try record.claimNext()
    try submit("a3", owner: "ann")
  }
}
