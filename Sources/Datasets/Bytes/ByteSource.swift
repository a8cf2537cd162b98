import Files

/// Where the bytes of an upload come from, in order: its file, what decompression makes of it, or one member of an archive.
protocol ByteSource: AnyObject {
  /// Reads what is there next into `bytes` from index `start` on, at least one byte; 0 is the end.
  func read(into bytes: inout [UInt8], from start: Int) throws(DecodeError) -> Int

  /// The bytes still to come; nil where only reading them all would tell.
  var remainingBytes: Int? { get }
}

/// The bytes of a file. A class, for it is a place in the file.
final class FileSource: ByteSource {
  let bytes: Int
  private(set) var position = 0
  private let file: OpenFile

  init(_ path: String) throws(DecodeError) {
    do {
      file = try OpenFile(reading: path)
      bytes = try file.status().bytes
    } catch {
      throw DecodeError(disk: error)
    }
  }

  var remainingBytes: Int? { bytes - position }

  func read(into buffer: inout [UInt8], from start: Int) throws(DecodeError) -> Int {
    do {
      let count = try file.read(into: &buffer, start..<buffer.count, at: position)
      position += count
      return count
    } catch {
      throw DecodeError(disk: error)
    }
  }

  /// The next read begins there, or at the end of the file where that is nearer.
  func seek(to place: Int) { position = min(max(place, 0), bytes) }
}
