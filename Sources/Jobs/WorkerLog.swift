import Files

/// The file that a job's workers write their output and errors to, one attempt after the other.
struct WorkerLog {
  /// Enough for a trap's message and some lines before it.
  static let lastWordsBytesMax = 2048
  /// What is looked at of the end: more than the Swift runtime's backtrace, which follows the message that matters.
  static let tailBytesMax = 65_536

  let path: String

  /// How long it is: where the next attempt's part begins.
  func count() -> Int {
    // A log that can't be looked at has nothing to say.
    (try? Disk.status(of: path))??.bytes ?? 0
  }

  /// The last lines that the worker itself wrote from `start` on, as text; a backtrace after them stays in the log.
  func lastWords(from start: Int) -> String {
    let end = count()
    let first = max(start, end - WorkerLog.tailBytesMax)
    guard first < end, let file = try? OpenFile(reading: path) else { return "" }
    var bytes = [UInt8](repeating: 0, count: end - first)
    guard let count = try? file.read(into: &bytes, 0..<bytes.count, at: first) else { return "" }
    var words = bytes[..<count]
    if let backtrace = words.firstRange(of: Array("\n*** Signal ".utf8)) { words = words[..<backtrace.lowerBound] }
    let isCut = words.count > WorkerLog.lastWordsBytesMax || first > start
    words = words.suffix(WorkerLog.lastWordsBytesMax)
    // What begins in the middle of a line begins with the next.
    if isCut, let newline = words.firstIndex(of: 0x0A) { words = words[(newline + 1)...] }
    return String(decoding: words, as: UTF8.self).trimmingWhitespace()
  }
}

extension String {
  fileprivate func trimmingWhitespace() -> String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
