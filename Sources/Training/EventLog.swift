import Files
import Foundation
import JSON

/// The lines that a worker appends to `events.ndjson`: one JSON object a line, each with its attempt and time.
///
/// A line is written by one `write` on a descriptor opened for appending, so that a reader sees whole lines, and so that a line of a
/// killed attempt is never half overwritten. A line that a killed attempt left unfinished is ended first.
struct EventLog {
  private let attempt: Int
  private let file: FileHandle

  init(path: String, attempt: Int) throws {
    self.attempt = attempt
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Errno(code: errno, operation: "open", path: path) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try endUnfinishedLine(path)
  }

  func progress(_ progress: JSONValue, metrics: JSONValue, epochEnded: Int? = nil) throws {
    var members: JSONObject = ["progress": progress, "metrics": metrics]
    if let epochEnded { members["epoch"] = .integer(epochEnded) }
    try append("progress", members)
  }

  func checkpoint(step: Int) throws { try append("checkpoint", ["step": .integer(step)]) }

  func samples(step: Int, epoch: Int, file: String) throws {
    try append("samples", ["step": .integer(step), "epoch": .integer(epoch), "file": .string(file)])
  }

  func warning(_ detail: String) throws { try append("warning", ["detail": .string(detail)]) }

  private func append(_ type: String, _ members: JSONObject) throws {
    var line: JSONObject = ["attempt": .integer(attempt), "type": .string(type), "at": .string(Self.now())]
    for (key, value) in members { line[key] = value }
    try file.write(contentsOf: JSONValue.object(line).serializedBytes() + [UInt8(ascii: "\n")])
  }

  private func endUnfinishedLine(_ path: String) throws {
    let reader = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? reader.close() }  // Nothing was written through it.
    let end = try reader.seekToEnd()
    guard end > 0 else { return }
    try reader.seek(toOffset: end - 1)
    if try reader.read(upToCount: 1)?.first != UInt8(ascii: "\n") { try file.write(contentsOf: [UInt8(ascii: "\n")]) }
  }

  /// RFC 3339, UTC, with milliseconds.
  static func now() -> String {
    Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
