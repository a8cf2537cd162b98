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

  package var json: JSONValue { ["path": .string(path), "description": description.json] }

  /// Nil when a fault was recorded.
  init?(reader: FieldReader) {
    reader.require(["path", "description"])
    let path = reader.string("path")
    let description = reader.value("description").flatMap(DatasetDescription.init(json:))
    if description == nil { reader.fault("description", "is no description of a dataset") }
    reader.finish()
    guard let path, let description else { return nil }
    self.init(path: path, description: description)
  }

  func open() throws(DatasetError) -> Dataset { try Dataset(mapping: path, description: description) }

  /// For a worker, whose job fails where it can't be read.
  func openForJob() throws(WorkerFailure) -> Dataset {
    do { return try open() } catch { throw WorkerFailure(.dataset, error.description) }
  }

  /// For a sampler, whose request does.
  func openForRequest() throws(SamplerFailure) -> Dataset {
    do { return try open() } catch { throw SamplerFailure(.dataset, error.description) }
  }
}
