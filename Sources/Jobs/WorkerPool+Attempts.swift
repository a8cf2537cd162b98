import Files
import Foundation
import JSON
import Logging

/// The life of one attempt, all of it on the pool's queue: its folder becomes free, a worker starts, is listened to, goes, and the
/// record learns how it ended.
extension WorkerPool {
  /// A record that refuses a write (a full disk) is asked again after this long. Chosen.
  static let retryPause: Duration = .seconds(1)
  /// The record hears of progress this often at most: each time is an fsync.
  private static let flushPause: Duration = .seconds(1)
  /// A folder that stays locked so long after its holder was killed is held by another machine, or for good. Chosen.
  private static let folderWaitMax: Duration = .seconds(60)

  func begin(_ job: JobRecord) { enter(RunningAttempt(job, folder: folder(of: job.id), now: .now)) }

  /// A job that was to leave when its server died: what its worker leaves behind is heard once that has gone, and then it has left.
  func seeOut(_ job: JobRecord) {
    let attempt = RunningAttempt(job, folder: folder(of: job.id), now: .now)
    attempt.isStopping = true
    enter(attempt)
  }

  private func enter(_ attempt: RunningAttempt) {
    let job = attempt.job
    attempts[job.id] = attempt
    // From here on the attempt itself waits for whoever is in the folder, and what comes after is its own worker.
    strays[attempt.folder] = nil
    live.withLock { $0[job.id] = LiveAttempt(number: job.attempt) }
    onChange(job.id)
    proceed(attempt, since: .now)
  }

  /// What a tick has to do for it.
  func look(at attempt: RunningAttempt) {
    switch attempt.phase {
    case .awaitingFolder(let since): if since <= .now { proceed(attempt, since: since) }
    case .running(let worker):
      listen(to: attempt)
      let isUrgent = attempt.news.isUrgent && !attempt.isFlushLate
      if isUrgent || attempt.flushedAt.duration(to: .now) >= WorkerPool.flushPause { flushOrLater(attempt) }
      if let killAt = attempt.killAt, killAt <= .now {
        logger.warning("killing a worker that did not stop", metadata: metadata(attempt))
        attempt.killAt = nil
        worker.kill()
      }
    case .ended(let ending, let retryAt):
      if retryAt <= .now { settle(attempt, ending) }
    }
  }

  /// Tells the worker to write a checkpoint and go; SIGKILL follows after the grace time. Asked again, it may only become shorter.
  func stop(_ attempt: RunningAttempt, graceSeconds: Double? = nil) {
    if case .awaitingFolder = attempt.phase, isDraining { return leaveToNextServer(attempt) }
    let killAt = ContinuousClock.now + .seconds(graceSeconds ?? settings.graceSeconds)
    if attempt.isStopping {
      attempt.killAt = attempt.killAt.map { min($0, killAt) }
      return
    }
    attempt.isStopping = true
    switch attempt.phase {
    case .awaitingFolder, .ended: break
    case .running(let worker):
      attempt.killAt = killAt
      worker.terminate()
    }
  }

  /// Somebody is in its folder still, whom the next server will hear out.
  private func leaveToNextServer(_ attempt: RunningAttempt) {
    guard attempt.isStopping else { return settle(attempt, .stopped) }
    forget(attempt)
    finishDraining()
  }

  /// Starts the worker once nobody else is in the folder.
  private func proceed(_ attempt: RunningAttempt, since: ContinuousClock.Instant) {
    do {
      if !attempt.isStopping { try Disk.createFolders(attempt.folder.path) }
      guard try isFree(attempt.folder, since: since) else {
        if since.duration(to: .now) >= WorkerPool.folderWaitMax {
          settle(attempt, .died(Failure(reason: "folder_locked", detail: "Another process holds the job's folder and can't be ended.")))
        }
        return
      }
      let ending = try hearOut(attempt)
      if attempt.isStopping { return settle(attempt, ending ?? .stopped) }
      if let ending, !ending.isDeath { return settle(attempt, ending) }
      try launch(attempt)
    } catch {
      guard WorkerPool.isOfTheHost(error) else {
        return settle(attempt, .died(Failure(reason: "worker_not_started", detail: "No worker could be started: \(error).")))
      }
      // A full disk or too many processes are no fault of the job: it keeps its turn, and what was heard of it is heard again.
      logger.warning("can't start a worker yet: \(error)", metadata: metadata(attempt))
      (attempt.news, attempt.metrics) = (AttemptNews(), attempt.job.metrics)
      attempt.phase = .awaitingFolder(since: .now + WorkerPool.retryPause)
      scheduleTick()
    }
  }

  /// What passes, or is for an operator to mend: every job would meet it.
  private static func isOfTheHost(_ error: any Error) -> Bool {
    guard let error = error as? Errno else { return Record.trouble(error) != nil }
    return [ENOSPC, EDQUOT, EROFS, EIO, EMFILE, ENFILE, EAGAIN, ENOMEM].contains(error.code)
  }

  /// What the job's workers have told and a dead server did not hear. Not of the last attempt alone: a server may die between a claim and
  /// this.
  /// - Returns: how one of them ended, where it has left a result.
  private func hearOut(_ attempt: RunningAttempt) throws -> AttemptEnding? {
    let offset = try record.eventsOffset(of: attempt.id)
    attempt.tail = EventTail(attempt.folder.events, offset: offset)
    let all = 1...attempt.number
    _ = attempt.hear(try attempt.tail.readToEnd(), ofAttempts: all)
    if attempt.tail.offset < offset {
      logger.warning("a job's events.ndjson is shorter than what was read of it", metadata: metadata(attempt))
      try record.note(AttemptNews(), of: attempt.id, attempt: attempt.number, offset: attempt.tail.offset)
    }
    return attempt.folder.ending(ofAttempts: all)
  }

  private func launch(_ attempt: RunningAttempt) throws {
    try attempt.tail.endOpenLine()
    if let model = attempt.job.model { try Disk.createFolders("\(settings.modelsFolder)/\(model)") }
    try Disk.replace(attempt.folder.job, with: try prepare(attempt.job).serializedBytes())
    attempt.logStart = WorkerLog(path: attempt.folder.log).count()
    attempt.outOfMemoryKillsBefore = OutOfMemoryKills.count()
    let (id, number) = (attempt.id, attempt.number)
    let worker = try engine.start(Attempt(job: id, folder: attempt.folder.path, number: number), queue: queue) { [weak self] status in
      self?.workerWent(id, attempt: number, status)
    }
    attempt.phase = .running(worker)
    logger.info("started a worker", metadata: metadata(attempt))
  }

  private func workerWent(_ id: String, attempt number: Int, _ status: Termination) {
    guard let attempt = attempts[id], attempt.number == number, case .running = attempt.phase else { return }
    listen(to: attempt)
    settle(attempt, ending(of: attempt, status))
    scheduleTick()
  }

  private func ending(of attempt: RunningAttempt, _ status: Termination) -> AttemptEnding {
    if let ending = attempt.folder.ending(ofAttempts: attempt.number...attempt.number) { return ending }
    if attempt.isStopping { return .stopped }
    if status == .exited(code: ExitStatus.cantCreate) {
      let words = WorkerLog(path: attempt.folder.log).lastWords(from: attempt.logStart)
      let detail = "The disk had no room for what the worker had to write, or took no writes: the job goes on when it can. \(words)"
      return .hindered(Failure(reason: "storage", detail: detail))
    }
    let memoryRanOut = OutOfMemoryKills.happened(since: attempt.outOfMemoryKillsBefore)
    let lastWords = WorkerLog(path: attempt.folder.log).lastWords(from: attempt.logStart)
    return AttemptEnding(deathBy: status, lastWords: lastWords, memoryRanOut: memoryRanOut)
  }

  /// Reads what the worker has written, as far as it goes.
  private func listen(to attempt: RunningAttempt) {
    do {
      guard attempt.hear(try attempt.tail.readToEnd(), ofAttempts: attempt.number...attempt.number) else { return }
    } catch {
      logger.warning("can't read a worker's events: \(error)", metadata: metadata(attempt))
      return
    }
    live.withLock { live in
      if let progress = attempt.news.progress { live[attempt.id]?.progress = progress }
      if let metrics = attempt.news.metrics { live[attempt.id]?.metrics = metrics }
    }
    onChange(attempt.id)
  }

  private func flushOrLater(_ attempt: RunningAttempt) {
    attempt.flushedAt = .now
    attempt.isFlushLate = false
    do {
      try flush(attempt)
    } catch {
      attempt.isFlushLate = true
      logger.error("can't write a job's progress: \(error)", metadata: metadata(attempt))
    }
  }

  private func flush(_ attempt: RunningAttempt) throws {
    guard !attempt.news.isEmpty else { return }
    try record.note(attempt.news, of: attempt.id, attempt: attempt.number, offset: attempt.tail.offset)
    attempt.news = AttemptNews()
    onChange(attempt.id)
  }

  /// Ends the attempt in the record. Where the record can't be written, a later tick tries again: the ending is not forgotten.
  private func settle(_ attempt: RunningAttempt, _ ending: AttemptEnding) {
    do {
      try flush(attempt)
      let job = try record.settle(
        attempt.id, attempt: attempt.number, ending: ending, deathsMax: settings.deathsMax, requeue: !isDraining)
      if let job, job.status == .queued { rest(job, after: ending) }
      if let job, job.status.isFinished { onFinish(job) }
      logger.info("an attempt ended", metadata: metadata(attempt, ["status": "\(job?.status.rawValue ?? "over")"]))
    } catch {
      attempt.phase = .ended(ending, retryAt: .now + WorkerPool.retryPause)
      logger.error("can't write how an attempt ended: \(error)", metadata: metadata(attempt))
      return
    }
    forget(attempt)
    onChange(attempt.id)
    finishDraining()
    wake()
  }

  private func forget(_ attempt: RunningAttempt) {
    attempts[attempt.id] = nil
    _ = live.withLock { $0.removeValue(forKey: attempt.id) }
  }

  private func metadata(_ attempt: RunningAttempt, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
    more.merging(["job": "\(attempt.id)", "attempt": "\(attempt.number)"]) { mine, _ in mine }
  }
}
