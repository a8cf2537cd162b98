import Glibc

/// A failed call of the operating system: what was tried, on which path, and why it failed.
package struct Errno: Error, Hashable {
  package let code: Int32
  package let operation: String
  package let path: String

  package init(code: Int32, operation: String, path: String) {
    self.code = code
    self.operation = operation
    self.path = path
  }

  /// The disk, or this user's part of it, is full.
  package var meansDiskFull: Bool { code == ENOSPC || code == EDQUOT }

  /// The disk, or its place in the tree, takes no writing.
  package var meansReadOnly: Bool { code == EROFS }

  /// What was written may not be on the disk, for the disk failed.
  package var meansFailedWrite: Bool { code == EIO && !["read", "open", "opendir", "readdir", "stat", "fstat"].contains(operation) }

  /// Nothing has that path.
  package var meansAbsent: Bool { code == ENOENT || code == ENOTDIR }
}

extension Errno: CustomStringConvertible {
  /// As in `fsync /a/b: No space left on device (ENOSPC)`.
  package var description: String { "\(operation) \(path): \(reason)" }

  /// As in `No space left on device (ENOSPC)`.
  package var reason: String { "\(text(ofErrno: code)) (\(Self.names[code] ?? "errno \(code)"))" }

  /// The codes that file calls give in practice; any other is shown as its number.
  private static let names: [Int32: String] = [
    EACCES: "EACCES", EAGAIN: "EAGAIN", EBADF: "EBADF", EBUSY: "EBUSY", EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFBIG: "EFBIG",
    EINVAL: "EINVAL", EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", ENAMETOOLONG: "ENAMETOOLONG", ENFILE: "ENFILE",
    ENODEV: "ENODEV", ENOENT: "ENOENT", ENOLCK: "ENOLCK", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOTDIR: "ENOTDIR",
    ENOTEMPTY: "ENOTEMPTY", EPERM: "EPERM", EROFS: "EROFS", ESTALE: "ESTALE", ETXTBSY: "ETXTBSY", EXDEV: "EXDEV",
  ]
}
