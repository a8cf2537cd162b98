import Files
import Foundation
import GRDB
import JSON
import Synchronization

/// The record of datasets, jobs, models and events: one SQLite file, and the only thing that says what is true.
///
/// What a method has returned from is on disk: SQLite runs in WAL with `synchronous=FULL`, so that a commit is an fsync, and a
/// `kill -9` or a power cut the next instant takes nothing back. Every change of a job is one transaction that writes its row, its
/// history and its event together.
///
/// A class because it owns the database's connections. Any thread may call it; writers wait for each other, readers for nobody.
package final class Record: Sendable {
  let database: DatabasePool

  /// How long a writer waits for another process that writes to the same file.
  static let busySeconds: TimeInterval = 10

  /// Opens or creates the file, looks whether it is whole, brings its tables up to date, and asserts what durability rests on.
  ///
  /// Throws `RecordError.damagedFile` for a file that is no record, or of which a page is damaged, and has changed nothing in it then: a
  /// server that went on with such a file might write what it misread over what can still be saved.
  package init(opening path: String) throws {
    do {
      try Record.requireWhole(path)
      database = try Record.pool(path)
      try Record.migrations.migrate(database)
    } catch {
      throw Record.trouble(error) == .damaged ? RecordError.damagedFile(path, detail: "\(error)") : error
    }
  }

  /// Looks at every page, but not at every entry of an index against its table: about a second for a gigabyte. By a connection that can't
  /// write, where opening a pool writes at once.
  private static func requireWhole(_ path: String) throws {
    guard let status = try Disk.status(of: path), status.bytes > 0 else { return }
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(Record.busySeconds)
    let database = try DatabaseQueue(path: path, configuration: configuration)
    let faults = try database.read { db in try String.fetchAll(db, sql: "PRAGMA quick_check(3)") }
    try database.close()
    guard faults == ["ok"] else { throw RecordError.damagedFile(path, detail: faults.joined(separator: "; ")) }
  }

  private static func pool(_ path: String) throws -> DatabasePool {
    var configuration = Configuration()
    configuration.label = "fount.record"
    configuration.busyMode = .timeout(Record.busySeconds)
    configuration.foreignKeysEnabled = true
    let database = try DatabasePool(path: path, configuration: configuration)
    // The pool sets NORMAL on its writer when it switches to WAL, so FULL comes after opening.
    try database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try Record.assertSetting("synchronous", reads: "2", in: db)
      try Record.assertSetting("journal_mode", reads: "wal", in: db)
      try Record.assertSetting("foreign_keys", reads: "1", in: db)
    }
    return database
  }

  /// Moves the log into the file, and ends the connections; a call that comes later throws.
  package func close() throws {
    _ = try database.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
    try database.close()
  }

  /// The id that this file got when it was made, and keeps: what says which data folder belongs to it.
  package func identity() throws -> String {
    try database.read { db in
      guard let id = try String.fetchOne(db, sql: "SELECT id FROM identity") else {
        throw RecordError.damagedRow(table: "identity", id: "1", detail: "it is not there")
      }
      return id
    }
  }

  /// The writer's level of `synchronous`: 2 is FULL.
  package func synchronousLevel() throws -> Int {
    try database.writeWithoutTransaction { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1 }
  }

  private static func assertSetting(_ name: String, reads wanted: String, in db: Database) throws {
    let found = try String.fetchOne(db, sql: "PRAGMA \(name)") ?? "nothing"
    guard found == wanted else { throw RecordError.settingRefused(name: name, wanted: wanted, found: found) }
  }
}

extension Date {
  /// Times are kept in whole milliseconds since 1970, so that what was written and what is read compare equal.
  var milliseconds: Int64 { Int64(exactly: (timeIntervalSince1970 * 1000).rounded()) ?? 0 }

  init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }

  /// Now, in the precision of the record.
  static var recordable: Date { Date(milliseconds: Date().milliseconds) }
}

extension Row {
  /// A column of serialized JSON; nil for NULL.
  func json(_ column: String, table: String, id: String) throws -> JSONValue? {
    guard let text: String = self[column] else { return nil }
    do {
      return try JSONValue(parsing: text)
    } catch {
      throw RecordError.damagedRow(table: table, id: id, detail: "\(column): \(error)")
    }
  }
}
