import Glibc

/// Files named by the SHA-256 of what is in them, under `ROOT/sha256/ab/abcd…`: the same bytes are stored once, and never change.
package struct BlobStore: Sendable {
  private let folder: String

  /// Nothing is made on the disk before the first blob comes.
  package init(root: String) { folder = "\(root)/sha256" }

  package func path(of digest: Digest) -> String { "\(folder)/\(digest.hex.prefix(2))/\(digest.hex)" }

  package func contains(_ digest: Digest) -> Bool { Disk.exists(path(of: digest)) }

  /// Moves a file of the same file system in. When it returns, the bytes and their name are on the disk.
  ///
  /// A blob that is there already stays, and the staged file is removed. A repeat after a crash or a success is fine: then the
  /// staged file is gone and the blob is there.
  /// - Parameter digest: of the file's bytes, as its writer computed it.
  package func adopt(_ stagedFile: String, digest: Digest) throws(Errno) {
    let blob = path(of: digest)
    if Disk.exists(blob) {
      try Disk.removeTree(stagedFile)
      return try Disk.syncFolder(Disk.folder(of: blob))
    }
    try Disk.createFolders(Disk.folder(of: blob))
    try OpenFile(reading: stagedFile).sync()
    try Disk.move(stagedFile, to: blob)
  }

  /// One that is absent is fine.
  package func remove(_ digest: Digest) throws(Errno) {
    try Disk.removeTree(path(of: digest))
    do { try Disk.syncFolder(Disk.folder(of: path(of: digest))) } catch  where error.meansAbsent { return }
  }

  /// Every blob, in the order of their digests.
  package func all() throws(Errno) -> [Digest] {
    var digests: [Digest] = []
    guard Disk.exists(folder) else { return [] }
    for name in try Disk.list(folder) where name.utf8.count == 2 {
      digests += try Disk.list("\(folder)/\(name)").compactMap(Digest.init(hex:))
    }
    return digests
  }
}
