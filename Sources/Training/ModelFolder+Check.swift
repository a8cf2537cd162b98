import Files

/// What a check of everything asks of a model's folder.
extension ModelFolder {
  /// Something wrong with one of its files.
  package struct Fault: Sendable, Hashable {
    package let path: String
    package let detail: String
  }

  /// Every checkpoint that can't be read whole or whose digest is wrong, and a `model.json` that names none of the sound ones.
  package func faults() throws -> [Fault] {
    var faults: [Fault] = []
    var sound: Set<Int> = []
    for step in try steps() {
      do {
        _ = try Checkpoint(path: checkpointPath(step: step))
        sound.insert(step)
      } catch {
        faults.append(Fault(path: checkpointPath(step: step), detail: error.description))
      }
    }
    for step in try pinnedSteps() {
      do { _ = try Checkpoint(path: pinPath(step: step)) } catch {
        faults.append(Fault(path: pinPath(step: step), detail: error.description))
      }
    }
    let file = "\(path)/\(Self.stateName)"
    do {
      if let state = try state(), !sound.contains(state.step) {
        faults.append(Fault(path: file, detail: "it names step \(state.step), of which there is no sound checkpoint"))
      }
    } catch {
      faults.append(Fault(path: file, detail: error.description))
    }
    return faults
  }

  /// Removes every checkpoint that is damaged, and makes `model.json` name one of those that are left.
  ///
  /// - Parameter isFinished: whether the job that made the model has ended, where `model.json` can't say.
  /// - Returns: the step of the newest checkpoint; nil where none is left.
  package func mend(isFinished: Bool) throws -> Int? {
    for step in try pinnedSteps() where (try? Checkpoint(path: pinPath(step: step))) == nil {
      try Disk.removeTree(pinPath(step: step))
    }
    var sound: [Int] = []
    for step in try steps() {
      // What is wrong with it has been told by `faults`.
      if (try? Checkpoint(path: checkpointPath(step: step))) != nil {
        sound.append(step)
      } else {
        try Disk.removeTree(checkpointPath(step: step))
      }
    }
    guard let newest = sound.last else {
      try Disk.removeTree("\(path)/\(Self.stateName)")
      return nil
    }
    // A damaged one tells nothing.
    var state = (try? state()) ?? State(isFinished: isFinished, step: newest, newestStep: newest, bestStep: nil)
    if let best = state.bestStep, !sound.contains(best) { state.bestStep = nil }
    state.newestStep = newest
    if !sound.contains(state.step) { state.step = state.isFinished ? state.bestStep ?? newest : newest }
    try write(state)
    return newest
  }
}
