import GRDB

/// What a check of everything asks: the file itself, and which names it knows.
extension Record {
  /// What is wrong with the file: damaged pages, rows that name what is not there, rows that can't be read, histories that do not end in
  /// their job's status. Empty for a sound one. A damaged row hides no other.
  package func faults() throws -> [String] {
    try database.read { db in
      var faults = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
      // Rows of damaged pages may hold anything.
      guard faults.isEmpty else { return faults }
      faults += try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { row in
        "a row of \(String.fromDatabaseValue(row[0]) ?? "?") names a row of \(String.fromDatabaseValue(row[2]) ?? "?") that is not there"
      }
      func read(_ table: String, _ make: (Row) throws -> Void) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table) ORDER BY number")
        while let row = try rows.next() {
          do { try make(row) } catch let error as RecordError { faults.append(error.description) }
        }
      }
      try read("datasets") { _ = try DatasetRecord(row: $0) }
      try read("models") { _ = try ModelRecord(row: $0) }
      try read("events") { _ = try JobEvent(row: $0) }
      try read("jobs") { row in
        let job = try JobRecord(row: row, in: db)
        if job.history.last?.status != job.status { faults.append("the history of \(job.id) does not end in \(job.status.rawValue)") }
        guard !job.status.isFinished else { return }
        for dataset in job.datasets where try Record.dataset(dataset, in: db) == nil {
          faults.append("the unfinished job \(job.id) names the dataset \(dataset), which is not there")
        }
        if let model = job.model, try Record.model(model, in: db) == nil {
          faults.append("the unfinished job \(job.id) names the model \(model), which is not there")
        }
      }
      return faults
    }
  }

  /// Every dataset whose row can be read; `faults` tells of the others.
  package func readableDatasets() throws -> [DatasetRecord] {
    try database.read { db in try Row.fetchAll(db, sql: "SELECT * FROM datasets ORDER BY number").compactMap { try? DatasetRecord(row: $0) }
    }
  }

  /// Every model whose row can be read; `faults` tells of the others.
  package func readableModels() throws -> [ModelRecord] {
    try database.read { db in try Row.fetchAll(db, sql: "SELECT * FROM models ORDER BY number").compactMap { try? ModelRecord(row: $0) } }
  }

  /// Whether the job that made a model has come to its end, or is not there.
  package func isOver(jobOfModel id: String) throws -> Bool {
    try database.read { db in
      try Bool.fetchOne(
        db,
        sql: """
          SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE model = ? AND kind = 'train' AND status NOT IN ('succeeded', 'failed', 'cancelled'))
          """, arguments: [id]) ?? true
    }
  }

  /// The digests of all blobs that a dataset names.
  package func referencedBlobs() throws -> Set<String> {
    try database.read { db in try String.fetchSet(db, sql: "SELECT blob_digest FROM datasets") }
  }

  package func modelIDs() throws -> Set<String> { try database.read { db in try String.fetchSet(db, sql: "SELECT id FROM models") } }
  package func jobIDs() throws -> Set<String> { try database.read { db in try String.fetchSet(db, sql: "SELECT id FROM jobs") } }

  /// Whether there is nothing in it: a new record, or one of somebody else's making.
  package func isEmpty() throws -> Bool {
    try database.read { db in
      try Bool.fetchOne(db, sql: "SELECT NOT EXISTS (SELECT 1 FROM datasets) AND NOT EXISTS (SELECT 1 FROM jobs)") ?? true
    }
  }

  /// The step that a model's newest checkpoint is of, as its files say; nil where none is left.
  package func setNewestStep(_ step: Int?, ofModel id: String) throws {
    try database.write { db in try db.execute(sql: "UPDATE models SET newest_step = ? WHERE id = ?", arguments: [step, id]) }
  }
}
