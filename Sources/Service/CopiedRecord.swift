import Files
import Foundation

/// The record's file and its log, copied into the temporary folder: SQLite can't read a database in WAL without writing beside it. A class
/// because it removes the copy.
final class CopiedRecord {
  private let folder: String
  let path: String

  /// Call it while no server has the record.
  init(of database: String) throws {
    folder = "\(NSTemporaryDirectory())/fount-check-\(UUID().uuidString)"
    path = "\(folder)/fount.sqlite"
    try Disk.createFolders(folder)
    for ending in ["", "-wal"] where Disk.exists(database + ending) {
      try FileManager.default.copyItem(atPath: database + ending, toPath: path + ending)
    }
  }

  deinit { try? Disk.removeTree(folder) }  // What stays behind is in the temporary folder.
}
