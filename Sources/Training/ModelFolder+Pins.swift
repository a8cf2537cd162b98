import Files
import Glibc

/// Checkpoints that someone wants kept: a second name for the file, which whoever trains never removes. So a pin needs no word with the
/// worker, which may be replacing its checkpoints that very moment: either the file was there to be pinned, and stays, or it was not.
extension ModelFolder {
  static let pinPrefix = "pinned-"

  func pinPath(step: Int) -> String { "\(path)/\(Self.pinPrefix)\(step)\(Self.suffix)" }

  package func pinnedSteps() throws(Errno) -> [Int] { try steps(named: Self.pinPrefix) }

  /// Every step of which there is a checkpoint, ascending.
  package func keptSteps() throws(Errno) -> [Int] { Set(try steps() + pinnedSteps()).sorted() }

  /// The checkpoint of a step, for good: what a step's weights are never changes. Nil where it is not kept.
  package func checkpoint(step: Int) -> ModelCheckpoint? {
    let path = [checkpointPath(step: step), pinPath(step: step)].first { Disk.exists($0) }
    return path.map { ModelCheckpoint(path: $0, step: step, isFinal: true) }
  }

  /// Keeps a step's checkpoint whatever training does; on disk when it returns.
  /// - Returns: whether there is one.
  package func pin(step: Int) throws(Errno) -> Bool {
    do {
      try Disk.link(checkpointPath(step: step), as: pinPath(step: step))
    } catch {
      guard error.meansAbsent || error.code == EEXIST else { throw error }
      guard Disk.exists(pinPath(step: step)) else { return false }
      // Whoever pinned it may have been killed before the folder was on the disk.
      try Disk.syncFolder(path)
    }
    return true
  }

  /// Leaves a step's checkpoint to training again: it goes unless it is the newest or the best.
  /// - Returns: whether there was one, pinned or not.
  package func unpin(step: Int) throws(Errno) -> Bool {
    let isKept = checkpoint(step: step) != nil
    try Disk.removeTree(pinPath(step: step))
    if isKept { try Disk.syncFolder(path) }
    return isKept
  }
}
