import GRDB
import JSON

extension Record {
  /// Whether an insert has made something new.
  package enum Insertion: Sendable, Hashable { case new, known }

  /// Inserts a dataset and keeps what its uploader is told, in the same transaction. Idempotent by id: the first one stays, and the second
  /// answer tells it as it is.
  ///
  /// - Parameters:
  ///   - bytesMax: what the blobs of all datasets may take together.
  ///   - request: nil for one without a key, whose answer is not kept.
  /// - Returns: the answer, which is an earlier one where the same request had one; nothing was added then.
  package func insertDataset(
    _ dataset: DatasetRecord, bytesMax: Int, once request: KeyedRequest?, answer: (DatasetRecord, Insertion) throws -> KeptAnswer
  ) throws -> (answer: KeptAnswer, isRepeated: Bool) {
    try database.write { db in
      if let request, let kept = try Record.answer(to: request, in: db) { return (kept, true) }
      let (dataset, insertion) = try Record.insert(dataset, bytesMax: bytesMax, in: db)
      let answer = try answer(dataset, insertion)
      if let request { try Record.keep(answer, to: request, in: db) }
      return (answer, false)
    }
  }

  private static func insert(
    _ dataset: DatasetRecord, bytesMax: Int, in db: Database
  ) throws -> (dataset: DatasetRecord, insertion: Insertion) {
    if let known = try Record.dataset(dataset.id, in: db) { return (known, .known) }
    if try !blobIsReferenced(dataset.blobDigest, in: db), dataset.blobBytes > bytesMax - (try blobBytes(in: db)) {
      throw RecordError.datasetsFull(bytesMax: bytesMax, bytes: dataset.blobBytes)
    }
    var dataset = dataset
    dataset.createdAt = .init(milliseconds: dataset.createdAt.milliseconds)
    try db.execute(
      sql: """
        INSERT INTO datasets (id, name, upload_digest, blob_digest, blob_bytes, bytes, description, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        dataset.id, dataset.name, dataset.uploadDigest, dataset.blobDigest, dataset.blobBytes, dataset.bytes,
        dataset.description.serialized(), dataset.createdAt.milliseconds,
      ])
    return (dataset, .new)
  }

  package func dataset(_ id: String) throws -> DatasetRecord? {
    try database.read { db in try Record.dataset(id, in: db) }
  }

  /// Refused while an unfinished job holds the dataset. Its blob is the caller's to remove, once `blobIsReferenced` says no.
  /// - Returns: what was deleted.
  @discardableResult
  package func deleteDataset(_ id: String) throws -> DatasetRecord {
    try database.write { db in
      guard let dataset = try Record.dataset(id, in: db) else { throw RecordError.unknownDataset(id) }
      let holder = try String.fetchOne(
        db,
        sql: """
          SELECT jobs.id FROM jobs JOIN job_datasets ON job_datasets.job = jobs.id
          WHERE job_datasets.dataset = ? AND jobs.status NOT IN ('succeeded', 'failed', 'cancelled') LIMIT 1
          """,
        arguments: [id])
      if let holder { throw RecordError.inUse(id, byJob: holder) }
      try db.execute(sql: "DELETE FROM datasets WHERE id = ?", arguments: [id])
      return dataset
    }
  }

  /// Two uploads that decode to the same examples share a blob.
  package func blobIsReferenced(_ digest: String) throws -> Bool {
    try database.read { db in try Record.blobIsReferenced(digest, in: db) }
  }

  private static func blobIsReferenced(_ digest: String, in db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM datasets WHERE blob_digest = ?)", arguments: [digest]) ?? false
  }

  /// The bytes of all blobs together, a shared one once.
  package func blobBytes() throws -> Int { try database.read { db in try Record.blobBytes(in: db) } }

  private static func blobBytes(in db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "SELECT COALESCE(SUM(blob_bytes), 0) FROM (SELECT DISTINCT blob_digest, blob_bytes FROM datasets)") ?? 0
  }

  static func dataset(_ id: String, in db: Database) throws -> DatasetRecord? {
    try Row.fetchOne(db, sql: "SELECT * FROM datasets WHERE id = ?", arguments: [id]).map { try DatasetRecord(row: $0) }
  }
}

extension DatasetRecord {
  init(row: Row) throws {
    let id: String = row["id"]
    self.init(
      id: id, name: row["name"], uploadDigest: row["upload_digest"], blobDigest: row["blob_digest"],
      blobBytes: row["blob_bytes"], bytes: row["bytes"], description: try row.json("description", table: "datasets", id: id) ?? .null,
      createdAt: .init(milliseconds: row["created_at"]))
  }
}
