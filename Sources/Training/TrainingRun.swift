import Datasets
import Evaluation
import Files
import JSON
import Models
import Tensors

/// One attempt at training a model: from its newest checkpoint, from another run's, or from nothing, to the end or to a request to stop.
///
/// Everything that decides the weights is addressed by (seed, epoch, example, step), so that a run that was stopped and went on ends
/// with the same bits as one that never was. A class: it is one running thing, with a model that is too large to copy about.
final class TrainingRun {
  enum Ending: Sendable {
    case finished(WorkerResult)
    /// A checkpoint to go on from is on disk.
    case stopped
  }

  let job: TrainingJob
  let task: TrainingJob.TrainingTask
  /// The folder of the job, not of the model.
  let folder: String
  let data: TrainingData
  let keeper: CheckpointKeeper
  let log: EventLog
  let stop: StopRequest
  let randomness: Philox
  let team: ThreadTeam
  var model: any GenerativeModel
  var progress: TrainingProgress
  var reporter: ProgressReporter
  var course = TrainingCourse()
  private var clock: TrainingClock

  init(job: TrainingJob, task: TrainingJob.TrainingTask, folder: String, log: EventLog, stop: StopRequest) throws {
    self.job = job
    self.task = task
    self.folder = folder
    self.log = log
    self.stop = stop
    randomness = Philox(seed: UInt64(job.seed))
    data = try TrainingData(task)
    keeper = try CheckpointKeeper(folder: ModelFolder(path: job.modelFolder), log: log)
    team = ThreadTeam(count: task.settings.threads)
    if let (checkpoint, path) = try keeper.newest(fitting: job, task, preparation: data.preparation) {
      model = try checkpoint.makeModel(threads: team, path: path)
      progress = checkpoint.progress
    } else if let origin = task.origin {
      let checkpoint = try keeper.origin(origin, fitting: job, task, preparation: data.preparation)
      model = try checkpoint.makeModel(threads: team, path: origin.path, weightDecay: task.settings.weightDecay)
      let batchSize = task.settings.batchSize
      progress = checkpoint.progress.forked(
        batchSizeBefore: origin.batchSize, batchSize: batchSize, stepsPerEpoch: data.stepsPerEpoch(batch: batchSize))
    } else {
      let optimizer = OptimizerSettings(averagingDecay: task.settings.averagingDecay, weightDecay: task.settings.weightDecay)
      model = task.family.make(task.configuration, data.preparation.input, optimizer, UInt64(job.seed), team)
      progress = TrainingProgress()
    }
    clock = TrainingClock(secondsBefore: progress.seconds)
    reporter = ProgressReporter(settings: task.settings, stepsPerEpoch: data.stepsPerEpoch(batch: task.settings.batchSize))
  }

  func run() throws -> Ending {
    for warning in data.warnings { log.warning(warning) }
    var reason = try nextEpoch()
    while reason == nil { reason = try nextEpoch() }
    guard let reason, reason != .stop else {
      try keepForGoingOn()
      return .stopped
    }
    return .finished(try finish(reason))
  }
}

extension TrainingRun {
  /// Why training ends.
  enum EndReason: String {
    case epochs
    case earlyStopping = "early_stopping"
    case maxSeconds = "max_seconds"
    case stop
  }

  /// Trains what is left of the epoch under way, and validates.
  /// - Returns: nil when there is another one to come.
  private func nextEpoch() throws -> EndReason? {
    if let reason = endReason { return reason }
    let order = data.order(epoch: progress.epoch, using: randomness)
    let batches = data.stepsPerEpoch(batch: task.settings.batchSize)
    while progress.batch < batches {
      if stop.isMade { return .stop }
      if isOutOfTime { return try validate() ? .maxSeconds : .stop }
      try trainBatch(order)
      reportIfDue()
      if keeper.isDue(everySeconds: task.settings.checkpointEverySeconds) { try keepForGoingOn() }
    }
    guard try validate() else { return .stop }
    return endReason ?? (isOutOfTime ? .maxSeconds : nil)
  }

  private var endReason: EndReason? {
    if progress.epoch >= task.settings.epochs { return .epochs }
    if let patience = task.settings.earlyStoppingPatience, progress.epochsSinceBest >= patience { return .earlyStopping }
    return nil
  }

  private var isOutOfTime: Bool { task.settings.secondsMax.map { clock.seconds >= Double($0) } ?? false }

  private func trainBatch(_ order: [Int]) throws {
    let settings = task.settings
    let start = progress.batch * settings.batchSize
    let examples = Array(order[start..<min(start + settings.batchSize, order.count)])
    let x = data.preparation.tensor(of: examples, in: data.dataset, draw: .epoch(progress.epoch), using: randomness)
    // By the epochs done rather than the steps, of which a forked run has had more or fewer where its batches are of another length.
    let stepsPerEpoch = data.stepsPerEpoch(batch: settings.batchSize)
    let rate = Float(
      settings.learningRate(atStep: progress.epoch * stepsPerEpoch + progress.batch, of: settings.epochs * stepsPerEpoch))
    let loss = model.trainStep(on: x, examples: examples, step: progress.step, learningRate: rate, using: randomness)
    guard loss.isFinite else {
      throw WorkerFailure(.diverged, "step \(progress.step): the loss is \(loss); a smaller learning_rate may help (it is \(rate))")
    }
    progress.step += 1
    progress.batch += 1
    progress.lossSum += (model.lossIsNats ? data.preparation.natsInUnits(loss) : loss) * Double(examples.count)
    progress.lossCount += examples.count
    progress.seconds = clock.seconds
    reporter.trained(examples.count)
  }

  /// Ends the epoch under way: its training loss, its validation, its samples.
  /// - Returns: false when a request to stop came before validation was done; the epoch then is as if it had not ended.
  private func validate() throws -> Bool {
    var ended = progress
    ended.trainNats = ended.lossCount > 0 ? ended.lossSum / Double(ended.lossCount) : ended.trainNats
    if ended.batch == data.stepsPerEpoch(batch: task.settings.batchSize) {
      ended.epoch += 1
      ended.batch = 0
      ended.lossSum = 0
      ended.lossCount = 0
    }
    var isBest = false
    if validationName != nil, data.validationCount > 0 {
      guard let nats = data.validationNats(of: model, using: randomness, isStopped: { stop.isMade }) else { return false }
      guard nats.isFinite else { throw WorkerFailure(.diverged, "step \(ended.step): the validation nats are \(nats)") }
      isBest = ended.validated(nats)
    }
    ended.seconds = clock.seconds
    progress = ended
    if isBest { keeper.holdBest(checkpoint()) }
    watchCourse()
    if reporter.isDue(epoch: progress.epoch) { reporter.report(progress, to: log, metrics: metrics, epochEnded: progress.epoch) }
    drawSamplesIfDue()
    return true
  }

  private func reportIfDue() {
    if reporter.isDue { reporter.report(progress, to: log, metrics: metrics) }
  }
}

extension TrainingRun {
  /// The run at this moment.
  func checkpoint() -> Checkpoint {
    Checkpoint(
      model: job.model, family: task.family, configuration: task.configuration, preparation: data.preparation,
      averagingDecay: task.settings.averagingDecay, weightDecay: task.settings.weightDecay, seed: job.seed, progress: progress,
      tensors: model.trainingState)
  }

  private func keepForGoingOn() throws {
    progress.seconds = clock.seconds
    try keeper.keep(checkpoint(), isFinished: false)
  }

  private func finish(_ reason: EndReason) throws -> WorkerResult {
    // A step's loss is that of the weights before it: of those after the last, only they themselves can tell.
    guard model.weights.allSatisfy({ $0.tensor.scalars.allSatisfy(\.isFinite) }) else {
      throw WorkerFailure(.diverged, "step \(progress.step): weights are no finite numbers; a smaller learning_rate may help")
    }
    progress.seconds = clock.seconds
    let used = try keeper.keep(checkpoint(), isFinished: true)
    var final = metrics.object ?? [:]
    if let best = progress.best, used == best.step, let name = validationName {
      final[name] = .number(best.nats)
      final["validation_bits_per_dim"] = .number(bitsPerDim(best.nats))
    }
    let result: JSONValue = [
      "model": .string(job.model), "stopped_by": .string(reason.rawValue), "step": .integer(used), "steps": .integer(progress.step),
      "epochs": .integer(progress.epoch), "best_epoch": JSONValue(progress.best?.epoch), "best_step": JSONValue(progress.best?.step),
      "seconds": .number(progress.seconds),
    ]
    return .succeeded(metrics: .object(final), result: result)
  }

  /// The loss of a family without a likelihood is not in nats, and does not say so.
  private var metrics: JSONValue {
    var metrics = JSONObject()
    metrics[model.lossIsNats ? "train_nats" : "train_loss"] = progress.trainNats.map(JSONValue.number)
    if let name = validationName, let nats = progress.validationNats {
      metrics[name] = .number(nats)
      metrics["validation_bits_per_dim"] = .number(bitsPerDim(nats))
    }
    for (name, value) in courseMetrics { metrics[name] = .number(value) }
    return .object(metrics)
  }

  /// Nil of a family without a density.
  var validationName: String? { task.family.abilities.contains("score") ? "validation_nats" : nil }

  private func bitsPerDim(_ nats: Double) -> Double { LikelihoodEvaluation.bitsPerDim(nats: nats, dims: data.preparation.shape.dims) }
}
