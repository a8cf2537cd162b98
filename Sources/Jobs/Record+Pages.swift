import GRDB

/// Lists, newest first, a page at a time. A page's `next` is a row's number, so that it stays good when that row is deleted;
/// `after` takes an id just as well.
extension Record {
  package func datasets(limit: Int = 20, after: String? = nil) throws -> Page<DatasetRecord> {
    try database.read { db in
      try Record.page(of: "datasets", limit: limit, after: after, in: db) { try DatasetRecord(row: $0) }
    }
  }

  /// Models that have a checkpoint to sample from.
  package func models(family: String? = nil, dataset: String? = nil, limit: Int = 20, after: String? = nil) throws -> Page<ModelRecord> {
    var conditions = [Condition(sql: "newest_step IS NOT NULL")]
    if let family { conditions.append(Condition(sql: "family = ?", value: family)) }
    if let dataset { conditions.append(Condition(sql: "dataset = ?", value: dataset)) }
    return try database.read { db in
      try Record.page(of: "models", where: conditions, limit: limit, after: after, in: db) { try ModelRecord(row: $0) }
    }
  }

  package func jobs(
    status: JobStatus? = nil, family: String? = nil, dataset: String? = nil, limit: Int = 20, after: String? = nil
  ) throws -> Page<JobRecord> {
    var conditions: [Condition] = []
    if let status { conditions.append(Condition(sql: "status = ?", value: status.rawValue)) }
    if let family { conditions.append(Condition(sql: "family = ?", value: family)) }
    if let dataset { conditions.append(Condition(sql: "id IN (SELECT job FROM job_datasets WHERE dataset = ?)", value: dataset)) }
    return try database.read { db in
      try Record.page(of: "jobs", where: conditions, limit: limit, after: after, in: db) { try JobRecord(row: $0, in: db) }
    }
  }

  /// One part of a `WHERE`: text of ours, and what came from outside as a bound value.
  private struct Condition {
    var sql: String
    var value: (any DatabaseValueConvertible)?
  }

  private static func page<Item: Sendable>(
    of table: String, where conditions: [Condition] = [], limit: Int, after: String?, in db: Database, make: (Row) throws -> Item
  ) throws -> Page<Item> {
    precondition(limit >= 1, "a page holds 1 item or more, not \(limit)")
    var conditions = conditions
    if let after {
      conditions.append(Condition(sql: "number < ?", value: try number(at: after, in: table, db)))
    }
    let filter = conditions.isEmpty ? "" : "WHERE " + conditions.map(\.sql).joined(separator: " AND ")
    // One row more than asked for says whether there is a next page.
    let (rowsMax, overflow) = limit.addingReportingOverflow(1)
    let rows = try Row.fetchAll(
      db, sql: "SELECT * FROM \(table) \(filter) ORDER BY number DESC LIMIT ?",
      arguments: StatementArguments(conditions.compactMap(\.value) + [overflow ? limit : rowsMax]))
    let shown = rows.prefix(limit)
    let last: Int64? = rows.count > limit ? shown.last?["number"] : nil
    let items = try shown.compactMap { row in
      // One that can't be read hides no other; `faults` tells of it.
      do { return try make(row) } catch is RecordError { return nil }
    }
    return Page(items: items, next: last.map(String.init))
  }

  private static func number(at cursor: String, in table: String, _ db: Database) throws -> Int64 {
    if let number = Int64(cursor), number >= 0 { return number }
    guard let number = try Int64.fetchOne(db, sql: "SELECT number FROM \(table) WHERE id = ?", arguments: [cursor]) else {
      throw RecordError.unknownCursor(cursor)
    }
    return number
  }
}
