import Foundation
import GRDB

/// A request that its client may send again after a broken connection, and means once.
package struct KeyedRequest: Sendable, Hashable {
  package var owner: String
  /// As the client chose it.
  package var key: String
  /// A digest of all that the request asks: the same key with another is a mistake.
  package var fingerprint: String

  package init(owner: String = "", key: String, fingerprint: String) {
    self.owner = owner
    self.key = key
    self.fingerprint = fingerprint
  }
}

/// An answer as it was given, to be given again.
package struct KeptAnswer: Sendable, Hashable {
  package var status: Int
  package var location: String?
  package var body: [UInt8]

  package init(status: Int, location: String?, body: [UInt8]) {
    self.status = status
    self.location = location
    self.body = body
  }
}

/// Answers to keyed requests, kept for a day in the transaction that did what they tell: a repeat finds either both or neither.
extension Record {
  /// How long a key is remembered (the interface's 24 hours).
  private static let answerSeconds: TimeInterval = 24 * 3600

  /// What the same request was answered, nil for a new one. Throws `keyReused` where the key was another request's.
  package func answer(to request: KeyedRequest) throws -> KeptAnswer? {
    try database.read { db in try Record.answer(to: request, in: db) }
  }

  /// Keeps the answer to something that is not in the record, once it is made.
  /// - Returns: an earlier answer to the same request, where there is one; nothing has been kept then. Nil where this one is kept.
  package func keep(_ answer: KeptAnswer, to request: KeyedRequest) throws -> KeptAnswer? {
    try database.write { db in
      if let earlier = try Record.answer(to: request, in: db) { return earlier }
      try Record.keep(answer, to: request, in: db)
      return nil
    }
  }

  static func answer(to request: KeyedRequest, in db: Database) throws -> KeptAnswer? {
    let row = try Row.fetchOne(
      db, sql: "SELECT * FROM answers WHERE owner = ? AND key = ? AND created_at > ?",
      arguments: [request.owner, request.key, oldestKept])
    guard let row else { return nil }
    guard row["fingerprint"] == request.fingerprint else { throw RecordError.keyReused(request.key) }
    let body: Data = row["body"]
    return KeptAnswer(status: row["status"], location: row["location"], body: Array(body))
  }

  static func keep(_ answer: KeptAnswer, to request: KeyedRequest, in db: Database) throws {
    try db.execute(sql: "DELETE FROM answers WHERE created_at <= ?", arguments: [oldestKept])
    try db.execute(
      sql: "INSERT INTO answers (owner, key, fingerprint, status, location, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        request.owner, request.key, request.fingerprint, answer.status, answer.location, Data(answer.body), Date.recordable.milliseconds,
      ])
  }

  private static var oldestKept: Int64 { Date(timeIntervalSinceNow: -answerSeconds).milliseconds }
}
