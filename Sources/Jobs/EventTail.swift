import Files

/// Reads the whole lines of a file that another process appends to, each once, in order.
///
/// A line without its end is left for the next time. A line longer than any worker writes is skipped, so that memory stays bounded.
package struct EventTail {
  /// Chosen: a worker's line has hundreds of bytes.
  package static let lineBytesMax = 1 << 20

  package let path: String
  /// Everything before it has been read, in whole lines.
  package private(set) var offset: Int
  private var isInsideSkippedLine = false

  package init(_ path: String, offset: Int = 0) {
    self.path = path
    self.offset = offset
  }

  /// The lines that have come since, without their ends, up to `lineBytesMax` bytes at a time; none at the end, or without a file.
  package mutating func readLines() throws(Errno) -> [[UInt8]] {
    guard let status = try Disk.status(of: path) else { return [] }
    // A power cut has taken back what was not synced. All of what is left was read before; what comes is new.
    if status.bytes < offset { (offset, isInsideSkippedLine) = (status.bytes, false) }
    while status.bytes > offset {
      var chunk = [UInt8](repeating: 0, count: min(status.bytes - offset, EventTail.lineBytesMax))
      let file = try OpenFile(reading: path)
      let count = try file.read(into: &chunk, 0..<chunk.count, at: offset)
      let lines = take(chunk[..<count])
      if !lines.isEmpty || !isInsideSkippedLine { return lines }
    }
    return []
  }

  /// All that there is.
  package mutating func readToEnd() throws(Errno) -> [[UInt8]] {
    var all: [[UInt8]] = []
    while true {
      let lines = try readLines()
      if lines.isEmpty { return all }
      all += lines
    }
  }

  /// Ends a line that a killed worker has left open, so that the next worker's first line is not glued to it.
  package func endOpenLine() throws(Errno) {
    guard let status = try Disk.status(of: path), status.bytes > 0 else { return }
    var last: [UInt8] = [0]
    _ = try OpenFile(reading: path).read(into: &last, 0..<1, at: status.bytes - 1)
    if last != [0x0A] { try OpenFile(appending: path).write([0x0A].span) }
  }

  private mutating func take(_ chunk: ArraySlice<UInt8>) -> [[UInt8]] {
    guard let end = chunk.lastIndex(of: 0x0A) else {
      if chunk.count == EventTail.lineBytesMax || isInsideSkippedLine {
        isInsideSkippedLine = true
        offset += chunk.count
      }
      return []
    }
    var lines = chunk[..<end].split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    if isInsideSkippedLine {
      lines.removeFirst()
      isInsideSkippedLine = false
    }
    offset += end + 1
    return lines
  }
}
