import Foundation
import GRDB
import JSON

/// What the worker pool writes of attempts that it has begun: what they tell, and how they end. Each is fenced by the attempt's number:
/// what a worker of an older attempt says changes nothing.
extension Record {
  /// Ends an attempt: the state machine's next status, or two of them where an interrupted job is queued again at once.
  ///
  /// - Parameter requeue: false while the server drains: the job then stays interrupted until the next start.
  /// - Returns: nil for an attempt that is over already; nothing has changed then.
  package func settle(
    _ id: String, attempt: Int, ending: AttemptEnding, deathsMax: Int = 3, requeue: Bool = true
  ) throws -> JobRecord? {
    try database.write { db in
      guard let job = try Record.job(id, in: db), job.attempt == attempt, job.status.hasWorker else { return nil }
      var deaths = job.deathsSinceCheckpoint
      if case .died = ending, job.status == .running { deaths += 1 }
      guard let status = job.status.after(ending, mayGoOn: deaths < deathsMax) else { return nil }
      try db.execute(sql: "UPDATE jobs SET deaths_since_checkpoint = ? WHERE id = ?", arguments: [deaths, id])
      try Record.keep(ending, of: job, entering: status, deaths: deaths, in: db)
      let now = Date.recordable
      try Record.enter(status, job: id, at: now, in: db)
      if case .hindered(let reason) = ending {
        try Record.append(type: "warning", body: ["detail": .string(reason.detail)], to: id, at: now, in: db)
      }
      if status == .interrupted, requeue { try Record.enter(.queued, job: id, at: now, in: db) }
      return try Record.existingJob(id, in: db)
    }
  }

  /// What an attempt has told since the last call, in one transaction; the newest progress and metrics, every event.
  ///
  /// - Parameter offset: how far `events.ndjson` has been read, so that the next attempt reads on from there.
  /// - Returns: false for an attempt that is over already; nothing has changed then.
  @discardableResult
  package func note(_ news: AttemptNews, of id: String, attempt: Int, offset: Int) throws -> Bool {
    try database.write { db in
      guard let job = try Record.job(id, in: db), job.attempt == attempt, job.status.hasWorker else { return false }
      let now = Date.recordable
      try db.execute(
        sql: """
          UPDATE jobs SET progress = COALESCE(?, progress), metrics = COALESCE(?, metrics), events_offset = ? WHERE id = ?
          """,
        arguments: [news.progress?.serialized(), news.metrics?.serialized(), offset, id])
      for event in news.events { try Record.append(type: event.type, body: event.body, to: id, at: event.at ?? now, in: db) }
      if let step = news.newestStep {
        try db.execute(sql: "UPDATE jobs SET deaths_since_checkpoint = 0 WHERE id = ?", arguments: [id])
        try db.execute(
          sql: "UPDATE models SET newest_step = MAX(COALESCE(newest_step, ?1), ?1) WHERE id = ?2 AND job = ?3",
          arguments: [step, job.model, id])
      }
      return true
    }
  }

  /// How far the job's `events.ndjson` has been read.
  package func eventsOffset(of id: String) throws -> Int {
    try database.read { db in try Int.fetchOne(db, sql: "SELECT events_offset FROM jobs WHERE id = ?", arguments: [id]) ?? 0 }
  }

  /// Puts right what a server that is gone has left: nothing runs now, whatever the rows say. Called once, before any claim, by the
  /// one process that owns the file.
  /// - Returns: the jobs that it left, as they are now; those that were `pausing` or `cancelling` still are.
  package func recover() throws -> [JobRecord] {
    try database.write { db in
      let left = try Row.fetchAll(
        db,
        sql: "SELECT id, status FROM jobs WHERE status IN ('running', 'pausing', 'cancelling', 'interrupted') ORDER BY number")
      let now = Date.recordable
      return try left.compactMap { row in
        let id: String = row["id"]
        guard try Record.isReadable(id, orFailedAt: now, in: db) else { return try Record.job(id, in: db) }
        for status in JobStatus(rawValue: row["status"])?.afterServerDeath ?? [] {
          try Record.enter(status, job: id, at: now, in: db)
        }
        return try Record.existingJob(id, in: db)
      }
    }
  }

  /// Whether a job's row can be read. One that can't has failed from now on, so that it keeps no other job from its turn; what of it is no
  /// JSON is dropped.
  static func isReadable(_ id: String, orFailedAt now: Date, in db: Database) throws -> Bool {
    do {
      return try Record.job(id, in: db) != nil
    } catch let error as RecordError {
      let failure = Failure(reason: "damaged_record", detail: "What the record holds of this job can't be read: \(error)")
      try db.execute(
        sql: """
          UPDATE jobs SET failure = ?, request = CASE WHEN json_valid(request) THEN request ELSE '{}' END,
            metadata = CASE WHEN json_valid(metadata) THEN metadata ELSE '{}' END,
            progress = CASE WHEN json_valid(progress) THEN progress END, metrics = CASE WHEN json_valid(metrics) THEN metrics END,
            result = CASE WHEN json_valid(result) THEN result END
          WHERE id = ?
          """, arguments: [failure.json.serialized(), id])
      try Record.enter(.failed, job: id, at: now, in: db)
      return false
    }
  }

  /// Writes what an ending brings with it, as far as the status that it leads to has a use for it.
  private static func keep(
    _ ending: AttemptEnding, of job: JobRecord, entering status: JobStatus, deaths: Int, in db: Database
  ) throws {
    var metrics: JSONValue?
    var result: JSONValue?
    var failure: Failure?
    switch (status, ending) {
    case (.succeeded, .succeeded(let found, let last)): (result, metrics) = (found, last)
    case (.failed, .failed(let reason, let last)): (failure, metrics) = (reason, last)
    case (.failed, .died(let reason)):
      failure = Failure(reason: reason.reason, detail: "Ended \(deaths) times without a new checkpoint. \(reason.detail)")
    default: break
    }
    try db.execute(
      sql: "UPDATE jobs SET metrics = COALESCE(?, metrics), result = ?, failure = ? WHERE id = ?",
      arguments: [metrics?.serialized(), result?.serialized(), failure?.json.serialized(), job.id])
  }
}
