import Files
import JSON
import Jobs
import Training

/// Looks at everything that a server keeps: every page and row of the record, every checksum, every reference, and what nobody names.
///
/// It works on a folder that no server has, and changes nothing unless it is told to mend. What it mends is made consistent, not restored:
/// a dataset whose bytes are damaged goes, so that uploading it again makes it anew; a damaged checkpoint gives way to an older one.
package final class DataCheck {
  package struct Finding: Sendable, Hashable, CustomStringConvertible {
    package let subject: String
    package let fault: String
    /// What mending does, or why it can't.
    package let remedy: String
    package var isMended = false

    package var description: String { "\(subject): \(fault); \(isMended ? "mended: " : "")\(remedy)" }
  }

  private let folder: DataFolder
  private let record: Record
  private let lock: FolderLock
  private let mends: Bool
  package private(set) var findings: [Finding] = []

  /// Throws `StartRefused` where a server has the folder, and what the record throws where it can't be opened.
  package init(_ configuration: ServiceConfiguration, mends: Bool) throws {
    self.mends = mends
    guard Disk.exists(configuration.data) else { throw StartRefused("there is no data folder \(configuration.data)") }
    guard let lock = try FolderLock(locking: configuration.data) else {
      throw StartRefused("a server has the data folder \(configuration.data); stop it first")
    }
    self.lock = lock
    folder = try DataFolder(root: configuration.data, databaseFolder: configuration.database)
    record = try Record(opening: folder.databasePath)
    try folder.claim(for: record)
  }

  package func run() throws {
    for fault in try record.faults() { add(folder.databasePath, fault, remedy: "restore it from a backup", mend: nil) }
    try checkDatasets()
    for model in try record.allModels() { try check(model) }
    for orphan in try folder.orphans(of: record) {
      add(orphan.path, orphan.what, remedy: "remove it") { try Disk.removeTree(orphan.path) }
    }
    try checkLeftovers()
  }

  /// Whether everything is in order, or has been put in order.
  package var isSound: Bool { findings.allSatisfy(\.isMended) }

  private func add(_ subject: String, _ fault: String, remedy: String, mend: (() throws -> Void)?) {
    var finding = Finding(subject: subject, fault: fault, remedy: remedy)
    if mends, let mend {
      do {
        try mend()
        finding.isMended = true
      } catch {
        finding = Finding(subject: subject, fault: fault, remedy: "can't be mended: \(error)")
      }
    }
    findings.append(finding)
  }

  private func checkDatasets() throws {
    var faults: [String: String?] = [:]
    for dataset in try record.allDatasets() {
      let fault = try faults[dataset.blobDigest] ?? faultOfBlob(of: dataset)
      faults[dataset.blobDigest] = .some(fault)
      guard let fault else { continue }
      add(dataset.id, fault, remedy: "remove the dataset, to be uploaded again") {
        try self.record.deleteDataset(dataset.id)
        if let digest = Digest(hex: dataset.blobDigest), try !self.record.blobIsReferenced(dataset.blobDigest) {
          try self.folder.blobs.remove(digest)
        }
      }
    }
  }

  private func faultOfBlob(of dataset: DatasetRecord) throws -> String? {
    guard let digest = Digest(hex: dataset.blobDigest) else { return "its row names no blob" }
    let path = folder.blobs.path(of: digest)
    guard Disk.exists(path) else { return "its blob \(path) is not there" }
    do {
      let found = try SHA256.of(file: path)
      return found == digest ? nil : "its blob \(path) is damaged: its sha256 is \(found.hex)"
    } catch {
      return "its blob can't be read: \(error)"
    }
  }

  private func check(_ model: ModelRecord) throws {
    let files = ModelFolder(path: folder.modelFolder(model.id))
    var faults = try files.faults().map { "\($0.path): \($0.detail)" }
    if model.newestStep != nil, try files.steps().isEmpty { faults.append("it has no checkpoint, where the record tells of one") }
    guard !faults.isEmpty else { return }
    let isFinished = try model.job.flatMap { try record.job($0) }?.status.isFinished ?? true
    add(model.id, faults.joined(separator: "; "), remedy: "remove what is damaged, and go on from what is left") {
      try self.record.setNewestStep(try files.mend(isFinished: isFinished), ofModel: model.id)
    }
  }

  /// What killed processes have half written, and bodies of uploads that nobody waits for.
  private func checkLeftovers() throws {
    var folders = [folder.root]
    for (parent, prefix) in [(folder.jobs, "job"), (folder.models, "mdl")] {
      folders += try Disk.list(parent).filter { Identifier.isWellFormed($0, prefix: prefix) }.map { "\(parent)/\($0)" }
    }
    for path in folders {
      for name in try Disk.list(path) where StagedFile.isStaged(name) {
        add("\(path)/\(name)", "a file that was never finished", remedy: "remove it") { try Disk.removeTree("\(path)/\(name)") }
      }
    }
    guard Disk.exists(folder.incoming) else { return }
    for name in try Disk.list(folder.incoming) {
      let path = "\(folder.incoming)/\(name)"
      if name == "bodies", try Disk.list(path).isEmpty { continue }
      add(path, "an upload that was never finished", remedy: "remove it") { try Disk.removeTree(path) }
    }
  }
}
