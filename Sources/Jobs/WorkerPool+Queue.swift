import Foundation

/// Why a queued job waits: a job that only says "queued" leaves its owner to guess.
package struct QueueStanding: Sendable, Hashable {
  package enum Reason: String, Sendable {
    /// Every worker is at work, or other jobs go first.
    case workersBusy = "workers_busy"
    /// Its worker died, and the next attempt comes after a pause.
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
    var restsUntil: [String: ContinuousClock.Instant] = [:]
    var isDraining = false
  }

  /// Where a queued job stands, and why it waits.
  package func queueStanding(position: Int, of job: JobRecord) -> QueueStanding {
    let (rest, isDraining) = standing.withLock { ($0.restsUntil[job.id], $0.isDraining) }
    let busy = live.withLock { $0.count }
    let (reason, detail) = reason(rest: rest.map { ContinuousClock.now.duration(to: $0) }, isDraining, busy: busy, position: position, job)
    return QueueStanding(position: position, reason: reason, detail: detail)
  }

  private func reason(
    rest: Duration?, _ isDraining: Bool, busy: Int, position: Int, _ job: JobRecord
  ) -> (QueueStanding.Reason, String) {
    if isDraining { return (.draining, "The server is leaving; the job goes on at the next start.") }
    if settings.workersMax == 0 { return (.noWorkers, "This server is configured to run no jobs.") }
    if let rest, rest > .zero {
      let seconds = Int((rest / .seconds(1)).rounded(.up))
      let deaths = "\(job.deathsSinceCheckpoint) of \(settings.deathsMax) times"
      return (.resting, "Its worker died (\(deaths)); the next one starts in \(seconds) s.")
    }
    if position == 0, busy < settings.workersMax { return (.starting, "A worker is about to start on it.") }
    let others = position == 1 ? "1 job goes" : "\(position) jobs go"
    return (.workersBusy, "\(busy) of \(settings.workersMax) workers are busy, and \(others) before it.")
  }

  /// A worker of the job has died: the next comes after a pause that doubles with each death in a row.
  func rest(_ job: JobRecord) {
    let seconds = settings.restSeconds * Double(1 << min(max(job.deathsSinceCheckpoint - 1, 0), 10))
    standing.withLock { $0.restsUntil[job.id] = .now + .seconds(seconds) }
  }

  /// The jobs that rest still.
  func resting() -> Set<String> {
    standing.withLock { standing in
      let now = ContinuousClock.now
      standing.restsUntil = standing.restsUntil.filter { $0.value > now }
      return Set(standing.restsUntil.keys)
    }
  }
}
