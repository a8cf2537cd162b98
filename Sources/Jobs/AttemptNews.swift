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

  /// A worker that tells more than this between two writes of the record has the rest of its series thinned: the newest values are
  /// kept either way. Chosen: a second of epochs of a small table.
  static let eventsMax = 1000

  package var progress: JSONValue?
  package var metrics: JSONValue?
  package var newestStep: Int?
  package var events: [Event]

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
      if metrics != metricsBefore, events.count < AttemptNews.eventsMax {
        events.append(Event(type: "metrics", body: event.body, at: event.at ?? now))
      }
    case .checkpoint(let step):
      newestStep = max(newestStep ?? step, step)
      add(Event(type: "checkpoint", body: event.body, at: event.at ?? now))
    case .other(let type):
      add(Event(type: type, body: event.body, at: event.at ?? now))
    }
  }

  private mutating func add(_ event: Event) {
    if events.count < AttemptNews.eventsMax { events.append(event) }
  }
}
