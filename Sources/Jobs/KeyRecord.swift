import Foundation
import GRDB

/// A key of access as the record keeps it: never the key, only its digest.
package struct KeyRecord: Sendable, Equatable {
  package let id: String
  /// SHA-256 of the key's text, in hexadecimal digits.
  package let digest: String
  /// What it opens; the record does not know the words.
  package let scope: String
  package let name: String?
  package let createdAt: Date
  package let revokedAt: Date?

  package init(id: String, digest: String, scope: String, name: String?) {
    (self.id, self.digest, self.scope, self.name) = (id, digest, scope, name)
    (createdAt, revokedAt) = (.recordable, nil)
  }

  fileprivate init(_ row: Row) {
    (id, digest, scope, name) = (row["id"], row["digest"], row["scope"], row["name"])
    createdAt = Date(milliseconds: row["created_at"])
    revokedAt = (row["revoked_at"] as Int64?).map(Date.init(milliseconds:))
  }
}

extension Record {
  package func insert(_ key: KeyRecord) throws {
    try database.write { db in
      try db.execute(
        sql: "INSERT INTO keys (id, digest, scope, name, created_at) VALUES (?, ?, ?, ?, ?)",
        arguments: [key.id, key.digest, key.scope, key.name, key.createdAt.milliseconds])
    }
  }

  /// The oldest first, the revoked among them.
  package func keys() throws -> [KeyRecord] {
    try database.read { db in try Row.fetchAll(db, sql: "SELECT * FROM keys ORDER BY number").map { KeyRecord($0) } }
  }

  /// Revoking again changes nothing. False where there is no such key.
  package func revokeKey(_ id: String) throws -> Bool {
    try database.write { db in
      try db.execute(
        sql: "UPDATE keys SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?", arguments: [Date.recordable.milliseconds, id])
      return db.changesCount > 0
    }
  }
}
