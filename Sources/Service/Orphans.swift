import Files
import Jobs
import Training

/// What lies in the data folder and nobody names: left by a kill between a file and its row, or between a row's end and its files'.
/// Names that are not this program's, such as a disk's `lost+found`, are somebody else's and left alone.
struct Orphan: Sendable, Hashable {
  enum Kind: String, CaseIterable {
    case blob = "blobs"
    case model = "models"
    case job = "jobs"
    /// Where a fork began that is over.
    case origin
  }

  let path: String
  let kind: Kind
  /// The name of a blob, a model or a job.
  let name: String

  var what: String {
    switch kind {
    case .blob: "a blob that no dataset names"
    case .model: "the folder of a model that the record does not know"
    case .job: "the folder of a job that the record does not know"
    case .origin: "where a fork began that is over"
    }
  }
}

extension DataFolder {
  /// All orphans. Ask only while no server works in the folder, or before it begins.
  func orphans(of record: Record) throws -> [Orphan] {
    let named = try record.referencedBlobs()
    var found = try blobs.all().filter { !named.contains($0.hex) }.map { Orphan(path: blobs.path(of: $0), kind: .blob, name: $0.hex) }
    let knownModels = try record.modelIDs()
    for id in try names(in: models, prefix: "mdl") {
      let origin = ModelFolder(path: modelFolder(id)).originPath
      if !knownModels.contains(id) {
        found.append(Orphan(path: modelFolder(id), kind: .model, name: id))
      } else if Disk.exists(origin), try record.isOver(jobOfModel: id) {
        found.append(Orphan(path: origin, kind: .origin, name: id))
      }
    }
    let knownJobs = try record.jobIDs()
    found += try names(in: jobs, prefix: "job").filter { !knownJobs.contains($0) }.map {
      Orphan(path: "\(jobs)/\($0)", kind: .job, name: $0)
    }
    return found
  }

  /// The ids that name something in a folder.
  func names(in folder: String, prefix: String) throws -> [String] {
    guard Disk.exists(folder) else { return [] }
    return try Disk.list(folder).filter { Identifier.isWellFormed($0, prefix: prefix) }
  }
}
