import Files
import HTTPTypes

/// The low-water mark of the disks: what is left below it is for checkpoints, the record and answers, not for anything new.
///
/// A disk that is quite full stops running jobs and the record itself; one that is refused new things at the mark goes on.
struct FreeSpace: Sendable {
  let folders: [String]
  let bytesMin: Int

  /// Throws a 507 where one of the disks would have less than the mark left.
  /// - Parameter bytes: what is about to be written.
  func require(_ bytes: Int = 0) throws {
    for folder in folders {
      let free = try Disk.freeBytes(at: folder)
      guard free - bytes < bytesMin else { continue }
      throw Problem(
        .insufficientStorage,
        "the disk has \(free) bytes left, of which \(bytesMin) are kept free for running jobs; delete datasets or models, or try later",
        headers: [.retryAfter: "60"])
    }
  }
}
