/// Bytes in order, in pieces as they are asked for: the only way from an upload to a decoder, and the one that checks bounds.
///
/// Holds one window of 256 kB however much there is. What is asked for and is not there is a `DecodeError` that says what was to
/// come. A class, for it is a place among the bytes.
final class ByteReader {
  /// Bytes handed out so far.
  private(set) var offset = 0
  let place: ErrorPlace

  private let source: any ByteSource
  /// What was read and not yet handed out is `window[ready]`.
  private var window = [UInt8](repeating: 0, count: 1 << 18)
  private var ready = 0..<0

  /// The bytes of an upload.
  init(_ source: any ByteSource) {
    self.source = source
    place = source is FileSource ? .upload : .decompressed
  }

  /// The bytes of one member of an archive.
  init(member name: String, of archive: Archive) {
    source = archive
    place = .member(name)
  }

  /// The bytes still to come; nil where only reading them all would tell.
  var remainingBytes: Int? { source.remainingBytes.map { $0 + ready.count } }

  /// An error at the next byte, or at another.
  func error(_ kind: DecodeError.Kind, _ subject: String, _ detail: String, at offset: Int? = nil) -> DecodeError {
    place.error(kind, subject, detail, at: offset ?? self.offset)
  }

  /// The next bytes without taking them: fewer than `count` only where no more are there.
  func peek(_ count: Int) throws(DecodeError) -> [UInt8] {
    precondition(count <= window.count, "looking \(count) bytes ahead in a window of \(window.count)")
    while ready.count < count, try fill() {}
    return Array(window[ready].prefix(count))
  }

  /// The next `count` bytes.
  /// - Parameter subject: what they are, for the error if they are not all there.
  func take(_ count: Int, _ subject: String) throws(DecodeError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try take(count, into: &bytes, subject)
    return bytes
  }

  /// The next `count` bytes, into the front of a buffer.
  func take(_ count: Int, into buffer: inout [UInt8], _ subject: String) throws(DecodeError) {
    precondition(count <= buffer.count, "\(count) bytes into \(buffer.count)")
    let done = try takeSome(count, into: &buffer)
    guard done == count else {
      throw error(.malformed, subject, "the data ends here, after \(done) of \(count) bytes: it is cut off")
    }
  }

  /// The next bytes into the front of a buffer: fewer than `count` only where no more are there.
  func takeSome(_ count: Int, into buffer: inout [UInt8]) throws(DecodeError) -> Int {
    precondition(count <= buffer.count, "\(count) bytes into \(buffer.count)")
    var done = 0
    while done < count {
      if ready.isEmpty, try !fill() { break }
      let part = min(ready.count, count - done)
      Numbers.copy(window, from: ready.lowerBound, count: part, into: &buffer, at: done)
      ready = ready.lowerBound + part..<ready.upperBound
      done += part
      offset += part
    }
    return done
  }

  /// Leaves bytes out that must be there.
  func skip(_ count: Int, _ subject: String) throws(DecodeError) {
    var done = 0
    while done < count {
      if ready.isEmpty, try !fill() {
        throw error(.malformed, subject, "the data ends here, after \(done) of \(count) bytes: it is cut off")
      }
      let part = min(ready.count, count - done)
      ready = ready.lowerBound + part..<ready.upperBound
      done += part
      offset += part
    }
  }

  /// All that is left, for what must be in memory as a whole.
  func takeAll(bytesMax: Int) throws(DecodeError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      if ready.isEmpty, try !fill() { return bytes }
      guard bytes.count + ready.count <= bytesMax else {
        throw error(.tooLarge, "the file", "is longer than \(bytesMax) bytes, the most that is allowed", at: bytesMax)
      }
      bytes += window[ready]
      offset += ready.count
      ready = 0..<0
    }
  }

  func isAtEnd() throws(DecodeError) -> Bool {
    if !ready.isEmpty { return false }
    return try !fill()
  }

  /// Adds to the window; false at the end.
  private func fill() throws(DecodeError) -> Bool {
    if !ready.isEmpty { Numbers.moveToFront(&window, ready) }
    ready = 0..<ready.count
    let count = try source.read(into: &window, from: ready.count)
    ready = 0..<ready.count + count
    return count > 0
  }
}

/// Which bytes an error's offset counts.
enum ErrorPlace: Hashable {
  case upload
  /// The upload's, after decompression.
  case decompressed
  /// Those of one member of an archive.
  case member(String)

  func error(_ kind: DecodeError.Kind, _ subject: String, _ detail: String, at offset: Int? = nil) -> DecodeError {
    switch self {
    case .upload: DecodeError(kind, subject, detail, offset: offset)
    case .decompressed: DecodeError(kind, subject, detail, offset: offset, isCompressed: true)
    case .member(let name): DecodeError(kind, "\(Archive.shown(name)), \(subject)", detail, offset: offset)
    }
  }
}
