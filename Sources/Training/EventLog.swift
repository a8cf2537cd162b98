import Files
import Foundation
import JSON

/// The lines that a worker appends to `events.ndjson`: one JSON object a line, each with its attempt and time.
///
/// A line is written by one `write` on a descriptor opened for appending, so that a reader sees whole lines. A line that a killed
/// attempt, or a full disk, left unfinished is ended before the next. The log is for those who watch: a line that can't be written
/// ends no training. A class, for it owns the descriptor.
final class EventLog {
  private let attempt: Int
  private let file: FileHandle
  private var isLineUnfinished = false

  init(path: String, attempt: Int) throws {
    self.attempt = attempt
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Errno(code: errno, operation: "open", path: path) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    isLineUnfinished = try Self.endsWithin(line: path)
  }

  func progress(_ progress: JSONValue, metrics: JSONValue, epochEnded: Int? = nil) {
    var members: JSONObject = ["progress": progress, "metrics": metrics]
    if let epochEnded { members["epoch"] = .integer(epochEnded) }
    append("progress", members)
  }

  func checkpoint(step: Int) { append("checkpoint", ["step": .integer(step)]) }

  func samples(step: Int, epoch: Int, file: String) {
    append("samples", ["step": .integer(step), "epoch": .integer(epoch), "file": .string(file)])
  }

  func warning(_ detail: String) { append("warning", ["detail": .string(detail)]) }

  /// Brings what was written to the disk. A log that can't be is no reason to end otherwise.
  func sync() { try? file.synchronize() }

  private func append(_ type: String, _ members: JSONObject) {
    var line: JSONObject = ["attempt": .integer(attempt), "type": .string(type), "at": Date.now.rfc3339]
    for (key, value) in members { line[key] = value }
    let newline = UInt8(ascii: "\n")
    let bytes = (isLineUnfinished ? [newline] : []) + JSONValue.object(line).serializedBytes() + [newline]
    do {
      try file.write(contentsOf: bytes)
      isLineUnfinished = false
    } catch {
      isLineUnfinished = true
    }
  }

  private static func endsWithin(line path: String) throws -> Bool {
    let reader = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? reader.close() }  // Nothing was written through it.
    let end = try reader.seekToEnd()
    guard end > 0 else { return false }
    try reader.seek(toOffset: end - 1)
    return try reader.read(upToCount: 1)?.first != UInt8(ascii: "\n")
  }
}
