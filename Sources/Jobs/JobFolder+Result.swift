import Files
import JSON

extension JobFolder {
  /// A result holds metrics and an evaluation's values, never samples. Chosen.
  private static let resultBytesMax = 16 << 20

  /// What `result.json` says of one of these attempts; nil where there is none, or one of another attempt.
  func ending(ofAttempts attempts: ClosedRange<Int>) -> AttemptEnding? {
    do {
      let json = try JSONValue(parsing: try Disk.read(result, bytesMax: JobFolder.resultBytesMax))
      guard let attempt = json["attempt"]?.integer else { return .died(.invalidResult("it names no attempt")) }
      return attempts.contains(attempt) ? AttemptEnding(result: json) : nil
    } catch let error as Errno where error.meansAbsent {
      return nil
    } catch {
      return .died(.invalidResult("\(error)"))
    }
  }
}

extension AttemptEnding {
  fileprivate init(result json: JSONValue) {
    /// Null is what a worker writes where it has nothing to tell: what was known before stays.
    func told(_ name: String) -> JSONValue? { json[name].flatMap { $0.isNull ? Optional<JSONValue>.none : $0 } }
    switch json["status"]?.string {
    case "succeeded": self = .succeeded(result: told("result"), metrics: told("metrics"))
    case "failed":
      let unnamed = Failure(reason: "worker_failed", detail: "The worker named no reason.")
      self = .failed(Failure(json["failure"]) ?? unnamed, metrics: told("metrics"))
    default: self = .died(.invalidResult("its status is neither succeeded nor failed"))
    }
  }
}

extension Failure {
  fileprivate static func invalidResult(_ detail: String) -> Failure {
    Failure(reason: "invalid_result", detail: "The worker left a result that can't be read: \(detail).")
  }
}
