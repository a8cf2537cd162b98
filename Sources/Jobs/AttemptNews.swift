import Foundation
import JSON

/// What a worker has told since the record last heard of it.
package struct AttemptNews: Sendable, Hashable {
  package struct Event: Sendable, Hashable {
    package var type: String
    package var body: JSONValue
    /// Nil for now.
    package var at: Date?

    package init(type: String, body: JSONValue, at: Date? = nil) {
      self.type = type
      self.body = body
      self.at = at
    }
  }

  /// Of a worker that tells more metrics than this between two writes of the record the rest is left out of the series, the newest values
  /// being kept either way; and so are warnings beyond as many. What has left a file, a checkpoint or samples, is always told. Chosen: a
  /// second of epochs of a small table.
  static let eventsMax = 1000

  package var progress: JSONValue?
  package var metrics: JSONValue?
  package var newestStep: Int?
  package var events: [Event]
  /// How many of the events are such as have a limit.
  private var metricsCount = 0
  private var otherCount = 0

  package init(progress: JSONValue? = nil, metrics: JSONValue? = nil, newestStep: Int? = nil, events: [Event] = []) {
    self.progress = progress
    self.metrics = metrics
    self.newestStep = newestStep
    self.events = events
  }

  package var isEmpty: Bool { progress == nil && metrics == nil && newestStep == nil && events.isEmpty }

  /// Something that should not wait for the next turn.
  var isUrgent: Bool { newestStep != nil }

  /// Takes up an event. Metrics become an event of their own where they differ from those before, which makes the series.
  mutating func hear(_ event: WorkerEvent, metricsBefore: JSONValue?) {
    let now = Date.recordable
    switch event.kind {
    case .progress(let progress, let metrics):
      if let progress { self.progress = progress }
      guard let metrics else { return }
      self.metrics = metrics
      if metrics != metricsBefore { addUpToLimit(Event(type: "metrics", body: event.body, at: event.at ?? now)) }
    case .checkpoint(let step):
      newestStep = max(newestStep ?? step, step)
      events.append(Event(type: "checkpoint", body: event.body, at: event.at ?? now))
    case .other("samples"):
      events.append(Event(type: "samples", body: event.body, at: event.at ?? now))
    case .other(let type):
      addUpToLimit(Event(type: type, body: event.body, at: event.at ?? now))
    }
  }

  private mutating func addUpToLimit(_ event: Event) {
    let isMetrics = event.type == "metrics"
    let count = isMetrics ? metricsCount : otherCount
    guard count < AttemptNews.eventsMax else { return }
    if isMetrics { metricsCount += 1 } else { otherCount += 1 }
    events.append(event)
  }
}
