import Foundation
import JSON

/// An attempt that the pool has under way, from its claim to its settling.
///
/// A class for its identity; not `Sendable`: the pool's queue alone has it.
final class RunningAttempt {
  enum Phase {
    /// A worker of a dead server may still hold the folder.
    case awaitingFolder(since: ContinuousClock.Instant)
    case running(RunningWorker)
    /// Over, as soon as the record has taken it.
    case ended(AttemptEnding, retryAt: ContinuousClock.Instant)
  }

  let job: JobRecord
  let folder: JobFolder
  var phase: Phase
  var tail: EventTail
  /// What the record has not heard yet.
  var news = AttemptNews()
  /// The newest metrics, so that a series takes up changes alone.
  var metrics: JSONValue?
  var flushedAt: ContinuousClock.Instant
  /// The record could not be written, and is tried again no sooner than for progress.
  var isFlushLate = false
  /// The worker has been told to go: what it does without a result from then on is no death.
  var isStopping = false
  var killAt: ContinuousClock.Instant?
  var logStart = 0
  var outOfMemoryKillsBefore: Int?

  var id: String { job.id }
  var number: Int { job.attempt }

  init(_ job: JobRecord, folder: JobFolder, now: ContinuousClock.Instant) {
    self.job = job
    self.folder = folder
    phase = .awaitingFolder(since: now)
    tail = EventTail(folder.events)
    metrics = job.metrics
    flushedAt = now
  }

  /// Takes up what the worker has written since.
  ///
  /// - Parameter attempts: whose lines count.
  /// - Returns: whether there was any news.
  func hear(_ lines: [[UInt8]], ofAttempts attempts: ClosedRange<Int>) -> Bool {
    var heard = false
    for event in lines.lazy.compactMap(WorkerEvent.init(line:)) where attempts.contains(event.attempt) {
      news.hear(event, metricsBefore: metrics)
      metrics = news.metrics ?? metrics
      heard = true
    }
    return heard
  }
}
