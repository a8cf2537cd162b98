import Foundation

/// Why a queued job waits: a job that only says "queued" leaves its owner to guess.
package struct QueueStanding: Sendable, Hashable {
  package enum Reason: String, Sendable {
    /// Every worker is at work, or other jobs go first.
    case workersBusy = "workers_busy"
    /// Its worker died, or found no room on the disk, and the next attempt comes after a pause.
    case resting
    /// The server is configured to start none.
    case noWorkers = "no_workers"
    /// The server is leaving; the next one takes the job up.
    case draining
    /// A worker is about to be started on it.
    case starting
  }

  /// How many queued jobs go before it.
  package var position: Int
  package var reason: Reason
  /// A sentence for people.
  package var detail: String

  package init(position: Int, reason: Reason, detail: String) {
    self.position = position
    self.reason = reason
    self.detail = detail
  }
}

extension WorkerPool {
  /// What decides about a queued job, beside the record.
  struct Standing {
    /// By the machine's monotonic clock, which nobody sets: rests neither end early nor last for ever when the time of day jumps. Not
    /// on disk: a new server begins afresh.
    var rests: [String: Rest] = [:]
    var isDraining = false
  }

  struct Rest {
    var end: ContinuousClock.Instant
    /// What a person is told of it.
    var reason: String
  }

  /// Where a queued job stands, and why it waits.
  package func queueStanding(position: Int, of job: JobRecord) -> QueueStanding {
    let (rest, isDraining) = standing.withLock { ($0.rests[job.id], $0.isDraining) }
    let busy = live.withLock { $0.count }
    let (reason, detail) = reason(rest: rest, isDraining, busy: busy, position: position)
    return QueueStanding(position: position, reason: reason, detail: detail)
  }

  private func reason(
    rest: Rest?, _ isDraining: Bool, busy: Int, position: Int
  ) -> (QueueStanding.Reason, String) {
    if isDraining { return (.draining, "The server is leaving; the job goes on at the next start.") }
    if settings.workersMax == 0 { return (.noWorkers, "This server is configured to run no jobs.") }
    if let rest, rest.end > .now {
      let seconds = Int((ContinuousClock.now.duration(to: rest.end) / .seconds(1)).rounded(.up))
      return (.resting, "\(rest.reason); the next one starts in \(seconds) s.")
    }
    if position == 0, busy < settings.workersMax { return (.starting, "A worker is about to start on it.") }
    let others = position == 1 ? "1 job goes" : "\(position) jobs go"
    return (.workersBusy, "\(busy) of \(settings.workersMax) workers are busy, and \(others) before it.")
  }

  /// The next worker comes after a pause: one that doubles with each death in a row, or that the disk may take to have room again.
  func rest(_ job: JobRecord, after ending: AttemptEnding) {
    let seconds: Double
    let reason: String
    switch ending {
    case .died:
      seconds = settings.restSeconds * Double(1 << min(max(job.deathsSinceCheckpoint - 1, 0), 10))
      reason = "Its worker died (\(job.deathsSinceCheckpoint) of \(settings.deathsMax) times)"
    case .hindered:
      seconds = settings.hinderedRestSeconds
      reason = "The disk had no room for its worker, or took no writes"
    case .succeeded, .failed, .stopped: return
    }
    standing.withLock { $0.rests[job.id] = Rest(end: .now + .seconds(seconds), reason: reason) }
  }

  /// The jobs that rest still.
  func resting() -> Set<String> {
    standing.withLock { standing in
      let now = ContinuousClock.now
      standing.rests = standing.rests.filter { $0.value.end > now }
      return Set(standing.rests.keys)
    }
  }
}
