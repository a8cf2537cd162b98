import Glibc
import Synchronization

/// The right of one process to write in a folder, kept as long as the object lives and lost with the process, however it ends.
///
/// A lock of `fcntl` on `FOLDER/lock`, for it tells who holds it and works over NFS. Such a lock belongs to the process, not to
/// the descriptor: it does not exclude a second try from the same process, and goes when the process closes ANY descriptor of the file.
/// Hence the list of the files that this process has locked, which are never opened again. A class, for it owns the lock.
package final class FolderLock: Sendable {
  private let file: OpenFile
  private let identity: FileIdentity

  /// Locks a folder; nil when another process, or another `FolderLock` of this one, has it.
  package init?(locking folder: String) throws(Errno) {
    let path = Self.path(in: folder)
    let taken = try Self.ours.withLock { (ours) throws(Errno) -> OpenFile? in
      if let identity = try Self.identity(of: path), ours.contains(identity) { return nil }
      let file = try OpenFile(locking: path)
      guard try file.tryLocking() else { return nil }
      ours.insert(try file.status().identity)
      return file
    }
    guard let taken else { return nil }
    identity = try taken.status().identity
    file = taken
  }

  deinit {
    _ = Self.ours.withLock { $0.remove(identity) }
  }

  /// The process that has the folder locked; nil when it is free.
  package static func holder(of folder: String) throws(Errno) -> pid_t? {
    let path = path(in: folder)
    return try ours.withLock { (ours) throws(Errno) in
      guard let identity = try identity(of: path) else { return nil }
      if ours.contains(identity) { return getpid() }
      return try OpenFile(reading: path).lockHolder()
    }
  }

  private static let ours = Mutex<Set<FileIdentity>>([])

  /// The file that is locked.
  package static func path(in folder: String) -> String { "\(folder)/lock" }

  private static func identity(of path: String) throws(Errno) -> FileIdentity? { try Disk.status(of: path)?.identity }
}
