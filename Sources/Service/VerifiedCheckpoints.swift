import Files
import Synchronization
import Training

/// The checkpoints whose bytes have been found to be those that were written.
///
/// A file is read through when it is first used, and again when it has changed: a sampler would find damage too, but what a request gets
/// in place of a damaged checkpoint is decided before a sampler is asked. A class because requests share it.
final class VerifiedCheckpoints: Sendable {
  private let sound = Mutex<Set<FileVersion>>([])

  /// More than the checkpoints of any models in use; then all are forgotten. Chosen.
  private static let countMax = 4096

  /// Throws a `CheckpointError` for one that is absent or damaged.
  func verify(_ path: String) throws {
    let version: FileVersion?
    do { version = try Disk.status(of: path)?.version } catch { throw CheckpointError.unreadable(error) }
    if let version, sound.withLock({ $0.contains(version) }) { return }
    try CheckpointHead.verify(path: path)
    guard let version else { return }
    sound.withLock { sound in
      if sound.count >= Self.countMax { sound = [] }
      sound.insert(version)
    }
  }
}
