import Foundation
import JSON

/// A line of `events.ndjson`.
struct WorkerEvent: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// The worker's newest standing; what it leaves out is as it was.
    case progress(JSONValue?, metrics: JSONValue?)
    /// A checkpoint of that step is on disk.
    case checkpoint(step: Int)
    /// For people and for pages of events: `warning` and whatever a worker may come to say.
    case other(String)
  }

  var attempt: Int
  var at: Date?
  var kind: Kind
  /// The line without what frames it.
  var body: JSONValue

  /// Nil for what is no event: the pool passes over it, for a line that a power cut has torn must not stop a job.
  init?(line: [UInt8]) {
    guard let json = try? JSONValue(parsing: line), var object = json.object,
      let attempt = json["attempt"]?.integer, let type = json["type"]?.string
    else { return nil }
    switch type {
    case "progress": kind = .progress(json["progress"], metrics: json["metrics"])
    case "checkpoint":
      guard let step = json["step"]?.integer, step >= 0 else { return nil }
      kind = .checkpoint(step: step)
    default: kind = .other(type)
    }
    self.attempt = attempt
    at = json["at"]?.string.flatMap(WorkerEvent.date)
    for name in ["attempt", "type", "at"] { object[name] = nil }
    body = .object(object)
  }

  private static func date(_ text: String) -> Date? {
    // RFC 3339, with a fraction or without.
    (try? Date(text, strategy: .iso8601)) ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
  }
}
