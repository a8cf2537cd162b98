import Foundation
import JSON

/// A model as the record has it. It can be used from its first checkpoint on, while its job still runs.
package struct ModelRecord: Sendable, Hashable {
  package var id: String
  /// The job that makes it; nil for one that was imported.
  package var job: String?
  package var family: String
  /// What it was trained on; nil for one that was imported.
  package var dataset: String?
  package var description: JSONValue
  /// The step of the newest checkpoint, nil before the first.
  package var newestStep: Int?
  package var createdAt: Date

  package init(
    id: String, job: String?, family: String, dataset: String?, description: JSONValue, newestStep: Int? = nil, createdAt: Date = Date()
  ) {
    self.id = id
    self.job = job
    self.family = family
    self.dataset = dataset
    self.description = description
    self.newestStep = newestStep
    self.createdAt = createdAt
  }
}
