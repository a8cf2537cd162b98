import Files
import Foundation
import JSON

/// `fount worker FOLDER --attempt N`: one attempt at one job, in a process of its own.
///
/// The folder is the interface: `job.json` is read; `events.ndjson` grows while it works; `result.json` tells how it ended. A folder
/// without a `result.json` of the attempt was stopped or died, and the next attempt goes on from the model's newest checkpoint.
package enum WorkerCommand {
  /// Runs until the job ends or the worker is told to stop, by SIGTERM or the end of its standard input.
  ///
  /// - Parameters:
  ///   - folder: the job's folder with its `job.json`.
  ///   - attempt: written into every line and result, so that those of an earlier attempt are told apart.
  ///   - memoryBytesMax: what this process may allocate beyond what it has at its start; nil sets no limit.
  ///   - processorSecondsMax: what all its threads together may use; beyond it SIGXCPU ends the process. Nil sets no limit.
  /// - Returns: the process's exit status: 0 when there is a result, or a checkpoint to go on from; `ExitStatus.cantCreate` where the disk
  ///   is short, which passes.
  package static func run(folder: String, attempt: Int, memoryBytesMax: Int? = nil, processorSecondsMax: Int? = nil) -> Int32 {
    // A refusal leaves the limit that the parent set, which is no reason not to work.
    if let memoryBytesMax { try? ResourceLimit.data.set(bytesBeyondPresent: memoryBytesMax) }
    if let processorSecondsMax { try? ResourceLimit.processorSeconds.set(to: processorSecondsMax, graceBeyond: graceSeconds) }
    Termination.heed()
    let stop = StopRequest(heedsTermination: true)
    let lifeline = Lifeline(STDIN_FILENO, for: stop)
    defer { withExtendedLifetime(lifeline) {} }
    return run(folder: folder, attempt: attempt, stop: stop)
  }

  /// Runs a job under a request to stop that the caller makes.
  package static func run(folder: String, attempt: Int, stop: StopRequest) -> Int32 {
    do {
      guard let lock = try FolderLock(locking: folder) else {
        report("another process works in \(folder)")
        return ExitStatus.temporaryFailure
      }
      defer { withExtendedLifetime(lock) {} }
      try StagedFile.sweep(folder)
      guard let result = try attemptJob(folder: folder, attempt: attempt, stop: stop) else { return ExitStatus.done }
      try Disk.replace("\(folder)/result.json", with: result.json(attempt: attempt).serializedBytes())
      return ExitStatus.done
    } catch {
      report("\(error)")
      guard let error = error as? Errno, error.meansDiskFull || error.meansReadOnly else { return ExitStatus.inputOutput }
      return ExitStatus.cantCreate
    }
  }

  /// From SIGXCPU, which ends a process that does not block it, to SIGKILL. Chosen.
  private static let graceSeconds = 10

  /// Nil when stopped.
  private static func attemptJob(folder: String, attempt: Int, stop: StopRequest) throws -> WorkerResult? {
    let log = try EventLog(path: "\(folder)/events.ndjson", attempt: attempt)
    // Whoever learns how it ended, after a power cut too, can read what it told before.
    defer { log.sync() }
    do {
      let job = try readJob(folder)
      switch job.task {
      case .train(let task):
        let ending = try TrainingRun(job: job, task: task, folder: folder, log: log, stop: stop).run()
        return if case .finished(let result) = ending { result } else { nil }
      case .evaluate(let task): return try EvaluationRun(job: job, task: task, log: log, stop: stop).run()
      }
    } catch let failure as WorkerFailure {
      return .failed(failure)
    } catch let error as CheckpointError {
      return .failed(WorkerFailure(.checkpoint, error.description))
    }
  }

  private static func readJob(_ folder: String) throws -> TrainingJob {
    let path = "\(folder)/job.json"
    let json: JSONValue
    do {
      json = try JSONValue(parsing: try Disk.read(path, bytesMax: 1 << 24))
    } catch {
      throw WorkerFailure(.invalidJob, "\(path): \(error)")
    }
    let faults = Faults()
    guard let job = TrainingJob(reader: FieldReader(json, faults: faults)) else {
      throw WorkerFailure(.invalidJob, "\(path): " + faults.all.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; "))
    }
    return job
  }

  private static func report(_ text: String) { StandardError.write(line: "worker: \(text)") }
}
