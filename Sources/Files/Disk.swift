import Glibc

/// Files and folders by path, so that what a call wrote is there after a crash, whole, or not at all.
///
/// A name in a folder is on the disk when the folder has been synced, which is why every call here that makes, moves or replaces
/// a name ends with that.
package enum Disk {
  /// Puts `bytes` under `path`: after a crash at any moment it holds the old bytes or the new ones, never a part.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(Errno) {
    var staged = try StagedFile(for: path)
    try staged.write(bytes.span)
    try staged.commit()
  }

  /// Every byte of a file.
  /// - Parameter bytesMax: a longer file is refused with EFBIG.
  package static func read(_ path: String, bytesMax: Int) throws(Errno) -> [UInt8] {
    let file = try OpenFile(reading: path)
    let expected = try file.status().bytes
    guard expected <= bytesMax else { throw Errno(code: EFBIG, operation: "read", path: path) }
    var bytes = [UInt8](repeating: 0, count: expected)
    var done = 0
    while done < bytes.count {
      let count = try file.read(into: &bytes, from: done)
      if count == 0 { break }
      done += count
    }
    return done == bytes.count ? bytes : Array(bytes[..<done])
  }

  /// Makes a folder and those above it; one that is there is fine.
  package static func createFolders(_ path: String) throws(Errno) {
    if isFolder(path) { return }
    let above = folder(of: path)
    if above != path { try createFolders(above) }
    do {
      try PathCalls.makeFolder(path)
      try syncFolder(above)
    } catch  where error.code == EEXIST && isFolder(path) {
      return
    }
  }

  /// Returns when what was written into a file is on the disk.
  package static func sync(_ path: String) throws(Errno) { try OpenFile(reading: path).sync() }

  /// Returns when the names in the folder are on the disk.
  package static func syncFolder(_ path: String) throws(Errno) { try OpenFile(folder: path).sync() }

  /// Removes a file, or a folder with all that is in it; what is absent is fine. Links are removed, never followed.
  package static func removeTree(_ path: String) throws(Errno) {
    do {
      if try PathCalls.status(of: path).isFolder {
        for name in try PathCalls.names(in: path) { try removeTree("\(path)/\(name)") }
        try PathCalls.removeFolder(path)
      } else {
        try PathCalls.removeFile(path)
      }
    } catch  where error.meansAbsent {
      return
    }
  }

  /// The names in a folder, sorted.
  package static func list(_ folder: String) throws(Errno) -> [String] { try PathCalls.names(in: folder).sorted() }

  /// Renames within one file system, over what was there, and syncs both folders.
  package static func move(_ path: String, to destination: String) throws(Errno) {
    try PathCalls.rename(path, to: destination)
    let (source, target) = (folder(of: path), folder(of: destination))
    try syncFolder(target)
    if source != target { try syncFolder(source) }
  }

  /// Gives a file a second name on the same disk, which keeps it when the first is removed.
  package static func link(_ path: String, as name: String) throws(Errno) {
    try PathCalls.link(path, as: name)
    try syncFolder(folder(of: name))
  }

  /// What a path is; nil when nothing is there. A link counts as itself.
  package static func status(of path: String) throws(Errno) -> FileStatus? {
    do { return try PathCalls.status(of: path) } catch  where error.meansAbsent { return nil }
  }

  /// How many bytes an unprivileged process may still write on the disk that holds `path`.
  package static func freeBytes(at path: String) throws(Errno) -> Int { try PathCalls.freeBytes(at: path) }

  package static func exists(_ path: String) -> Bool {
    // An unreadable path is absent to its reader.
    (try? PathCalls.status(of: path)) != nil
  }

  private static func isFolder(_ path: String) -> Bool {
    // The folder's own sync follows links, as this does: a data folder may be a link to a larger disk.
    (try? OpenFile(folder: path)) != nil
  }

  /// The folder that a path stands in: `.` for a bare name.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
