import Datasets
import JSON

/// A decoded dataset on disk, as a job or a request to a sampler names it.
package struct DatasetFile: Sendable, Equatable {
  /// The `examples.npy`.
  package var path: String
  package var description: DatasetDescription

  package init(path: String, description: DatasetDescription) {
    self.path = path
    self.description = description
  }

  package var json: JSONValue { .object(["path": .string(path), "description": description.json]) }

  func open() throws -> Dataset { try Dataset(mapping: path, description) }
}
