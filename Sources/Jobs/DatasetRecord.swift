import Foundation
import JSON

/// A dataset as the record has it. Its bytes are a blob; this says which one and what it holds.
package struct DatasetRecord: Sendable, Hashable {
  package var id: String
  package var name: String?
  /// sha256 of the bytes as uploaded, in hex.
  package var uploadDigest: String
  /// sha256 of the decoded examples, in hex: the name of their blob.
  package var blobDigest: String
  /// How large that blob is.
  package var blobBytes: Int
  /// How large the upload was.
  package var bytes: Int
  package var description: JSONValue
  package var createdAt: Date

  package init(
    id: String, name: String?, uploadDigest: String, blobDigest: String, blobBytes: Int, bytes: Int, description: JSONValue,
    createdAt: Date = Date()
  ) {
    self.id = id
    self.name = name
    self.uploadDigest = uploadDigest
    self.blobDigest = blobDigest
    self.blobBytes = blobBytes
    self.bytes = bytes
    self.description = description
    self.createdAt = createdAt
  }
}
