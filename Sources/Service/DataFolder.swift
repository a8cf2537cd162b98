import Files
import Foundation
import HTTP
import Jobs

/// Where everything lies on disk. Only this file knows a path's shape.
///
/// ```
/// DATA/lock                              held by the one server of this folder
/// DATA/record                            the id of the record that these data belong to
/// DATA/blobs/sha256/ab/abcd…             decoded examples, named by their contents
/// DATA/jobs/<id>/                        what a worker and the pool tell each other
/// DATA/models/<id>/checkpoint-<step>.safetensors
/// DATA/models/<id>/pinned-<step>.safetensors   a second name for a checkpoint that is to stay
/// DATA/incoming/                         uploads and their decoding, emptied at every start
/// DATABASE/fount.sqlite                  the record
/// ```
struct DataFolder: Sendable {
  let root: String
  let databasePath: String
  let blobs: BlobStore

  var incoming: String { root + "/incoming" }
  var jobs: String { root + "/jobs" }
  var models: String { root + "/models" }

  static func databasePath(in folder: String) -> String { folder + "/fount.sqlite" }

  func modelFolder(_ id: String) -> String { "\(models)/\(id)" }

  /// A file to be sent; nil where there is none.
  func openedFile(_ path: String) throws -> ServedFile? {
    do throws(SystemCallError) { return try ServedFile(opening: path) } catch  where error.meansAbsent { return nil }
  }

  init(root: String, databaseFolder: String) throws {
    self.root = root
    databasePath = Self.databasePath(in: databaseFolder)
    for folder in [databaseFolder, root + "/jobs", root + "/models"] { try Disk.createFolders(folder) }
    blobs = try BlobStore(root: root + "/blobs")
  }

  /// How long a decoder of a dead server may take to see that it is gone. Chosen.
  private static let strayDecoderSeconds = 10.0

  /// Empties `incoming`: what lies there was never acknowledged. Call it with the folder's lock held.
  func emptyIncoming() throws {
    let end = ContinuousClock.now + .seconds(Self.strayDecoderSeconds)
    while try !isRemoved(incoming, mayFail: ContinuousClock.now < end) { Thread.sleep(forTimeInterval: 0.05) }
    try Disk.createFolders(incoming + "/bodies")
  }

  /// False where a decoder has put something in while the rest was removed, and it `mayFail`.
  private func isRemoved(_ path: String, mayFail: Bool) throws -> Bool {
    do {
      try Disk.removeTree(path)
      return true
    } catch {
      guard mayFail, error.code == ENOTEMPTY else { throw error }
      return false
    }
  }

  /// Ties the data to their record, at the first start: with another record, such as an empty one in a mistyped folder, every blob and
  /// every model would be nobody's.
  /// - Throws: `StartRefused` where the data are another record's.
  func claim(for record: Record) throws {
    let identity = try record.identity()
    let path = root + "/record"
    if Disk.exists(path) {
      let owner = String(decoding: try Disk.read(path, bytesMax: 1 << 10), as: UTF8.self)
      guard owner == identity + "\n" else {
        throw StartRefused(
          "the data folder \(root) belongs to another record than \(databasePath); give the right database folder, or remove \(path) "
            + "if the old record is lost for good: what the new one does not know is then removed")
      }
    } else {
      if try record.isEmpty(), try !orphans(of: record).isEmpty {
        throw StartRefused("the data folder \(root) holds data, and the record \(databasePath) is empty; give the right database folder")
      }
      try Disk.replace(path, with: Array((identity + "\n").utf8))
    }
  }
}
