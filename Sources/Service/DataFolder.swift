import Files
import HTTP

/// Where everything lies on disk. Only this file knows a path's shape.
///
/// ```
/// DATA/lock                              held by the one server of this folder
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

  func modelFolder(_ id: String) -> String { "\(models)/\(id)" }

  /// A file to be sent; nil where there is none.
  func openedFile(_ path: String) throws -> ServedFile? {
    do throws(SystemCallError) { return try ServedFile(opening: path) } catch  where error.meansAbsent { return nil }
  }

  /// Makes the folders that are missing, and empties `incoming`: what lies there was never acknowledged.
  ///
  /// Call it with the folder's lock held.
  init(root: String, databaseFolder: String) throws {
    self.root = root
    databasePath = databaseFolder + "/fount.sqlite"
    try Disk.removeTree(root + "/incoming")
    for folder in [databaseFolder, root + "/incoming/bodies", root + "/jobs", root + "/models"] { try Disk.createFolders(folder) }
    blobs = try BlobStore(root: root + "/blobs")
  }
}
