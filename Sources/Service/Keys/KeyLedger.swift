import Files
import Foundation
import Jobs

/// The keys in the record, as an operator deals with them: `fount key`. A server that runs learns of a change within a second.
package struct KeyLedger {
  private let record: Record

  package init(_ configuration: ServiceConfiguration) throws {
    try Disk.createFolders(configuration.database)
    record = try Record(opening: DataFolder.databasePath(in: configuration.database))
  }

  init(_ record: Record) { self.record = record }

  /// Makes a key of 256 random bits, of which the record keeps the digest alone.
  /// - Returns: the key, which nobody can tell again, and its id.
  package func create(scope: AccessScope, name: String?) throws -> (key: String, id: String) {
    let key = AccessKey.prefix + randomBytes(count: 32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let kept = KeyRecord(id: Identifier.random(prefix: "key"), digest: AccessKey.digest(of: key).hex, scope: scope.rawValue, name: name)
    try record.insert(kept)
    return (key, kept.id)
  }

  package func list() throws -> [KeyRecord] { try record.keys() }

  /// False where there is no such key.
  package func revoke(_ id: String) throws -> Bool { try record.revokeKey(id) }
}
