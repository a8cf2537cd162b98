import GRDB
import JSON

extension Record {
  /// The job's events of metrics, oldest first, and of a long series only every so-many-th, so that the last is among them.
  /// - Parameter countMax: how many come at the most.
  /// - Returns: the events, and of how many in the record each stands for: 1 when all are there.
  package func metrics(of job: String, countMax: Int) throws -> (events: [JobEvent], every: Int) {
    precondition(countMax >= 1, "a series has 1 value or more, not \(countMax)")
    return try database.read { db in
      let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM events WHERE job = ? AND type = 'metrics'", arguments: [job]) ?? 0
      let every = max(1, (count + countMax - 1) / countMax)
      let rows = try Row.fetchCursor(db, sql: "SELECT * FROM events WHERE job = ? AND type = 'metrics' ORDER BY number", arguments: [job])
      var events: [JobEvent] = []
      var index = 0
      while let row = try rows.next() {
        if (count - 1 - index) % every == 0 { events.append(try JobEvent(row: row)) }
        index += 1
      }
      return (events, every)
    }
  }
}

extension JobEvent {
  init(row: Row) throws {
    let number: Int = row["number"]
    self.init(
      number: number, job: row["job"], type: row["type"], body: try row.json("body", table: "events", id: String(number)) ?? .null,
      at: .init(milliseconds: row["at"]))
  }
}
