import Files
import HTTP
import HTTPTypes
import Jobs

/// A key that is in force.
struct AccessKey: Sendable {
  let id: String
  let digest: Digest
  let scope: AccessScope

  /// What every key begins with, so that people and scanners know one where it should not be.
  static let prefix = "fount_"

  /// Nil for a key that is revoked, or of a scope that is not known here.
  init?(_ record: KeyRecord) {
    guard record.revokedAt == nil, let digest = Digest(hex: record.digest), let scope = AccessScope(rawValue: record.scope) else {
      return nil
    }
    (id, self.digest, self.scope) = (record.id, digest, scope)
  }

  /// A fast digest does: nobody can try 2^256 keys.
  static func digest(of key: String) -> Digest { SHA256.of(Array(key.utf8)) }

  /// Takes the same time for any two digests.
  func isOf(_ other: Digest) -> Bool {
    var difference: UInt8 = 0
    for (a, b) in zip(digest.bytes, other.bytes) { difference |= a ^ b }
    return difference == 0
  }

  /// What a request presents: `Authorization: Bearer KEY` (RFC 6750 §2.1). Nil where it presents nothing of the kind.
  static func presented(by head: RequestHead) -> String? {
    guard let field = head.fields[.authorization] else { return nil }
    let parts = field.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return String(parts[1].drop { $0 == " " })
  }
}
