import Foundation
import GRDB

/// The queue: which job is next, and how many go before one.
///
/// Owners take turns, so that nobody waits for another's thousand jobs; an owner's own jobs go by priority, the oldest first among
/// equals. An owner who is served goes to the end of the round (`owners.turn`), and a new one joins there. All jobs together are thus
/// in one order: by their rank among their owner's, then by their owner's turn.
extension Record {
  /// The queued job whose turn it is is running from now on, as its next attempt.
  ///
  /// - Parameter resting: jobs that are passed over, such as one whose worker has just died.
  package func claimNext(except resting: Set<String> = []) throws -> JobRecord? {
    try database.write { db in
      let passedOver = resting.isEmpty ? "" : "AND id NOT IN (\(Array(repeating: "?", count: resting.count).joined(separator: ", ")))"
      let next = "\(Record.ranked(where: passedOver)) SELECT id, owner FROM ranked ORDER BY rank, turn LIMIT 1"
      while let row = try Row.fetchOne(db, sql: next, arguments: StatementArguments(resting.sorted())) {
        let (id, owner): (String, String) = (row["id"], row["owner"])
        let now = Date.recordable
        guard try Record.isReadable(id, orFailedAt: now, in: db) else { continue }
        try db.execute(sql: "UPDATE owners SET turn = (SELECT MAX(turn) + 1 FROM owners) WHERE owner = ?", arguments: [owner])
        try db.execute(sql: "UPDATE jobs SET attempt = attempt + 1 WHERE id = ?", arguments: [id])
        try Record.enter(.running, job: id, at: now, in: db)
        return try Record.existingJob(id, in: db)
      }
      return nil
    }
  }

  /// How many queued jobs go before this one; nil where it is not queued.
  package func queuePosition(of id: String) throws -> Int? {
    try database.read { db in try Record.queuePosition(of: id, in: db) }
  }

  /// How many queued jobs go before each of them, for lists: all in one look.
  package func queuePositions() throws -> [String: Int] {
    try database.read { db in
      var positions: [String: Int] = [:]
      for (position, id) in try String.fetchAll(db, sql: "\(Record.ranked()) SELECT id FROM ranked ORDER BY rank, turn").enumerated() {
        positions[id] = position
      }
      return positions
    }
  }

  static func queuePosition(of id: String, in db: Database) throws -> Int? {
    try Int.fetchOne(
      db,
      sql: """
        \(ranked()) SELECT (SELECT COUNT(*) FROM ranked AS other WHERE (other.rank, other.turn) < (job.rank, job.turn))
        FROM ranked AS job WHERE job.id = ?
        """,
      arguments: [id])
  }

  /// Jobs of the owner that have neither a worker nor an end.
  static func waitingCount(of owner: String, in db: Database) throws -> Int {
    try Int.fetchOne(
      db, sql: "SELECT COUNT(*) FROM jobs WHERE status IN ('queued', 'paused', 'interrupted') AND owner = ?", arguments: [owner]) ?? 0
  }

  /// An owner who is new joins at the end of the round.
  static func giveTurn(to owner: String, in db: Database) throws {
    try db.execute(
      sql: "INSERT OR IGNORE INTO owners (owner, turn) SELECT ?, COALESCE(MAX(turn), 0) + 1 FROM owners", arguments: [owner])
  }

  private static func ranked(where condition: String = "") -> String {
    """
    WITH ranked AS (
      SELECT id, jobs.owner AS owner, turn, ROW_NUMBER() OVER (PARTITION BY jobs.owner ORDER BY priority DESC, number) AS rank
      FROM jobs JOIN owners ON owners.owner = jobs.owner WHERE status = 'queued' \(condition)
    )
    """
  }
}
