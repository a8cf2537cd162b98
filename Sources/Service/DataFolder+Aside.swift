import Files
import Foundation
import Jobs
import Logging

/// What the record does not name at a start is moved aside, `DATA/aside/KIND/NAME`, and removed a week later.
///
/// A kill leaves such files, and nobody misses them. But so does a record that was put back from an older backup: what is newer than it is
/// then unknown to it, and would be lost for good, also for the newer record if that turns up. Put back in its place, that one finds its
/// files again at the next start.
extension DataFolder {
  private var aside: String { root + "/aside" }

  /// Chosen: over a weekend, and the days in which somebody notices.
  private static let asideSeconds = 7 * 86_400

  /// Brings back what the record names again, moves aside what it does not, and removes what has lain there for a week.
  /// - Parameter isLow: whether the disk is below its mark: then nothing stays of what lay there before.
  func sweep(for record: Record, isLow: Bool, logger: Logger) throws {
    try bringBack(for: record, logger)
    try removeOldAside(all: isLow, logger)
    for orphan in try orphans(of: record) {
      if orphan.kind == .origin {
        logger.notice("sweeping \(orphan.path): \(orphan.what)")
        try Disk.removeTree(orphan.path)
      } else {
        logger.warning(
          """
          moving \(orphan.path) to \(place(of: orphan.kind, orphan.name)), to be removed in a week: \(orphan.what). Many such mean an \
          older record than the data; the newer one, put back, finds them again
          """)
        try setAside(orphan)
      }
    }
  }

  /// Moves it aside, over what has lain there under its name.
  func setAside(_ orphan: Orphan) throws {
    let place = place(of: orphan.kind, orphan.name)
    try Disk.createFolders(Disk.folder(of: place))
    try Disk.removeTree(place)
    try Disk.move(orphan.path, to: place)
  }

  private func place(of kind: Orphan.Kind, _ name: String) -> String { "\(aside)/\(kind.rawValue)/\(name)" }

  private func namesAside(_ kind: Orphan.Kind) throws -> [String] {
    let folder = "\(aside)/\(kind.rawValue)"
    return Disk.exists(folder) ? try Disk.list(folder) : []
  }

  private func bringBack(for record: Record, _ logger: Logger) throws {
    let known: [(Orphan.Kind, Set<String>)] = [
      (.blob, try record.referencedBlobs()), (.model, try record.modelIDs()), (.job, try record.jobIDs()),
    ]
    for (kind, names) in known {
      for name in try namesAside(kind) where names.contains(name) {
        guard let home = home(of: kind, name), !Disk.exists(home) else { continue }
        logger.notice("bringing \(home) back: the record names it again")
        try Disk.createFolders(Disk.folder(of: home))
        try Disk.move(place(of: kind, name), to: home)
      }
    }
  }

  private func home(of kind: Orphan.Kind, _ name: String) -> String? {
    switch kind {
    case .blob: Digest(hex: name).map { blobs.path(of: $0) }
    case .model: modelFolder(name)
    case .job: "\(jobs)/\(name)"
    case .origin: nil
    }
  }

  /// Removes what has lain aside for a week.
  func removeOldAside(all: Bool = false, _ logger: Logger) throws {
    let oldest = Int(Date.now.timeIntervalSince1970) - Self.asideSeconds
    for kind in Orphan.Kind.allCases {
      for name in try namesAside(kind) {
        let place = place(of: kind, name)
        guard let since = try Disk.status(of: place)?.changedAt, all || since < oldest else { continue }
        let reason = all ? "the disk is almost full" : "a week is over"
        logger.notice("removing \(place), which nobody names", metadata: ["reason": "\(reason)"])
        try Disk.removeTree(place)
      }
    }
  }
}
