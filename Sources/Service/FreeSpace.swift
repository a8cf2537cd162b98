import Dispatch
import Files
import HTTPTypes
import Logging
import Synchronization

/// The low-water mark of the disks: what is left below it is for checkpoints, the record and answers, not for anything new.
///
/// A disk that is quite full stops running jobs and the record itself; one that is refused new things at the mark goes on.
/// A class because all who ask share what was last measured.
final class FreeSpace: Sendable {
  private struct Measured {
    /// Of the disk with the least; nil before the first look, and where no look has succeeded.
    var freeBytes: Int?
    var at: ContinuousClock.Instant?
    var isUnderWay = false
  }

  private let folders: [String]
  private let bytesMin: Int
  private let logger: Logger
  private let measured = Mutex(Measured())
  private let queue = DispatchQueue(label: "fount.free-space")

  /// How old a measurement may be that a connection's shard goes by. Chosen: a fast disk takes a gigabyte in it, a network half of one.
  private static let ageMax = Duration.milliseconds(500)

  init(folders: [String], bytesMin: Int, logger: Logger) {
    self.folders = folders
    self.bytesMin = bytesMin
    self.logger = logger
  }

  /// Looks, and throws a 507 where one of the disks would have less than the mark left.
  /// - Parameter bytes: what is about to be written.
  func require(_ bytes: Int = 0) throws {
    if let problem = refusal(of: bytes, given: try measure()) { throw problem }
  }

  /// Looks whether a disk is below the mark.
  func isLow() throws -> Bool {
    let free = try measure()
    return refusal(of: 0, given: free) != nil
  }

  /// The same by what was last measured, for those who may not wait for a disk; asks for a new look where that is old.
  func refusal(of bytes: Int) -> Problem? {
    let (free, isOld) = measured.withLock { measured in
      let isOld = !measured.isUnderWay && measured.at.map { $0.duration(to: .now) > Self.ageMax } ?? true
      if isOld { measured.isUnderWay = true }
      return (measured.freeBytes, isOld)
    }
    if isOld { queue.async { self.look() } }
    return free.flatMap { refusal(of: bytes, given: $0) }
  }

  private func look() {
    do {
      _ = try measure()
    } catch {
      logger.warning("can't tell how much of the disk is free: \(error)")
      measured.withLock { ($0.isUnderWay, $0.at) = (false, .now) }
    }
  }

  private func measure() throws -> Int {
    let free = try folders.map { try Disk.freeBytes(at: $0) }.min() ?? .max
    measured.withLock { $0 = Measured(freeBytes: free, at: .now) }
    return free
  }

  private func refusal(of bytes: Int, given free: Int) -> Problem? {
    let (left, overflow) = free.subtractingReportingOverflow(bytes)
    guard overflow || left < bytesMin else { return nil }
    return Problem(
      .insufficientStorage,
      "the disk has \(free) bytes left, of which \(bytesMin) are kept free for running jobs; delete datasets or models, or try later",
      headers: [.retryAfter: "60"])
  }
}
