import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Synchronization
import Testing

/// A folder of its own, removed with it.
final class TemporaryFolder: Sendable {
  let path: String
  private let isKept: Bool

  init() throws {
    path = "\(NSTemporaryDirectory())/jobs-tests-\(UUID().uuidString)"
    isKept = false
    try Disk.createFolders(path)
  }

  /// A folder that another process removes.
  init(keeping path: String) {
    self.path = path
    isKept = true
  }

  deinit {
    // What is left over in the temporary folder harms nobody.
    if !isKept { try? Disk.removeTree(path) }
  }

  var database: String { "\(path)/fount.sqlite" }
  var jobs: String { "\(path)/jobs" }
  var models: String { "\(path)/models" }
  func folder(of id: String) -> JobFolder { JobFolder("\(jobs)/\(id)") }
}

/// Waits for something that another thread or process brings about. The limit is there for a test that fails, not to measure.
func eventually(
  _ what: String, withinSeconds limit: Double = 90, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) throws {
  let deadline = Date().addingTimeInterval(limit)
  while try !condition() {
    guard Date() < deadline else {
      Issue.record("waited \(limit) s in vain: \(what)", sourceLocation: sourceLocation)
      throw WaitedInVain()
    }
    Thread.sleep(forTimeInterval: 0.01)
  }
}

struct WaitedInVain: Error {}

/// A value that several threads write.
final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>
  init(_ value: Value) { mutex = Mutex(value) }
  var value: Value { mutex.withLock { $0 } }
  func change(_ body: (inout Value) -> Void) { mutex.withLock { value in body(&value) } }
}

extension JobSubmission {
  static func training(
    _ id: String, owner: String = "", priority: Int = 0, family: String? = nil, datasets: [String] = []
  ) -> JobSubmission {
    JobSubmission(
      id: id, owner: owner, kind: "train", request: ["kind": "train", "training": ["epochs": 2]], family: family, datasets: datasets,
      seed: 7, priority: priority, name: "first try", metadata: ["owner": "a test"])
  }
}

extension DatasetRecord {
  static func example(_ id: String, blob: String = "b") -> DatasetRecord {
    DatasetRecord(
      id: id, name: "digits", uploadDigest: "u-\(id)", blobDigest: blob, blobBytes: 5000, bytes: 1234, description: ["count": 10])
  }
}

extension WorkerPool {
  func cancel(_ id: String) throws -> JobRecord { try apply(.cancel, to: id) }
  func pause(_ id: String) throws -> JobRecord { try apply(.pause, to: id) }
  func resume(_ id: String) throws -> JobRecord { try apply(.resume, to: id) }
}

extension Record {
  /// Without a key, and with room for all.
  func submit(_ job: JobSubmission, model: ModelRecord? = nil) throws -> JobRecord {
    let submitted = try submit(job, model: model, waitingMax: .max) { _, _ in KeptAnswer(status: 202, location: nil, body: []) }
    guard case .made(let made, _) = submitted else { throw RecordError.alreadyThere(job.id) }
    return made
  }

  /// A training job with the model that it makes.
  func submitTraining(_ id: String, priority: Int = 0) throws -> JobRecord {
    var job = JobSubmission.training(id, priority: priority, family: "made")
    job.model = "mdl_\(id)"
    return try submit(job, model: ModelRecord(id: "mdl_\(id)", job: id, family: "made", dataset: "ds_1", description: [:]))
  }

  func status(_ id: String) throws -> JobStatus? { try job(id)?.status }

  /// Without a key, and with room for all.
  @discardableResult
  func insertDataset(_ dataset: DatasetRecord) throws -> (dataset: DatasetRecord, insertion: Insertion) {
    var (kept, made) = (dataset, Insertion.known)
    _ = try insertDataset(dataset, bytesMax: .max, once: nil) {
      (kept, made) = ($0, $1)
      return KeptAnswer(status: 201, location: nil, body: [])
    }
    return (kept, made)
  }
}

extension JobRecord {
  var path: [JobStatus] { history.map(\.status) }
}
