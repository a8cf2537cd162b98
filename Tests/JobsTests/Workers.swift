import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Synchronization
import Testing

/// The worker's side of the folder's contract, as shell functions: `$F` is the folder, `$N` the attempt.
private let workerFunctions = #"""
  say() { printf '%s\n' "$1" >> "$F/events.ndjson"; }
  progress() {
    say "{\"attempt\":$N,\"type\":\"progress\",\"at\":\"2026-01-02T03:04:05Z\",\
  \"progress\":{\"step\":$1},\"metrics\":{\"train_nats\":$2}}"
  }
  checkpoint() { say "{\"attempt\":$N,\"type\":\"checkpoint\",\"step\":$1}"; }
  result() { printf '%s' "$1" > "$F/result.new"; mv "$F/result.new" "$F/result.json"; }
  succeed() { result "{\"attempt\":$N,\"status\":\"succeeded\",\"metrics\":{\"test_nats\":90},\"result\":{\"by\":$N}}"; exit 0; }
  fail() {
    result "{\"attempt\":$N,\"status\":\"failed\",\
  \"failure\":{\"reason\":\"diverged\",\"detail\":\"loss is NaN at step 3\"}}"
    exit 0
  }
  work() { while :; do sleep 0.05; done; }
  die() { kill -9 $$; sleep 60; }

  """#

/// The second conformer: runs a script of the test's as the worker, and counts how many are at work.
struct ScriptedEngine: Engine {
  let script: String
  let atWork = Shared((now: 0, most: 0))
  let started = Shared<[Attempt]>([])

  init(_ script: String) { self.script = script }

  func start(
    _ attempt: Attempt, queue: DispatchQueue, onExit: @escaping @Sendable (Termination) -> Void
  ) throws -> RunningWorker {
    let log = JobFolder(attempt.folder).log
    let launch = ChildLaunch(
      executable: "/bin/sh", arguments: ["-c", "F=$1; N=$2\n" + workerFunctions + script, "sh", attempt.folder, "\(attempt.number)"],
      output: .file(log), errors: .file(log))
    atWork.change { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
    started.change { $0.append(attempt) }
    let child = try ChildProcess(launch, queue: queue) { end in
      atWork.change { $0.now -= 1 }
      onExit(end.status)
    }
    return RunningWorker(terminate: { child.terminate() }, kill: { child.kill() })
  }
}

/// The engines that the pool's tests run over.
enum EngineKind: CaseIterable, Sendable { case local, scripted }

extension EngineKind {
  /// An engine whose workers run the script.
  func engine(_ script: String, in folder: TemporaryFolder) throws -> any Engine {
    switch self {
    case .scripted: return ScriptedEngine(script)
    case .local:
      // Called as a worker is: `worker FOLDER --attempt N`.
      let check = #"[ "$1 $3" = "worker --attempt" ] || exit 64"# + "\nF=$2; N=$4\n"
      try Disk.replace("\(folder.path)/worker.sh", with: Array((check + workerFunctions + script).utf8))
      return LocalEngine(executable: "/bin/sh", arguments: ["\(folder.path)/worker.sh"])
    }
  }
}

/// A pool on a record in a folder of its own.
struct Workplace {
  let folder: TemporaryFolder
  let record: Record
  let pool: WorkerPool
  let changes = Shared<[String]>([])
  let prepared = Shared<[String]>([])

  init(
    _ engine: (TemporaryFolder) throws -> any Engine, in folder: TemporaryFolder? = nil, workersMax: Int = 2, graceSeconds: Double = 60,
    folderWaitSeconds: Double = 60, restSeconds: Double = 0.05
  ) throws {
    let folder = try folder ?? TemporaryFolder()
    self.folder = folder
    let record = try Record(opening: folder.database)
    self.record = record
    var settings = WorkerPool.Settings(workersMax: workersMax, jobsFolder: folder.jobs, modelsFolder: folder.models)
    settings.graceSeconds = graceSeconds
    settings.folderWaitSeconds = folderWaitSeconds
    settings.restSeconds = restSeconds
    settings.hinderedRestSeconds = restSeconds
    pool = WorkerPool(
      record: record, engine: try engine(folder), settings: settings,
      prepare: { [prepared] job in
        prepared.change { $0.append(job.id) }
        return ["id": .string(job.id), "request": job.request]
      }, onChange: { [changes] id in changes.change { $0.append(id) } })
  }

  init(_ script: String, workersMax: Int = 2, graceSeconds: Double = 60) throws {
    try self.init({ _ in ScriptedEngine(script) }, workersMax: workersMax, graceSeconds: graceSeconds)
  }

  /// Waits until the job has that status.
  @discardableResult
  func wait(for id: String, _ status: JobStatus) throws -> JobRecord {
    try eventually("\(id) is \(status.rawValue)") { try record.status(id) == status }
    guard let job = try record.job(id) else { throw RecordError.unknownJob(id) }
    return job
  }

  /// Waits until the worker has said something.
  func waitForFile(_ name: String, of id: String) throws {
    try eventually("\(id) has \(name)") { Disk.exists("\(folder.jobs)/\(id)/\(name)") }
  }

  func drain() throws {
    let isDone = Shared(false)
    pool.drain { isDone.change { $0 = true } }
    try eventually("the pool is drained") { isDone.value }
  }
}
