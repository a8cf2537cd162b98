import Foundation
import HTTP
import JSON
import Jobs
import Logging
import Synchronization

/// One client that listens to a job's events, from the record: whenever its connection has room it is given what came after the last
/// that it was given, a bounded part at a time. So nothing is ever missing or doubled, however slow it reads, and no queue grows.
///
/// A class for its identity: its stream and the watch share it. What is mutable is behind a mutex; `look` runs on the watch's thread alone.
final class EventListener: Sendable {
  private struct State {
    /// The number of the last event that was written.
    var cursor: Int
    /// Nil before the answer's head is sent and after the end.
    var stream: ResponseStream?
    var token: Int?
    var hasRoom = false
  }

  private let job: String
  private let record: Record
  private let watch: JobWatch
  private let logger: Logger
  private let state: Mutex<State>

  /// Events in one part. Chosen: with the longest warnings some hundred kilobytes.
  private static let partEventsMax = 100

  /// - Parameter number: the event that the client had last; 0 replays all.
  init(job: String, after number: Int, record: Record, watch: JobWatch, logger: Logger) {
    self.job = job
    self.record = record
    self.watch = watch
    self.logger = logger
    state = Mutex(State(cursor: number))
  }

  /// Proxies and browsers give up on a silent connection after 30 seconds or more. Chosen.
  private static let heartbeatSeconds = 15.0

  /// The body of the answer, which keeps this listener as long as it lasts.
  func stream() -> ResponseStream {
    ResponseStream(
      // A part is written only when there is room: this is a bound for a bug alone, above the longest lines that a worker is heard with.
      bytesMax: 1 << 30, heartbeat: .init(bytes: Array(": still here\n\n".utf8), seconds: Self.heartbeatSeconds),
      onRoom: { self.roomCame(in: $0) }, onEnd: { self.end() })
  }

  /// On the connection's shard: what can be written is read on the watch's thread.
  private func roomCame(in stream: ResponseStream) {
    let token = state.withLock { state in
      state.hasRoom = true
      state.stream = stream
      return state.token
    }
    if let token { return watch.wake(token) }
    let added = watch.add(job: job) { _ in self.look() }
    state.withLock { $0.token = added }
  }

  private func look() {
    guard let (stream, cursor) = state.withLock({ state in state.hasRoom ? state.stream.map { ($0, state.cursor) } : nil }) else { return }
    do {
      // Asked before, so that the event of its finish is among those that are read after.
      let isFinished = try record.isFinished(job)
      let events = try record.events(of: job, after: cursor, limit: Self.partEventsMax)
      guard let last = events.last else { return isFinished ? stream.finish() : () }
      state.withLock { state in
        state.cursor = last.number
        state.hasRoom = false
      }
      stream.write(events.flatMap(\.serverSentBytes))
      if isFinished ? events.count < Self.partEventsMax : events.contains(where: \.isFinish) { stream.finish() }
    } catch {
      // The client comes back, and goes on after what it has.
      logger.error("a job's events can't be read: \(error)", metadata: ["job": "\(job)"])
      stream.finish()
    }
  }

  private func end() {
    let token = state.withLock { state in
      state.stream = nil
      return state.token
    }
    if let token { watch.remove(token) }
  }
}

extension JobEvent {
  /// After a job's finish nothing comes but warnings of what becomes of its files.
  var isFinish: Bool { type == "status" && body["status"]?.string.flatMap(JobStatus.init)?.isFinished == true }

  /// The event as the interface tells it.
  var view: JSONValue {
    var data = body
    if type == "samples", let epoch = body["epoch"]?.integer, var object = body.object {
      object["file"] = nil
      object["picture"] = "/v1/jobs/\(job)/samples/\(epoch).png"
      data = .object(object)
    }
    return ["id": .integer(number), "job": .string(job), "type": .string(type), "at": at.rfc3339, "data": data]
  }

  /// As `text/event-stream` has it (WHATWG HTML §9.2.5). The JSON has no line's end in it, and a type is a word.
  var serverSentBytes: [UInt8] {
    let name = type.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") } ? "event: \(type)\n" : ""
    return Array("id: \(number)\n\(name)data: ".utf8) + view.serializedBytes() + Array("\n\n".utf8)
  }
}
