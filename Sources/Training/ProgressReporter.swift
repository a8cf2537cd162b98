import JSON

/// When to tell of progress, and how fast it goes.
struct ProgressReporter {
  private let settings: TrainingSettings
  private let stepsPerEpoch: Int
  private var last = ContinuousClock.now
  private var examplesSince = 0
  private var examplesPerSecond: Double?

  /// Four lines a second at the most: what a person at a screen can follow.
  private static let secondsBetween = 0.25

  init(settings: TrainingSettings, stepsPerEpoch: Int) {
    self.settings = settings
    self.stepsPerEpoch = stepsPerEpoch
  }

  mutating func trained(_ examples: Int) { examplesSince += examples }

  var isDue: Bool { last.secondsSince >= Self.secondsBetween }

  /// Each of the first thousand epochs is told of. Of a run with many more, whose epochs are short, those at whose end a line is due:
  /// a log is to grow no faster than its reader reads.
  func isDue(epoch: Int) -> Bool { epoch <= 1000 || isDue }

  /// - Parameter epochEnded: the epochs done, in the line that carries an epoch's validation.
  mutating func report(_ progress: TrainingProgress, to log: EventLog, metrics: JSONValue, epochEnded: Int? = nil) {
    measure()
    log.progress(json(progress), metrics: metrics, epochEnded: epochEnded)
  }

  /// The speed of the last stretch, smoothed: a third of it new.
  private mutating func measure() {
    let seconds = last.secondsSince
    guard examplesSince > 0, seconds > 0 else { return }
    let speed = Double(examplesSince) / seconds
    examplesPerSecond = examplesPerSecond.map { $0 + (speed - $0) / 3 } ?? speed
    last = .now
    examplesSince = 0
  }

  private func json(_ progress: TrainingProgress) -> JSONValue {
    // Counted from the epochs done: the steps that a forked run has behind it may have been of another length.
    let stepsLeft = max(0, (settings.epochs - progress.epoch) * stepsPerEpoch - progress.batch)
    let steps = progress.step + stepsLeft
    var eta = examplesPerSecond.map { Double(stepsLeft * settings.batchSize) / $0 }
    if let secondsMax = settings.secondsMax { eta = eta.map { min($0, max(Double(secondsMax) - progress.seconds, 0)) } }
    return [
      "epoch": .integer(progress.epoch), "epochs": .integer(settings.epochs), "step": .integer(progress.step), "steps": .integer(steps),
      "examples_per_second": JSONValue(examplesPerSecond?.rounded()), "eta_seconds": JSONValue(eta?.rounded(.up)),
    ]
  }
}
