import Foundation
import GRDB
import JSON

extension Record {
  /// What became of a submission.
  package enum Submitted: Sendable {
    case made(JobRecord, answer: KeptAnswer)
    /// The same request has been answered before, under the same key; nothing was made.
    case repeated(KeptAnswer)
  }

  /// Queues a job, with the model that it will make, and keeps what its submitter is told, in one transaction: none is ever there without
  /// the others.
  ///
  /// Every dataset that it names must be there, and the model that it reads; the check and the insert can't be parted by a delete.
  ///
  /// - Parameters:
  ///   - waitingMax: how many jobs of its owner may wait, this one among them.
  ///   - request: nil for one without a key, whose answer is not kept.
  ///   - answer: what to tell of the job, given how many go before it.
  package func submit(
    _ job: JobSubmission, model: ModelRecord? = nil, waitingMax: Int, once request: KeyedRequest? = nil,
    answer: (JobRecord, _ position: Int) throws -> KeptAnswer
  ) throws -> Submitted {
    try database.write { db in
      if let request, let kept = try Record.answer(to: request, in: db) { return .repeated(kept) }
      let waiting = try Record.waitingCount(of: job.owner, in: db)
      guard waiting < waitingMax else { throw RecordError.queueFull(waitingMax: waitingMax) }
      let made = try Record.submit(job, model: model, in: db)
      let answer = try answer(made, try Record.queuePosition(of: made.id, in: db) ?? 0)
      if let request { try Record.keep(answer, to: request, in: db) }
      return .made(made, answer: answer)
    }
  }

  private static func submit(_ job: JobSubmission, model: ModelRecord?, in db: Database) throws -> JobRecord {
    precondition(model == nil || (model?.job == job.id && model?.id == job.model), "a job is submitted with the model that it names")
    if try Record.job(job.id, in: db) != nil { throw RecordError.alreadyThere(job.id) }
    for dataset in job.datasets where try Record.dataset(dataset, in: db) == nil { throw RecordError.unknownDataset(dataset) }
    if model == nil, let read = job.model, try Record.model(read, in: db) == nil { throw RecordError.unknownModel(read) }
    let now = Date.recordable
    try Record.giveTurn(to: job.owner, in: db)
    try db.execute(
      sql: """
        INSERT INTO jobs (id, owner, kind, status, request, family, model, seed, priority, name, metadata, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        job.id, job.owner, job.kind, JobStatus.queued.rawValue, job.request.serialized(), job.family, job.model, job.seed, job.priority,
        job.name, job.metadata.serialized(), now.milliseconds,
      ])
    for (place, dataset) in job.datasets.enumerated() {
      try db.execute(sql: "INSERT INTO job_datasets (job, place, dataset) VALUES (?, ?, ?)", arguments: [job.id, place, dataset])
    }
    if let model { try Record.insert(model, in: db) }
    try Record.enter(.queued, job: job.id, at: now, in: db)
    return try Record.existingJob(job.id, in: db)
  }

  package func job(_ id: String) throws -> JobRecord? {
    try database.read { db in try Record.job(id, in: db) }
  }

  /// Whether a job has come to its end, or is not there.
  package func isFinished(_ id: String) throws -> Bool {
    try database.read { db in
      try String.fetchOne(db, sql: "SELECT status FROM jobs WHERE id = ?", arguments: [id]).flatMap(JobStatus.init)?.isFinished ?? true
    }
  }

  /// How many jobs have that status, whoever owns them.
  package func jobCount(_ status: JobStatus) throws -> Int {
    try database.read { db in
      try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM jobs WHERE status = ?", arguments: [status.rawValue]) ?? 0
    }
  }

  /// Applies a user's verb. Throws `VerbRefused` where the status does not admit it; a verb with nothing left to do changes nothing.
  package func apply(_ verb: JobVerb, to id: String) throws -> JobRecord {
    try database.write { db in
      guard let job = try Record.job(id, in: db) else { throw RecordError.unknownJob(id) }
      let status = try job.status.after(verb)
      guard status != job.status else { return job }
      try Record.enter(status, job: id, at: .recordable, in: db)
      return try Record.existingJob(id, in: db)
    }
  }

  static func job(_ id: String, in db: Database) throws -> JobRecord? {
    try Row.fetchOne(db, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [id]).map { try JobRecord(row: $0, in: db) }
  }

  /// The job after a change in the same transaction.
  static func existingJob(_ id: String, in db: Database) throws -> JobRecord {
    guard let job = try job(id, in: db) else { throw RecordError.unknownJob(id) }
    return job
  }

  /// Puts a job into a status, with its history and its event: the one place that writes `status`.
  static func enter(_ status: JobStatus, job: String, at now: Date, in db: Database) throws {
    try db.execute(sql: "UPDATE jobs SET status = ? WHERE id = ?", arguments: [status.rawValue, job])
    try db.execute(
      sql: "INSERT INTO history (job, status, at) VALUES (?, ?, ?)", arguments: [job, status.rawValue, now.milliseconds])
    try append(type: "status", body: ["status": .string(status.rawValue)], to: job, at: now, in: db)
  }
}

extension JobRecord {
  /// Reads a row of `jobs` with what other tables have of it.
  init(row: Row, in db: Database) throws {
    let id: String = row["id"]
    func json(_ column: String) throws -> JSONValue? { try row.json(column, table: "jobs", id: id) }
    func status(_ text: String) throws -> JobStatus {
      guard let status = JobStatus(rawValue: text) else {
        throw RecordError.damagedRow(table: "jobs", id: id, detail: "\(text) is no status")
      }
      return status
    }
    self.init(
      id: id, owner: row["owner"], kind: row["kind"], status: try status(row["status"]), request: try json("request") ?? .null,
      family: row["family"], model: row["model"],
      datasets: try String.fetchAll(db, sql: "SELECT dataset FROM job_datasets WHERE job = ? ORDER BY place", arguments: [id]),
      seed: row["seed"], priority: row["priority"], name: row["name"], metadata: try json("metadata") ?? .null,
      progress: try json("progress"), metrics: try json("metrics"), result: try json("result"), failure: Failure(try json("failure")),
      attempt: row["attempt"], deathsSinceCheckpoint: row["deaths_since_checkpoint"],
      history: try Row.fetchAll(
        db, sql: "SELECT status, at FROM history WHERE job = ? ORDER BY number DESC LIMIT ?", arguments: [id, JobRecord.historyMax]
      ).reversed().map { HistoryEntry(status: try status($0["status"]), at: .init(milliseconds: $0["at"])) },
      createdAt: .init(milliseconds: row["created_at"]))
  }
}
