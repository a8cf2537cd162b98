import Foundation
import JSON
import Logging
import Synchronization

/// A log of JSON lines: `{"time", "level", "label", "message", …metadata}`.
package struct JSONLineLog: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var logLevel: Logger.Level = .info
  private let label: String
  private let writer: LineWriter

  package init(label: String, to writer: LineWriter) {
    self.label = label
    self.writer = writer
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var line: JSONObject = [
      "time": Date().rfc3339, "level": .string(event.level.rawValue), "label": .string(label),
      "message": .string("\(event.message)"),
    ]
    let told = metadata.merging(event.metadata ?? [:]) { _, own in own }
    for (key, value) in told.sorted(by: { $0.key < $1.key }) { line[key] = Self.json(value) }
    writer.write(JSONValue.object(line).serializedBytes() + [0x0A])
  }

  private static func object(_ values: Logger.Metadata) -> JSONObject {
    var object = JSONObject()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) { object[key] = json(value) }
    return object
  }

  /// Numbers stay numbers.
  private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
    switch value {
    case .string(let text): .string(text)
    case .stringConvertible(let number as Int): .integer(number)
    case .stringConvertible(let number as Double): .number(number)
    case .stringConvertible(let other): .string(other.description)
    case .array(let values): .array(values.map(json))
    case .dictionary(let values): .object(object(values))
    }
  }
}

/// Writes lines on a queue of its own: a reader that is slow, or a full disk, must not hold a shard. What is more than it keeps is lost,
/// and the loss is told by the next line that finds room.
///
/// A class because it has a lock and a file.
package final class LineWriter: Sendable {
  private struct Waiting {
    var bytes: [UInt8] = []
    var lostLines = 0
    var isScheduled = false
  }

  private let file: FileHandle
  private let queue = DispatchQueue(label: "fount.lines")
  private let waiting = Mutex(Waiting())
  private static let waitingBytesMax = 4 << 20

  package init(_ file: FileHandle) { self.file = file }

  func write(_ line: [UInt8]) {
    let mustSchedule = waiting.withLock { waiting in
      guard waiting.bytes.count + line.count <= Self.waitingBytesMax else {
        waiting.lostLines += 1
        return false
      }
      if waiting.lostLines > 0 {
        waiting.bytes += "{\"level\":\"warning\",\"message\":\"lines were lost\",\"lines\":\(waiting.lostLines)}\n".utf8
        waiting.lostLines = 0
      }
      waiting.bytes += line
      defer { waiting.isScheduled = true }
      return !waiting.isScheduled
    }
    if mustSchedule { queue.async { [self] in flush() } }
  }

  private func flush() {
    let bytes = waiting.withLock { waiting in
      defer { (waiting.bytes, waiting.isScheduled) = ([], false) }
      return waiting.bytes
    }
    // A log that can't be written has nobody to be told of.
    try? file.write(contentsOf: Data(bytes))
  }
}
