import Files
import Glibc

/// Which of a model's checkpoints is the model, where a disk may have damaged some of them.
extension ModelFolder {
  /// The checkpoint that is the model now, sound: the one that `model.json` names, or else the newest sound one of all that are kept. Nil
  /// before the first one.
  ///
  /// - Parameters:
  ///   - verify: throws a `CheckpointError` for a file that is no sound checkpoint.
  ///   - passOver: told of each that is damaged.
  /// - Throws: the first fault, where there are checkpoints and none is sound.
  package func current(
    verify: (String) throws -> Void = { try CheckpointHead.verify(path: $0) }, passOver: (Fault) -> Void = { _ in }
  ) throws -> ModelCheckpoint? {
    // Training may replace what was just found; a few looks later it is not that.
    for _ in 0..<3 {
      let (candidates, stateFault) = try candidates()
      var faults = stateFault.map { [$0] } ?? []
      var isGone = false
      for candidate in candidates where !isGone {
        do {
          try verify(candidate.path)
          for fault in faults { passOver(Fault(fault)) }
          return candidate
        } catch let error as CheckpointError {
          if error.meansAbsent, try self.candidates().all != candidates { isGone = true } else { faults.append(error) }
        }
      }
      if isGone { continue }
      guard let first = faults.first else { return nil }
      for fault in faults { passOver(Fault(fault)) }
      throw first
    }
    throw CheckpointError.unreadable(Errno(code: ENOENT, operation: "open", path: path))
  }

  /// The one that `model.json` names, then all others, the newest first.
  private func candidates() throws -> (all: [ModelCheckpoint], fault: CheckpointError?) {
    var state: State?
    var fault: CheckpointError?
    do { state = try self.state() } catch { fault = error }
    var all: [ModelCheckpoint] = []
    if let state { all.append(ModelCheckpoint(path: checkpointPath(step: state.step), step: state.step, isFinal: state.isFinished)) }
    for (step, path) in try keptFiles() where path != all.first?.path {
      all.append(ModelCheckpoint(path: path, step: step, isFinal: false))
    }
    return (all, fault)
  }

  /// Every checkpoint's file, the newest first, pinned ones among them.
  func keptFiles() throws(Errno) -> [(step: Int, path: String)] {
    try keptSteps().reversed().flatMap { step in
      [checkpointPath(step: step), pinPath(step: step)].filter { Disk.exists($0) }.map { (step, $0) }
    }
  }
}

extension ModelFolder.Fault {
  init(_ error: CheckpointError) { self.init(path: error.path, detail: error.detail) }

  /// The file's name alone, for those who have nothing to do with where it lies.
  package var told: String { "\(path.split(separator: "/").last ?? ""): \(detail)" }
}
