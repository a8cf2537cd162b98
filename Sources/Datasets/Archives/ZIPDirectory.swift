/// The end of a ZIP (APPNOTE §4.3.16), which a ZIP that was cut off has lost.
enum ZIPDirectory {
  private static let mark: [UInt8] = [0x50, 0x4b, 5, 6]
  private static let endBytes = 22
  private static let commentBytesMax = 65_535

  /// How many members the archive says that it has; nil where that is told in ZIP64's own record.
  static func memberCount(_ source: any ByteSource) throws(DecodeError) -> Int? {
    guard let file = source as? FileSource else {
      throw DecodeError(.unsupported, "the archive", "is a ZIP in gzip, xz or zstd; a ZIP must stand alone")
    }
    let (place, bytes) = (file.position, min(file.bytes, endBytes + commentBytesMax))
    defer { file.seek(to: place) }
    file.seek(to: file.bytes - bytes)
    var tail = [UInt8](repeating: 0, count: bytes)
    var done = 0
    while done < bytes {
      let count = try file.read(into: &tail, from: done)
      if count == 0 { break }
      done += count
    }
    var start = bytes - endBytes
    while start >= 0 {
      if tail[start..<start + mark.count].elementsEqual(mark) {
        let count = Int(tail[start + 10]) | Int(tail[start + 11]) << 8
        return count == 0xffff ? nil : count
      }
      start -= 1
    }
    throw DecodeError(.malformed, "the archive", "has no directory at its end: it is cut off")
  }
}
