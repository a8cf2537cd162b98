import Files
import JSON
import Models

/// Which checkpoints of a run are on disk: the newest, to go on from, and the best by validation.
///
/// The best one is held in memory until a checkpoint is due anyway: a run that improves with each of its short epochs is not to
/// spend its time on the disk. It goes to disk before the newest, so that whatever names it can find it. A class, for the run and its
/// reports share it.
final class CheckpointKeeper {
  private let folder: ModelFolder
  private let log: EventLog
  private var heldBest: Checkpoint?
  private var lastKept = ContinuousClock.now

  init(folder: ModelFolder, log: EventLog) throws(Errno) {
    self.folder = folder
    self.log = log
    try Disk.createFolders(folder.path)
    // This worker, which holds the job's lock, is the one that writes here: what is half written was a killed attempt's.
    try StagedFile.sweep(folder.path)
  }

  func isDue(everySeconds seconds: Int) -> Bool { lastKept.secondsSince >= Double(seconds) }

  func holdBest(_ checkpoint: Checkpoint) { heldBest = checkpoint }

  /// The newest checkpoint that can be read; a damaged one is told of, and the one before it taken.
  func newest(
    fitting job: TrainingJob, _ task: TrainingJob.TrainingTask, preparation: Preparation
  ) throws -> (checkpoint: Checkpoint, path: String)? {
    for (_, path) in try folder.keptFiles() {
      do {
        let checkpoint = try Checkpoint(path: path)
        try check(checkpoint, path: path, job, task, preparation)
        return (checkpoint, path)
      } catch let error as CheckpointError {
        log.warning("\(error); going on from what is older")
      }
    }
    return nil
  }

  /// The checkpoint of another run that this one goes on from. There is none older to take in its place.
  func origin(
    _ origin: TrainingOrigin, fitting job: TrainingJob, _ task: TrainingJob.TrainingTask, preparation: Preparation
  ) throws -> Checkpoint {
    let checkpoint = try Checkpoint(path: origin.path)
    try check(checkpoint, path: origin.path, job, task, preparation)
    return checkpoint
  }

  /// A checkpoint of another run in this folder is a mistake that training over it would hide.
  private func check(
    _ checkpoint: Checkpoint, path: String, _ job: TrainingJob, _ task: TrainingJob.TrainingTask, _ preparation: Preparation
  ) throws {
    // As text, in which a default of 0 and a 0.0 that was read are the same number.
    let isSameModel =
      checkpoint.family.name == task.family.name
      && checkpoint.configuration.json.serialized() == task.configuration.json.serialized()
    guard isSameModel, checkpoint.preparation == preparation, checkpoint.seed == job.seed
    else { throw WorkerFailure(.checkpoint, "\(path) is of another family, configuration, seed or data than this job") }
  }

  /// Writes what a run needs to go on from this moment, and removes what it needs no more.
  /// - Returns: the step whose weights now are the model.
  @discardableResult
  func keep(_ checkpoint: Checkpoint, isFinished: Bool) throws(Errno) -> Int {
    if let best = heldBest, best.step != checkpoint.step { try best.write(to: folder.checkpointPath(step: best.step)) }
    try checkpoint.write(to: folder.checkpointPath(step: checkpoint.step))
    heldBest = nil
    var best = checkpoint.progress.best?.step
    if let step = best, !Disk.exists(folder.checkpointPath(step: step)) { best = nil }
    let used = isFinished ? best ?? checkpoint.step : checkpoint.step
    try folder.write(.init(isFinished: isFinished, step: used, newestStep: checkpoint.step, bestStep: best))
    try folder.keepOnly(Set([checkpoint.step, best].compactMap(\.self)))
    if isFinished { try Disk.removeTree(folder.originPath) }
    lastKept = .now
    log.checkpoint(step: checkpoint.step)
    return used
  }
}
