import Glibc

/// A file being written beside its final name, and renamed onto it when it is complete and on the disk.
///
/// Dropped without `commit`, or after a failed write, nothing of it stays. A process killed half-way leaves `NAME.staged-…`,
/// which no reader looks at and `sweep` removes.
package struct StagedFile: ~Copyable {
  package let path: String
  private let staged: String
  private let file: OpenFile
  private var isCommitted = false

  /// - Parameter path: the final name; its folder must be there.
  package init(for path: String) throws(Errno) {
    self.path = path
    staged = "\(path)\(Self.mark)\(Identifier.randomText())"
    file = try OpenFile(creating: staged)
  }

  deinit {
    // A staged file that can't be removed now is the sweep's to remove.
    if !isCommitted { try? PathCalls.removeFile(staged) }
  }

  package func write(_ bytes: Span<UInt8>) throws(Errno) { try file.write(bytes) }

  package func write(_ bytes: Span<UInt8>, at offset: Int) throws(Errno) { try file.write(bytes, at: offset) }

  /// Reads back what was written from `offset` on into the part `range` of `bytes`, all of it: less is an I/O error.
  package func readAll(into bytes: inout [UInt8], _ range: Range<Int>, at offset: Int) throws(Errno) {
    var done = 0
    while done < range.count {
      let rest = range.lowerBound + done..<range.upperBound
      let count = try file.read(into: &bytes, rest, at: offset + done)
      guard count > 0 else { throw Errno(code: EIO, operation: "read", path: staged) }
      done += count
    }
  }

  /// Puts the file under its final name, on the disk.
  package mutating func commit() throws(Errno) {
    try file.sync()
    try PathCalls.rename(staged, to: path)
    isCommitted = true
    try Disk.syncFolder(Disk.folder(of: path))
  }

  private static let mark = ".staged-"

  /// Whether a file of that name is one that was never finished.
  package static func isStaged(_ name: String) -> Bool { name.contains(mark) }

  /// Removes what killed processes left staged in a folder. Call it only where no process is writing.
  package static func sweep(_ folder: String) throws(Errno) {
    for name in try Disk.list(folder) where isStaged(name) { try Disk.removeTree("\(folder)/\(name)") }
  }
}
