import Foundation
import JSON

/// What a command writes: results to standard output, everything else to standard error.
enum Console {
  static func print(_ text: String) { write(text + "\n", to: .standardOutput) }
  static func tell(_ text: String) { write(text + "\n", to: .standardError) }

  /// A server's answer as it came, which ends in a line's end.
  static func print(answer: [UInt8]) {
    write(answer.last == UInt8(ascii: "\n") ? Data(answer) : Data(answer + [UInt8(ascii: "\n")]), to: .standardOutput)
  }

  static func write(_ text: String, to handle: FileHandle) { write(Data(text.utf8), to: handle) }

  static func write(_ bytes: Data, to handle: FileHandle) {
    // A reader that has gone, as `head` does, is no fault of the command's.
    do { try handle.write(contentsOf: bytes) } catch { exit(0) }
  }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  /// Of standard error, where progress goes.
  static var tellsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Over the line that stands there.
  static func redraw(_ line: String) { write("\r\u{1B}[K\(line)", to: .standardError) }
}

/// Numbers as people read them.
enum Shown {
  /// Four digits that count; as it is where it is whole.
  static func number(_ value: JSONValue?) -> String {
    guard let number = value?.number else { return "–" }
    if let whole = value?.integer { return String(whole) }
    return String(format: abs(number) < 1e-3 || abs(number) >= 1e6 ? "%.3e" : "%.4g", number)
  }

  static func bytes(_ count: Int) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    guard let (factor, unit) = units.first(where: { count >= $0.0 }) else { return "\(count) bytes" }
    return String(format: "%.1f ", Double(count) / Double(factor)) + unit
  }

  static func duration(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 1e9).rounded(.up))
    if whole < 60 { return "\(whole) s" }
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// The day and minute of an RFC 3339 time.
  static func time(_ value: JSONValue?) -> String { String((value?.string ?? "").prefix(16)).replacing("T", with: " ") }
}
