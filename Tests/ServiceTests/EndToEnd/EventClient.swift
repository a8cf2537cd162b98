import Foundation
import JSON
import Testing

/// An event as a browser's EventSource would hand it on.
struct StreamedEvent: Equatable {
  var id: Int?
  var type = "message"
  var data: JSONValue = .null
}

/// `curl -N` on a job's events, read line by line as they come.
final class EventClient {
  private let process = Process()
  private let output = Pipe()
  private var received = Data()
  /// Comments and `retry` lines apart from events.
  private(set) var comments: [String] = []

  init(_ fount: FountProcess, job: String, after id: Int? = nil) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    process.arguments =
      ["-sS", "-N", "--max-time", "120", "-H", "Accept: text/event-stream"] + (id.map { ["-H", "Last-Event-ID: \($0)"] } ?? [])
      + ["\(fount.base)/v1/jobs/\(job)/events"]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  deinit { stop() }

  func stop() {
    if process.isRunning { process.terminate() }
  }

  /// Nil at the end of the stream.
  func next() throws -> StreamedEvent? {
    var event = StreamedEvent()
    while let line = nextLine() {
      if line.isEmpty {
        if event.id != nil { return event }
        continue
      }
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let value = parts.count > 1 ? parts[1].trimmingPrefix(" ") : ""
      switch parts[0] {
      case "id": event.id = Int(value)
      case "event": event.type = String(value)
      case "data": event.data = try JSONValue(parsing: String(value))
      default: comments.append(line)
      }
    }
    return nil
  }

  func rest() throws -> [StreamedEvent] {
    var events: [StreamedEvent] = []
    while let event = try next() { events.append(event) }
    return events
  }

  /// The exit status of curl: 0 for a stream that was ended in good order.
  var endStatus: Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  private func nextLine() -> String? {
    while true {
      if let end = received.firstIndex(of: 0x0A) {
        defer { received = Data(received[(end + 1)...]) }
        return String(decoding: received[received.startIndex..<end], as: UTF8.self)
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      received += more
    }
  }
}
