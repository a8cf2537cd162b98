import Dispatch

/// Where workers run. `LocalEngine` spawns them on this machine; a cluster's scheduler can be given the same line.
///
/// An engine starts one attempt and tells of its end once. It knows nothing of statuses, records or results: the folder is the
/// interface between a worker and the pool, wherever the worker runs.
package protocol Engine: Sendable {
  /// Starts a worker on the folder and returns at once.
  ///
  /// - Parameters:
  ///   - queue: where `onExit` is called, once, after this has returned.
  func start(
    _ attempt: Attempt, queue: DispatchQueue, onExit: @escaping @Sendable (Termination) -> Void
  ) throws -> RunningWorker
}

/// One try at a job: what an engine needs to know of it.
package struct Attempt: Sendable, Hashable {
  package var job: String
  /// Holds `job.json`; the worker writes everything else into it.
  package var folder: String
  /// 1 or more.
  package var number: Int

  package init(job: String, folder: String, number: Int) {
    self.job = job
    self.folder = folder
    self.number = number
  }
}

/// What can be done to a worker that runs. Both are safe from any thread, and do nothing once it has gone.
package struct RunningWorker: Sendable {
  /// Asks: the worker writes a checkpoint and exits (SIGTERM).
  package var terminate: @Sendable () -> Void
  /// Does not ask (SIGKILL).
  package var kill: @Sendable () -> Void

  package init(terminate: @escaping @Sendable () -> Void, kill: @escaping @Sendable () -> Void) {
    self.terminate = terminate
    self.kill = kill
  }
}
