import JSON

/// How a worker's attempt at a job ended, as far as the state machine cares.
package enum AttemptEnding: Sendable, Hashable {
  /// The worker replaced `result.json`, and it says so.
  case succeeded(result: JSONValue?, metrics: JSONValue?)
  /// The worker replaced `result.json` with a failure: trying again would end the same way.
  case failed(Failure, metrics: JSONValue?)
  /// It was asked to stop, and went without a result.
  case stopped
  /// It went without a result, and nobody had asked.
  case died(Failure)
  /// The machine had no room for what it had to write, or took no writes: no fault of the job's, which goes on when that has passed.
  case hindered(Failure)

  var isDeath: Bool { if case .died = self { true } else { false } }
}

/// Why a job failed: `{"reason": …, "detail": …}` of a job's `error`.
package struct Failure: Sendable, Hashable {
  /// One word in `snake_case`, for programs.
  package var reason: String
  /// Sentences, for people.
  package var detail: String

  package init(reason: String, detail: String) {
    self.reason = reason
    self.detail = detail
  }

  package var json: JSONValue { ["reason": .string(reason), "detail": .string(detail)] }

  /// Nil where a text or the reason is missing.
  package init?(_ json: JSONValue?) {
    guard let json, let reason = json["reason"]?.string else { return nil }
    self.init(reason: reason, detail: json["detail"]?.string ?? "")
  }
}
