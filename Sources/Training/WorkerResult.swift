import Files
import JSON

/// How an attempt ended, as `result.json` tells the pool.
enum WorkerResult: Sendable {
  case succeeded(metrics: JSONValue, result: JSONValue)
  case failed(WorkerFailure)

  func json(attempt: Int) -> JSONValue {
    switch self {
    case .succeeded(let metrics, let result):
      ["attempt": .integer(attempt), "status": "succeeded", "failure": nil, "metrics": metrics, "result": result]
    case .failed(let failure):
      ["attempt": .integer(attempt), "status": "failed", "failure": failure.json, "metrics": nil, "result": nil]
    }
  }
}

/// Why a job can't succeed, however often it is tried.
struct WorkerFailure: Error, Sendable, Equatable {
  /// One word that a script can act on.
  enum Reason: String, Sendable {
    /// job.json is not one that this program can run.
    case invalidJob = "invalid_job"
    case dataset
    case checkpoint
    /// A loss that is no number, or infinite.
    case diverged
  }

  let reason: Reason
  let detail: String

  init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  var json: JSONValue { ["reason": .string(reason.rawValue), "detail": .string(detail)] }
}
