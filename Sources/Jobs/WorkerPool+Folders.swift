import CSystem
import Files
import Foundation
import Logging

/// Workers of a server that is gone: told by the end of their lifeline to write a checkpoint and go, and killed where they don't.
extension WorkerPool {
  /// Whether no process holds the folder. One that has held it too long is killed, and a later look finds it gone.
  func isFree(_ folder: JobFolder, since: ContinuousClock.Instant) throws -> Bool {
    guard let holder = try FolderLock.holder(of: folder.path) else { return true }
    // A number that is not positive belongs to another machine or another namespace, where nothing can be done about it from here.
    if since.duration(to: .now) >= .seconds(settings.folderWaitSeconds), holder > 0, holder != getpid() {
      logger.warning("killing a worker that a dead server has left", metadata: ["folder": "\(folder.path)", "process": "\(holder)"])
      kill(holder, SIGKILL)
    }
    return false
  }

  /// Looks into every job's folder for a worker that another server has started. An attempt that needs the folder waits for it; all others
  /// are nobody's.
  func findStrays() throws {
    guard Disk.exists(settings.jobsFolder) else { return }
    for id in try Disk.list(settings.jobsFolder) {
      let folder = folder(of: id)
      if try FolderLock.holder(of: folder.path) != nil { strays[folder] = .now }
    }
  }

  /// Jobs that were cancelled or paused when their server died have no next attempt that would look for their workers.
  func endStrays() {
    for (folder, since) in strays {
      do {
        if try isFree(folder, since: since) { strays[folder] = nil }
      } catch {
        logger.warning("can't look at a folder's lock: \(error)")
        strays[folder] = nil
      }
    }
  }
}
