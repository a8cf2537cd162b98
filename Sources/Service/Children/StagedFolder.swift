import Files
import Logging

/// A folder that a child process fills, and that goes with the last reference, however the request ends that it was made for, unless it was
/// moved away before.
///
/// A class because it owns the folder.
final class StagedFolder: Sendable {
  let path: String
  private let logger: Logger

  init(_ path: String, logger: Logger) {
    self.path = path
    self.logger = logger
  }

  deinit {
    do {
      try Disk.removeTree(path)
    } catch {
      logger.warning("a child's folder stays until the next start", metadata: ["error": "\(error)"])
    }
  }
}
