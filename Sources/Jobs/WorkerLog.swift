import Files

/// The file that a job's workers write their output and errors to, one attempt after the other.
struct WorkerLog {
  /// Enough for a trap's message and some lines before it.
  static let lastWordsBytesMax = 2048

  let path: String

  /// How long it is: where the next attempt's part begins.
  func count() -> Int {
    // A log that can't be looked at has nothing to say.
    (try? Disk.status(of: path))??.bytes ?? 0
  }

  /// The last lines from `start` on, as text.
  func lastWords(from start: Int) -> String {
    let end = count()
    let first = max(start, end - WorkerLog.lastWordsBytesMax)
    guard first < end, let file = try? OpenFile(reading: path) else { return "" }
    var bytes = [UInt8](repeating: 0, count: end - first)
    guard let count = try? file.read(into: &bytes, 0..<bytes.count, at: first) else { return "" }
    var words = bytes[..<count]
    // What begins in the middle of a line begins with the next.
    if first > start, let newline = words.firstIndex(of: 0x0A) { words = words[(newline + 1)...] }
    return String(decoding: words, as: UTF8.self).trimmingWhitespace()
  }
}

extension String {
  fileprivate func trimmingWhitespace() -> String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
