import Files

/// What a check of everything asks of a model's folder.
extension ModelFolder {
  /// Something wrong with one of its files.
  package struct Fault: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
      /// Training's own: older ones can take its place.
      case checkpoint
      /// Somebody's, who wants it kept.
      case pin
      /// Where a fork begins.
      case origin
    }

    package let path: String
    package let detail: String
    package let place: Place

    package init(path: String, detail: String, place: Place = .checkpoint) {
      self.path = path
      self.detail = detail
      self.place = place
    }
  }

  /// Every checkpoint that can't be read whole or whose digest is wrong, and a `model.json` that names none of the sound ones.
  package func faults() throws -> [Fault] {
    var faults: [Fault] = []
    var sound: Set<Int> = []
    for step in try steps() {
      if let fault = fault(of: checkpointPath(step: step), .checkpoint) { faults.append(fault) } else { sound.insert(step) }
    }
    faults += try pinnedSteps().compactMap { fault(of: pinPath(step: $0), .pin) }
    if Disk.exists(originPath), let fault = fault(of: originPath, .origin) { faults.append(fault) }
    do {
      if let state = try state(), !sound.contains(state.step) {
        faults.append(Fault(path: statePath, detail: "it names step \(state.step), of which there is no sound checkpoint"))
      }
    } catch {
      faults.append(Fault(error))
    }
    return faults
  }

  private func fault(of path: String, _ place: Fault.Place) -> Fault? {
    do {
      try CheckpointHead.verify(path: path)
      return nil
    } catch {
      return Fault(path: path, detail: error.detail, place: place)
    }
  }

  /// Removes every checkpoint of training's that is damaged, and makes `model.json` name one of those that are left: a pinned one where
  /// there is no other. What is pinned stays, whatever it is.
  ///
  /// - Parameter isFinished: whether the job that made the model has ended, where `model.json` can't say.
  /// - Returns: the step of the newest checkpoint; nil where none is left.
  package func mend(isFinished: Bool) throws -> Int? {
    for step in try steps() where fault(of: checkpointPath(step: step), .checkpoint) != nil {
      try Disk.removeTree(checkpointPath(step: step))
    }
    var sound = try steps()
    if sound.isEmpty, let pinned = try pinnedSteps().last(where: { fault(of: pinPath(step: $0), .pin) == nil }) {
      try Disk.link(pinPath(step: pinned), as: checkpointPath(step: pinned))
      sound = [pinned]
    }
    if !sound.isEmpty, Disk.exists(originPath), fault(of: originPath, .origin) != nil { try Disk.removeTree(originPath) }
    guard let newest = sound.last else {
      try Disk.removeTree(statePath)
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
