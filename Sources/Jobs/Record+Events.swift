import Foundation
import GRDB
import JSON

/// A job's events: rows that are only ever added.
extension Record {
  /// The job's events after the one of that number, oldest first.
  package func events(of job: String, after number: Int = 0, limit: Int = 100) throws -> [JobEvent] {
    try database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM events WHERE job = ? AND number > ? ORDER BY number LIMIT ?", arguments: [job, number, limit]
      ).map { try JobEvent(row: $0) }
    }
  }

  /// Adds a warning of the server's own to a job's events, finished or not; what the job was warned of before is not told again.
  /// - Returns: whether it was new.
  @discardableResult
  package func warn(_ job: String, _ detail: String) throws -> Bool {
    let body: JSONValue = ["detail": .string(detail)]
    return try database.write { db in
      let isKnown = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM events WHERE job = ? AND type = 'warning' AND body = ?)",
        arguments: [job, body.serialized()])
      guard isKnown == false, try Record.job(job, in: db) != nil else { return false }
      try Record.append(type: "warning", body: body, to: job, at: .recordable, in: db)
      return true
    }
  }

  static func append(type: String, body: JSONValue, to job: String, at now: Date, in db: Database) throws {
    try db.execute(
      sql: "INSERT INTO events (job, type, body, at) VALUES (?, ?, ?, ?)",
      arguments: [job, type, body.serialized(), now.milliseconds])
  }
}
