/// What a job's folder holds: the whole interface between a worker and the pool.
package struct JobFolder: Sendable, Hashable {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// What to do: written by the pool before each attempt.
  package var job: String { "\(path)/job.json" }
  /// A line of JSON an event: appended by the worker, read by the pool.
  package var events: String { "\(path)/events.ndjson" }
  /// How it ended: replaced by the worker, whole or not at all.
  package var result: String { "\(path)/result.json" }
  /// What the worker wrote to its output and errors, for people.
  package var log: String { "\(path)/worker.log" }
}
