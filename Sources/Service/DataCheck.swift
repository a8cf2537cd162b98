import Files
import Glibc
import Images
import JSON
import Jobs
import Training

/// Looks at everything that a server keeps: every page and row of the record, every checksum, every reference, and what nobody names.
///
/// It works on a folder that no server has. Told to mend, it works on the record itself; else on a copy of it, and writes nothing at all
/// in the folders. What it mends is made consistent, not restored: a dataset whose bytes are damaged goes, so that uploading it again makes
/// it anew; a damaged checkpoint gives way to an older one. A record that is damaged itself keeps no file from being looked at.
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
  /// Nil where it can't be opened.
  private let record: Record?
  private let copy: CopiedRecord?
  private let lock: FolderLock?
  private let mends: Bool
  package private(set) var findings: [Finding] = []

  /// Throws `StartRefused` where a server has the folder, or it belongs to another record.
  package init(_ configuration: ServiceConfiguration, mends: Bool) throws {
    self.mends = mends
    folder = DataFolder(configuration)
    guard Disk.exists(folder.root) else { throw StartRefused("there is no data folder \(folder.root)") }
    guard Disk.exists(folder.databasePath) else { throw StartRefused("there is no record \(folder.databasePath)") }
    lock = try Self.lock(folder.root, mends: mends)
    copy = mends ? nil : try CopiedRecord(of: folder.databasePath)
    let opened = try Self.opened(copy?.path ?? folder.databasePath)
    record = opened.record
    if let fault = opened.fault { findings = [Finding(subject: folder.databasePath, fault: fault, remedy: Self.backup)] }
    guard let record else { return }
    if mends { try folder.claim(for: record) } else { _ = try folder.isClaimed(by: record) }
  }

  private static let backup = "restore it from a backup"

  /// The record, or why it can't be opened as one.
  private static func opened(_ path: String) throws -> (record: Record?, fault: String?) {
    do {
      return (try Record(opening: path), nil)
    } catch let error as RecordError {
      guard case .damagedFile(_, let detail) = error else { throw error }
      return (nil, "it is damaged: \(detail)")
    }
  }

  /// A folder in which no server has ever made its lock needs none, and one that can't be written has no server that writes.
  private static func lock(_ root: String, mends: Bool) throws -> FolderLock? {
    if !mends, !Disk.exists(FolderLock.path(in: root)) { return nil }
    do {
      if let lock = try FolderLock(locking: root) { return lock }
    } catch {
      guard !mends, error.meansReadOnly || error.code == EACCES else { throw error }
      if try FolderLock.holder(of: root) == nil { return nil }
    }
    throw StartRefused("a server has the data folder \(root); stop it first")
  }

  package func run() throws {
    if let record {
      for fault in try record.faults() { add(folder.databasePath, fault, remedy: Self.backup, mend: nil) }
    }
    try checkBlobs()
    try checkModels()
    try checkPictures()
    if let record {
      for orphan in try folder.orphans(of: record) { add(orphan) }
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

  private func add(_ orphan: Orphan) {
    if orphan.kind == .origin {
      add(orphan.path, orphan.what, remedy: "remove it") { try Disk.removeTree(orphan.path) }
    } else {
      add(orphan.path, orphan.what, remedy: "move it aside") { try self.folder.setAside(orphan) }
    }
  }

  /// Every blob by its own name, whoever names it, and every dataset by its blob.
  private func checkBlobs() throws {
    var faults: [String: String] = [:]
    for digest in try folder.blobs.all() { faults[digest.hex] = faultOfBlob(digest) }
    guard let record else {
      for (digest, fault) in faults.sorted(by: { $0.key < $1.key }) { add(digest, fault, remedy: "upload its dataset again", mend: nil) }
      return
    }
    for dataset in try record.readableDatasets() {
      let digest = Digest(hex: dataset.blobDigest)
      let isThere = digest.map { folder.blobs.contains($0) } ?? false
      let absent = digest.map { "its blob \(folder.blobs.path(of: $0)) is not there" } ?? "its row names no blob"
      guard let fault = isThere ? faults[dataset.blobDigest] : absent else { continue }
      add(dataset.id, fault, remedy: "remove the dataset, to be uploaded again") {
        try record.deleteDataset(dataset.id)
        if let digest, try !record.blobIsReferenced(dataset.blobDigest) { try self.folder.blobs.remove(digest) }
      }
    }
  }

  private func faultOfBlob(_ digest: Digest) -> String? {
    let path = folder.blobs.path(of: digest)
    do {
      let found = try SHA256.of(file: path)
      return found == digest ? nil : "its blob \(path) is damaged: its sha256 is \(found.hex)"
    } catch {
      return "its blob can't be read: \(error)"
    }
  }

  /// Those that the record tells of, and the folders of those whose rows can't be read.
  private func checkModels() throws {
    let known = try record?.readableModels() ?? []
    for model in known { try check(model) }
    let told = Set(known.map(\.id))
    let orphans = try record.map { try $0.modelIDs() }
    for id in try folder.names(in: folder.models, prefix: "mdl") where !told.contains(id) && orphans?.contains(id) ?? true {
      for fault in try ModelFolder(path: folder.modelFolder(id)).faults() {
        add(id, "\(fault.path): \(fault.detail)", remedy: "it can be mended when the record tells of it", mend: nil)
      }
    }
  }

  private func check(_ model: ModelRecord) throws {
    let files = ModelFolder(path: folder.modelFolder(model.id))
    let all = try files.faults()
    for fault in all where fault.place == .pin {
      add(
        model.id, "\(fault.path): \(fault.detail)",
        remedy: "it is pinned, and stays until PATCH \"pinned\": false lets it go, or a copy of it is put back", mend: nil)
    }
    // Asked only where it matters, for it reads every checkpoint.
    let hasSound = try !all.contains { $0.place == .origin } || hasSoundCheckpoint(files)
    for fault in all where fault.place == .origin && !hasSound {
      add(model.id, "\(fault.path): \(fault.detail)", remedy: "cancel the fork, which can't begin, and fork again", mend: nil)
    }
    var faults = all.filter { $0.place == .checkpoint || $0.place == .origin && hasSound }.map { "\($0.path): \($0.detail)" }
    if model.newestStep != nil, try files.keptSteps().isEmpty { faults.append("it has no checkpoint, where the record tells of one") }
    guard let record else { return }
    let isFinished = try record.isOver(jobOfModel: model.id)
    // While its job is unfinished, the next worker tells what it goes on from.
    if model.newestStep == nil, isFinished, try !files.keptSteps().isEmpty {
      faults.append("it has checkpoints that the record has not heard of")
    }
    guard !faults.isEmpty else { return }
    add(model.id, faults.joined(separator: "; "), remedy: "remove what is damaged, and go on from what is left") {
      try record.setNewestStep(try files.mend(isFinished: isFinished), ofModel: model.id)
    }
  }

  private func hasSoundCheckpoint(_ files: ModelFolder) throws -> Bool {
    do { return try files.current() != nil } catch is CheckpointError { return false }
  }

  /// The pictures that runs have made on their way.
  private func checkPictures() throws {
    for id in try folder.names(in: folder.jobs, prefix: "job") {
      let job = "\(folder.jobs)/\(id)"
      for epoch in try EpochSamples.epochs(in: job) {
        let path = "\(job)/\(EpochSamples.name(epoch: epoch))"
        let fault: String?
        do { fault = faultOfPNG(try Disk.read(path, bytesMax: Self.pictureBytesMax)) } catch { fault = "\(error)" }
        if let fault { add(path, fault, remedy: "remove it: the run's other pictures stay") { try Disk.removeTree(path) } }
      }
    }
  }

  /// Far more than 64 samples of the largest images.
  private static let pictureBytesMax = 1 << 30

  /// What killed processes have half written, and bodies of uploads that nobody waits for.
  private func checkLeftovers() throws {
    var folders = [folder.root]
    for (parent, prefix) in [(folder.jobs, "job"), (folder.models, "mdl")] {
      folders += try folder.names(in: parent, prefix: prefix).map { "\(parent)/\($0)" }
    }
    for path in folders {
      for name in try Disk.list(path) where StagedFile.isStaged(name) {
        add("\(path)/\(name)", "a file that was never finished", remedy: "remove it") { try Disk.removeTree("\(path)/\(name)") }
      }
    }
    for path in try PartialUploads.leftovers(in: folder.uploads) {
      add(path, "a part of an upload that was never finished", remedy: "remove it") { try Disk.removeTree(path) }
    }
    guard Disk.exists(folder.incoming) else { return }
    for name in try Disk.list(folder.incoming) {
      let path = "\(folder.incoming)/\(name)"
      if name == "bodies", try Disk.list(path).isEmpty { continue }
      add(path, "an upload that was never finished", remedy: "remove it") { try Disk.removeTree(path) }
    }
  }
}
