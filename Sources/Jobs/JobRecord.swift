import Foundation
import JSON

/// A job as the record has it: a value, read at one moment.
package struct JobRecord: Sendable, Hashable {
  package struct HistoryEntry: Sendable, Hashable {
    package var status: JobStatus
    package var at: Date
  }

  /// Chosen: more than a person reads, and some kilobytes in each answer.
  package static let historyMax = 256

  package var id: String
  /// Whose job it is: the key that submitted it; the empty one where there are no keys.
  package var owner: String
  package var kind: String
  package var status: JobStatus
  /// As asked, with every default filled in.
  package var request: JSONValue
  package var family: String?
  /// The model that a training job makes, or that an evaluation reads.
  package var model: String?
  package var datasets: [String]
  package var seed: Int
  /// Among its owner's jobs the higher goes first; among equals the older one.
  package var priority: Int
  package var name: String?
  package var metadata: JSONValue
  package var progress: JSONValue?
  package var metrics: JSONValue?
  package var result: JSONValue?
  package var failure: Failure?
  /// How many times a worker has been started on it; a result of any other attempt is not heard.
  package var attempt: Int
  package var deathsSinceCheckpoint: Int
  /// Oldest first; the last entry is `status`. Of a longer one the newest `historyMax` entries.
  package var history: [HistoryEntry]
  package var createdAt: Date
}

/// What `Record.submit` takes: a job before it has a history.
package struct JobSubmission: Sendable, Hashable {
  package var id: String
  package var owner: String
  package var kind: String
  package var request: JSONValue
  package var family: String?
  package var model: String?
  package var datasets: [String]
  package var seed: Int
  package var priority: Int
  package var name: String?
  package var metadata: JSONValue

  package init(
    id: String, owner: String = "", kind: String, request: JSONValue, family: String? = nil, model: String? = nil, datasets: [String] = [],
    seed: Int = 0, priority: Int = 0, name: String? = nil, metadata: JSONValue = [:]
  ) {
    self.id = id
    self.owner = owner
    self.kind = kind
    self.request = request
    self.family = family
    self.model = model
    self.datasets = datasets
    self.seed = seed
    self.priority = priority
    self.name = name
    self.metadata = metadata
  }
}

/// A line of a job's append-only stream of events.
package struct JobEvent: Sendable, Hashable {
  /// Grows by the order of writing over all jobs; never used twice.
  package var number: Int
  package var job: String
  /// `status`, `metrics`, `checkpoint`, `warning`, or a worker's own word.
  package var type: String
  package var body: JSONValue
  package var at: Date
}
