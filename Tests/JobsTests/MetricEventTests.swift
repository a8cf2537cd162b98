import JSON
import Jobs
import Testing

@Suite struct `The events of metrics` {
  private func record(_ folder: TemporaryFolder, metrics count: Int) throws -> Record {
    let record = try Record(opening: folder.database)
    for id in ["job_1", "job_2"] { _ = try record.submitTraining(id) }
    let job = try #require(try record.claimNext())
    for step in 0..<count {
      let events = [AttemptNews.Event(type: "metrics", body: ["step": .integer(step)]), .init(type: "warning", body: ["detail": "x"])]
      #expect(try record.note(AttemptNews(events: events), of: job.id, attempt: 1, offset: step))
    }
    return record
  }

  @Test func `come all, oldest first, and those of one job alone`() throws {
    let folder = try TemporaryFolder()
    let record = try record(folder, metrics: 10)
    let (events, every) = try record.metrics(of: "job_1", countMax: 10)
    #expect(every == 1 && events.compactMap { $0.body["step"]?.integer } == Array(0..<10))
    #expect(try record.metrics(of: "job_2", countMax: 10).events.isEmpty)
    #expect(try record.metrics(of: "job_x", countMax: 1).events.isEmpty)
  }

  @Test(arguments: [(9, [1, 3, 5, 7, 9]), (4, [0, 3, 6, 9]), (3, [1, 5, 9]), (1, [9])])
  func `come thinned where they are many, the last among them`(countMax: Int, steps: [Int]) throws {
    let folder = try TemporaryFolder()
    let (events, every) = try record(folder, metrics: 10).metrics(of: "job_1", countMax: countMax)
    #expect(events.compactMap { $0.body["step"]?.integer } == steps && steps.count <= countMax && every > 1)
  }
}
