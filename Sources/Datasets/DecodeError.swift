import Files
import Glibc
import JSON

/// Why an upload made no dataset: where in it the fault is, what was found there, and what is allowed.
package struct DecodeError: Error, Hashable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The bytes contradict their own format.
    case malformed
    /// Sound, but of a sort that no dataset is made of.
    case unsupported
    /// More than a limit allows.
    case tooLarge = "too_large"
    /// The server's own disk failed: not the upload's fault.
    case disk
  }

  package let kind: Kind
  /// The part of the upload, as in `IDX header, dimension 1` or `example 3, number 17`.
  package let subject: String
  /// What was found, and what is allowed.
  package let detail: String
  /// The byte where it is; in a compressed upload, of the decompressed bytes. Nil where it is in no one place.
  package let offset: Int?
  package let isCompressed: Bool
  /// The disk's failure, for `disk` alone.
  package let errno: Errno?

  init(_ kind: Kind, _ subject: String, _ detail: String, offset: Int? = nil, isCompressed: Bool = false, errno: Errno? = nil) {
    self.kind = kind
    self.subject = subject
    self.detail = detail
    self.offset = offset
    self.isCompressed = isCompressed
    self.errno = errno
  }

  /// A failed call on a file. Too long a file is the upload's fault: the limit on its size is a limit on what an upload may become.
  init(disk errno: Errno) {
    if errno.code == EFBIG {
      self.init(.tooLarge, "the decoded examples", "take more bytes than a file of this process may have", errno: errno)
    } else {
      self.init(.disk, "the server's disk", errno.description, errno: errno)
    }
  }

  /// Makes a call on a file, whose failure becomes an error of decoding.
  static func onDisk<Result: ~Copyable>(_ call: () throws(Errno) -> Result) throws(DecodeError) -> Result {
    do { return try call() } catch { throw DecodeError(disk: error) }
  }

  /// As in `IDX header, dimension 1, at byte 8: is 0; must be 1 or more`.
  package var description: String {
    guard let offset else { return "\(subject): \(detail)" }
    return "\(subject), at byte \(offset)\(isCompressed ? " of the decompressed data" : ""): \(detail)"
  }

  /// What the decoder prints for its parent to read: one line.
  package var json: JSONValue {
    ["detail": .string(description), "offset": JSONValue(offset), "kind": .string(kind.rawValue)]
  }
}
