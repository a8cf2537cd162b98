import Foundation

/// What a power cut would have left of a folder, from the journal of everything that was done to it: the changes that no sync has made
/// durable are taken back. A file's bytes are durable once the file was synced after them; a name once its folder was.
///
/// A cut may keep any part of what was not synced; this one keeps nothing, which is where a missing sync shows.
enum PowerCut {
  private struct Write {
    /// Where the file is now.
    var path: String
    let offset: Int
    let countBefore: Int
    let bytesBefore: Data
  }

  private enum NameChange {
    case made(String)
    case folderMade(String)
    case renamed(String, to: String, saved: String)
    case removed(String, saved: String)

    var path: String {
      switch self {
      case .made(let path), .folderMade(let path), .removed(let path, _), .renamed(_, let path, _): path
      }
    }
  }

  /// Call it when every process that wrote the journal is gone.
  /// - Returns: how many changes were taken back.
  static func apply(journal: String) throws -> Int {
    var writes: [Write] = []
    var names: [NameChange] = []
    let bytes = FileManager.default.contents(atPath: journal) ?? Data()
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0x0A) {
      let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ").map(String.init)
      rest = rest[(end + 1)...]
      switch words.first {
      case "W" where words.count == 5:
        let count = max(0, Int(words[4]) ?? 0)
        guard rest.count >= count else { break }
        writes.append(
          Write(path: words[1], offset: Int(words[2]) ?? 0, countBefore: Int(words[3]) ?? 0, bytesBefore: Data(rest.prefix(count))))
        rest = rest.dropFirst(count > 0 ? count + 1 : 0)
      case "S" where words.count == 2: writes.removeAll { $0.path == words[1] }
      case "F" where words.count == 2: names.removeAll { parent(of: $0.path) == words[1] }
      case "C" where words.count == 2: names.append(.made(words[1]))
      case "K" where words.count == 2: names.append(.folderMade(words[1]))
      case "U" where words.count == 3:
        for index in writes.indices where writes[index].path == words[1] { writes[index].path = words[2] }
        names.append(.removed(words[1], saved: words[2]))
      case "R" where words.count == 4:
        for index in writes.indices where writes[index].path == words[2] { writes[index].path = words[3] }
        for index in writes.indices where writes[index].path == words[1] { writes[index].path = words[2] }
        names.append(.renamed(words[1], to: words[2], saved: words[3]))
      default: break
      }
    }
    for write in writes.reversed() { undo(write) }
    for change in names.reversed() { undo(change) }
    return writes.count + names.count
  }

  private static func parent(of path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

  private static func undo(_ write: Write) {
    let file = open(write.path, O_WRONLY)
    guard file >= 0 else { return }
    defer { close(file) }
    _ = write.bytesBefore.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(write.offset)) }
    _ = ftruncate(file, off_t(write.countBefore))
  }

  private static func undo(_ change: NameChange) {
    switch change {
    case .made(let path): unlink(path)
    // What was in it has been taken back before.
    case .folderMade(let path): try? FileManager.default.removeItem(atPath: path)
    case .renamed(let old, let new, let saved):
      // One that was written down and not done yet has nothing to take back.
      if access(old, F_OK) != 0 { rename(new, old) }
      if saved != "-" { link(saved, new) }
    case .removed(let path, let saved):
      guard saved != "-", access(path, F_OK) != 0 else { return }
      try? FileManager.default.createDirectory(atPath: parent(of: path), withIntermediateDirectories: true)
      link(saved, path)
    }
  }
}
