import Dispatch
import Foundation
import JSON
import Logging

package final class WorkerPool: Sendable {
  package struct Settings: Sendable {
    /// At work at once, 1 or more.
    package var workersMax: Int
    /// A job's folder is `jobsFolder/<id>`.
    package var jobsFolder: String
    /// A model's folder is `modelsFolder/<id>`; made before its first attempt.
    package var modelsFolder: String
    /// Between SIGTERM and SIGKILL.
    package var graceSeconds: Double = 30
    /// How long a worker of a dead server may take to leave a folder before it is killed.
    package var folderWaitSeconds: Double = 5
    /// Deaths without a new checkpoint after which a job has failed.
    package var deathsMax = 3

    package init(workersMax: Int, jobsFolder: String, modelsFolder: String) {
      self.workersMax = workersMax
      self.jobsFolder = jobsFolder
      self.modelsFolder = modelsFolder
    }
  }

  private let record: Record

  package init(
    record: Record, engine: any Engine, settings: Settings, prepare: @escaping @Sendable (JobRecord) throws -> JSONValue,
    logger: Logger, onChange: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.record = record
  }

  package func start() throws {}
  package func wake() {}
  package func cancel(_ id: String) throws -> JobRecord { try record.apply(.cancel, to: id) }
  package func pause(_ id: String) throws -> JobRecord { try record.apply(.pause, to: id) }
  package func resume(_ id: String) throws -> JobRecord { try record.apply(.resume, to: id) }
  package func liveJob(_ id: String) throws -> JobRecord? { try record.job(id) }
  package func drain(completion: @escaping @Sendable () -> Void) {}
}
