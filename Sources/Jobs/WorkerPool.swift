import Dispatch
import Foundation
import JSON
import Logging
import Synchronization

/// Runs queued jobs, `workersMax` at once, in the order of the record's queue. A job whose worker has died rests before its next attempt.
///
/// Everything that happens to a worker happens on one serial queue: it is claimed, started, listened to, told to stop, and settled
/// there, so that no two of these can race. The record is written first and the world follows: a verb is durable before a worker
/// hears of it, and whatever is lost on the way, `recover` puts right on the next start. What a worker tells is read about five times a
/// second, kept in memory for `liveJob`, and written to the record once a second at most; checkpoints are written at once.
///
/// `@unchecked Sendable`: what is mutable is touched on `queue` alone, but for `live` and `standing`, which are mutexes'.
package final class WorkerPool: @unchecked Sendable {
  package struct Settings: Sendable {
    /// At work at once; with 0 jobs only queue.
    package var workersMax: Int
    /// A job's folder is `jobsFolder/<id>`.
    package var jobsFolder: String
    /// A model's folder is `modelsFolder/<id>`; made before its first attempt.
    package var modelsFolder: String
    /// Between SIGTERM and SIGKILL: enough to write the largest checkpoint to a slow disk.
    package var graceSeconds: Double = 30
    /// How long a worker of a dead server may take to leave a folder before it is killed.
    package var folderWaitSeconds: Double = 5
    /// Deaths without a new checkpoint after which a job has failed.
    package var deathsMax = 3
    /// A job rests so long after its first death, twice as long after the next. Chosen: what killed it may pass in seconds, as a
    /// memory shortage or a disk's hiccup does; nobody waits for it that would not wait longer for three quick failures.
    package var restSeconds: Double = 2
    /// And so long where the machine had no room for it. Chosen: every attempt goes over what was trained since the last checkpoint.
    package var hinderedRestSeconds: Double = 10

    package init(workersMax: Int, jobsFolder: String, modelsFolder: String) {
      self.workersMax = workersMax
      self.jobsFolder = jobsFolder
      self.modelsFolder = modelsFolder
    }
  }

  let record: Record
  let engine: any Engine
  let settings: Settings
  let prepare: @Sendable (JobRecord) throws -> JSONValue
  let logger: Logger
  let onChange: @Sendable (String) -> Void
  let onFinish: @Sendable (JobRecord) -> Void
  let queue = DispatchQueue(label: "fount.workers")
  let live = Mutex<[String: LiveAttempt]>([:])
  let standing = Mutex(Standing())

  var attempts: [String: RunningAttempt] = [:]
  /// Folders of jobs that are over, which a worker of a dead server may still hold, and since when they are looked at.
  var strays: [JobFolder: ContinuousClock.Instant] = [:]
  var isStarted = false
  var isDraining = false
  private var whenDrained: [@Sendable () -> Void] = []
  /// The record could not be asked for the next job, and is asked again then.
  private var claimAgainAt: ContinuousClock.Instant?
  private var tickIsDue = false

  /// - Parameters:
  ///   - prepare: what goes into `job.json`; called on the pool's queue before each attempt.
  ///   - logger: silent where none is given.
  ///   - onChange: called on the pool's queue with a job's id after its status, progress or metrics have changed, and after its events
  ///     have been written.
  ///   - onFinish: called on the pool's queue with a job that has come to its end, perhaps more than once.
  package init(
    record: Record, engine: any Engine, settings: Settings, prepare: @escaping @Sendable (JobRecord) throws -> JSONValue,
    logger: Logger = Logger(label: "fount.workers") { _ in SwiftLogNoOpLogHandler() },
    onChange: @escaping @Sendable (String) -> Void = { _ in }, onFinish: @escaping @Sendable (JobRecord) -> Void = { _ in }
  ) {
    precondition(settings.workersMax >= 0, "a pool runs 0 workers or more, not \(settings.workersMax)")
    self.record = record
    self.engine = engine
    self.settings = settings
    self.prepare = prepare
    self.logger = logger
    self.onChange = onChange
    self.onFinish = onFinish
  }

  /// Puts right what a dead server has left, and begins. Once, not from the pool's own queue.
  package func start() throws {
    try queue.sync {
      precondition(!isStarted, "a pool starts once")
      try findStrays()
      for job in try record.recover() {
        logger.notice("recovered a job", metadata: ["job": "\(job.id)", "status": "\(job.status.rawValue)"])
        onChange(job.id)
        if job.status.isFinished { onFinish(job) }
        if job.status.hasWorker { seeOut(job) }
      }
      isStarted = true
      fill()
    }
  }

  /// A job has been queued.
  package func wake() { queue.async { self.fill() } }

  /// Applies a verb: on disk when this returns, and a worker is told right after.
  package func apply(_ verb: JobVerb, to id: String) throws -> JobRecord {
    let job = try record.apply(verb, to: id)
    queue.async { self.react(to: job) }
    return job
  }

  /// The job as it is this moment: as the record has it, with what its worker has told since.
  package func liveJob(_ id: String) throws -> JobRecord? {
    guard var job = try record.job(id) else { return nil }
    guard job.status.hasWorker, let attempt = live.withLock({ $0[id] }), attempt.number == job.attempt else { return job }
    job.progress = attempt.progress ?? job.progress
    job.metrics = attempt.metrics ?? job.metrics
    return job
  }

  /// Starts nothing more, tells every worker to write a checkpoint and go, and calls back on the pool's queue once all have gone and
  /// their jobs are interrupted in the record. The next start queues them.
  ///
  /// - Parameter graceSeconds: between SIGTERM and SIGKILL; nil for that of the settings.
  package func drain(graceSeconds: Double? = nil, completion: @escaping @Sendable () -> Void) {
    queue.async { [self] in
      whenDrained.append(completion)
      isDraining = true
      standing.withLock { $0.isDraining = true }
      for attempt in Array(attempts.values) { stop(attempt, graceSeconds: graceSeconds) }
      finishDraining()
    }
  }

  // MARK: On the queue

  func folder(of id: String) -> JobFolder { JobFolder("\(settings.jobsFolder)/\(id)") }

  /// Starts as many as there is room for.
  func fill() {
    claimAgainAt = nil
    while isStarted, !isDraining, attempts.count < settings.workersMax {
      do {
        guard let job = try record.claimNext(except: resting()) else { break }
        begin(job)
      } catch {
        logger.error("can't claim a job: \(error)")
        claimAgainAt = .now + WorkerPool.retryPause
        break
      }
    }
    scheduleTick()
  }

  func finishDraining() {
    guard isDraining, attempts.isEmpty else { return }
    for completion in whenDrained { completion() }
    whenDrained = []
  }

  private func react(to job: JobRecord) {
    onChange(job.id)
    if job.status.isFinished { onFinish(job) }
    switch job.status {
    case .pausing, .cancelling:
      // The attempt's number keeps a verb that was overtaken from reaching a later attempt.
      if let attempt = attempts[job.id], attempt.number == job.attempt { stop(attempt) }
    case .queued: fill()
    case .running, .paused, .interrupted, .succeeded, .failed, .cancelled: break
    }
  }

  /// About five times a second while there is anything to look at.
  func scheduleTick() {
    let hasResting = standing.withLock { !$0.rests.isEmpty }
    guard !tickIsDue, claimAgainAt != nil || hasResting || !attempts.isEmpty || !strays.isEmpty else { return }
    tickIsDue = true
    queue.asyncAfter(deadline: .now() + .milliseconds(200)) { [weak self] in
      guard let self else { return }
      tickIsDue = false
      for attempt in Array(attempts.values) { look(at: attempt) }
      endStrays()
      if claimAgainAt.map({ $0 <= .now }) ?? hasResting { fill() }
      scheduleTick()
    }
  }
}

/// What a worker has told, for reads that should be fresher than the record.
struct LiveAttempt: Sendable {
  var number: Int
  var progress: JSONValue?
  var metrics: JSONValue?
}
