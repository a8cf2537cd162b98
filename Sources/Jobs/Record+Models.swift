import GRDB
import JSON

extension Record {
  /// Found from its submission on, checkpoint or not; `models()` lists those that can be used.
  package func model(_ id: String) throws -> ModelRecord? {
    try database.read { db in try Record.model(id, in: db) }
  }

  /// Adds a model that no job here has made, and keeps what its sender is told, in the same transaction. Its files are there before.
  ///
  /// - Parameter request: nil for one without a key, whose answer is not kept.
  /// - Returns: the answer, which is an earlier one where the same request had one; nothing was added then.
  package func insertModel(
    _ model: ModelRecord, once request: KeyedRequest?, answer: (ModelRecord) throws -> KeptAnswer
  ) throws -> (answer: KeptAnswer, isRepeated: Bool) {
    try database.write { db in
      if let request, let kept = try Record.answer(to: request, in: db) { return (kept, true) }
      let answer = try answer(try Record.insertImported(model, in: db))
      if let request { try Record.keep(answer, to: request, in: db) }
      return (answer, false)
    }
  }

  private static func insertImported(_ model: ModelRecord, in db: Database) throws -> ModelRecord {
    precondition(model.job == nil, "a job's model is inserted with its job")
    try Record.insert(model, in: db)
    guard let kept = try Record.model(model.id, in: db) else { throw RecordError.unknownModel(model.id) }
    return kept
  }

  /// Refused while the job that makes it, or one that reads it, is unfinished. Its files are the caller's to remove, afterwards.
  /// - Returns: what was deleted.
  @discardableResult
  package func deleteModel(_ id: String) throws -> ModelRecord {
    try database.write { db in
      guard let model = try Record.model(id, in: db) else { throw RecordError.unknownModel(id) }
      let holder = try String.fetchOne(
        db, sql: "SELECT id FROM jobs WHERE model = ? AND status NOT IN ('succeeded', 'failed', 'cancelled') LIMIT 1", arguments: [id])
      if let holder { throw RecordError.inUse(id, byJob: holder) }
      try db.execute(sql: "DELETE FROM models WHERE id = ?", arguments: [id])
      return model
    }
  }

  static func model(_ id: String, in db: Database) throws -> ModelRecord? {
    try Row.fetchOne(db, sql: "SELECT * FROM models WHERE id = ?", arguments: [id]).map { try ModelRecord(row: $0) }
  }

  static func insert(_ model: ModelRecord, in db: Database) throws {
    if try Record.model(model.id, in: db) != nil { throw RecordError.alreadyThere(model.id) }
    try db.execute(
      sql: "INSERT INTO models (id, job, family, dataset, description, newest_step, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        model.id, model.job, model.family, model.dataset, model.description.serialized(), model.newestStep, model.createdAt.milliseconds,
      ])
  }
}

extension ModelRecord {
  init(row: Row) throws {
    let id: String = row["id"]
    self.init(
      id: id, job: row["job"], family: row["family"], dataset: row["dataset"],
      description: try row.json("description", table: "models", id: id) ?? .null, newestStep: row["newest_step"],
      createdAt: .init(milliseconds: row["created_at"]))
  }
}
