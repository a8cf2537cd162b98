import Files
import Jobs

/// What lies in the data folder and nobody names: left by a kill between a file and its row, or between a row's end and its files'.
/// Names that are not this program's, such as a disk's `lost+found`, are somebody else's and left alone.
struct Orphan: Sendable, Hashable {
  let path: String
  let what: String
}

extension DataFolder {
  /// All orphans. Ask only while no server works in the folder, or before it begins.
  func orphans(of record: Record) throws -> [Orphan] {
    let named = try record.referencedBlobs()
    var found = try blobs.all().filter { !named.contains($0.hex) }.map {
      Orphan(path: blobs.path(of: $0), what: "a blob that no dataset names")
    }
    let knownModels = try record.modelIDs()
    found += try Disk.list(models).filter { Identifier.isWellFormed($0, prefix: "mdl") && !knownModels.contains($0) }.map {
      Orphan(path: modelFolder($0), what: "the folder of a model that the record does not know")
    }
    let knownJobs = try record.jobIDs()
    found += try Disk.list(jobs).filter { Identifier.isWellFormed($0, prefix: "job") && !knownJobs.contains($0) }.map {
      Orphan(path: "\(jobs)/\($0)", what: "the folder of a job that the record does not know")
    }
    return found
  }
}
