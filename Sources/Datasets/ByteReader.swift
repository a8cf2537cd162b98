import Files

/// An upload's bytes in order, decompressed where it is gzip: the only way from an upload to a decoder, and the one that checks bounds.
///
/// Holds one window of 256 kB whatever the upload's size. What is asked for and is not there is a `DecodeError` that says what was to
/// come. A class, for it is a place in a file.
final class ByteReader {
  /// Bytes handed out so far: of the decompressed data, when it is compressed.
  private(set) var offset = 0
  let isCompressed: Bool

  private let file: OpenFile
  private let fileBytes: Int
  private let limits: DecodeLimits
  /// What was read and not yet handed out is `window[ready]`.
  private var window = [UInt8](repeating: 0, count: 1 << 18)
  private var ready = 0..<0
  private var gunzip: Gunzip?
  /// What was read of the file and not yet decompressed is `compressed[waiting]`.
  private var compressed: [UInt8] = []
  private var waiting = 0..<0
  private var compressedBytesTaken = 0
  private var decompressedBytes = 0
  private var isMemberOpen = false

  /// Opens an upload; one that is empty is refused.
  init(upload path: String, limits: DecodeLimits) throws(DecodeError) {
    do {
      file = try OpenFile(reading: path)
      fileBytes = try file.status().bytes
    } catch {
      throw DecodeError(disk: error)
    }
    self.limits = limits
    var head = [UInt8](repeating: 0, count: 2)
    let count: Int
    do { count = try file.read(into: &head, 0..<2, at: 0) } catch { throw DecodeError(disk: error) }
    guard count > 0 else { throw DecodeError(.malformed, "the upload", "is empty", offset: 0) }
    isCompressed = count == 2 && head == Self.gzipMagic
    if isCompressed {
      gunzip = Gunzip()
      compressed = [UInt8](repeating: 0, count: 1 << 16)
      isMemberOpen = true
    }
  }

  static let gzipMagic: [UInt8] = [0x1f, 0x8b]

  /// The bytes still to come; nil where only decompressing them all would tell.
  var remainingBytes: Int? { isCompressed ? nil : fileBytes - offset }

  /// An error at the next byte, or at another.
  func error(_ kind: DecodeError.Kind, _ subject: String, _ detail: String, at offset: Int? = nil) -> DecodeError {
    DecodeError(kind, subject, detail, offset: offset ?? self.offset, isCompressed: isCompressed)
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
    var done = 0
    while done < count {
      if ready.isEmpty {
        guard try fill() else {
          throw error(.malformed, subject, "the data ends here, after \(done) of \(count) bytes: it is cut off", at: offset + done)
        }
      }
      let part = min(ready.count, count - done)
      Numbers.copy(window, from: ready.lowerBound, count: part, into: &buffer, at: done)
      ready = ready.lowerBound + part..<ready.upperBound
      done += part
    }
    offset += count
  }

  func isAtEnd() throws(DecodeError) -> Bool {
    if !ready.isEmpty { return false }
    return try !fill()
  }

  /// Adds to the window; false at the end.
  private func fill() throws(DecodeError) -> Bool {
    if !ready.isEmpty {
      Numbers.moveToFront(&window, ready)
    }
    ready = 0..<ready.count
    if isCompressed { return try fillDecompressed() }
    let count: Int
    do { count = try file.read(into: &window, from: ready.count) } catch { throw DecodeError(disk: error) }
    ready = 0..<ready.count + count
    return count > 0
  }
}

/// Gzip: members follow one another (RFC 1952 §2.2), and each ends with its checksum.
extension ByteReader {
  private func fillDecompressed() throws(DecodeError) -> Bool {
    guard let gunzip else { return false }
    while true {
      if waiting.isEmpty, try !readCompressed() {
        guard isMemberOpen else { return false }
        throw gzipError(.malformed, "the compressed data ends before its checksum: it is cut off")
      }
      if !isMemberOpen { try openMember(gunzip) }
      let (taken, written, outcome) = gunzip.decompress(&compressed, waiting, into: &window, from: ready.count)
      waiting = waiting.lowerBound + taken..<waiting.upperBound
      compressedBytesTaken += taken
      decompressedBytes += written
      try checkLimits()
      switch outcome {
      case .damaged(let reason): throw gzipError(.malformed, "the compressed data is damaged: \(reason)")
      case .memberEnded: isMemberOpen = false
      case .goesOn: break
      }
      if written > 0 {
        ready = 0..<ready.count + written
        return true
      }
    }
  }

  private func openMember(_ gunzip: Gunzip) throws(DecodeError) {
    if waiting.count == 1 { _ = try readCompressed() }
    guard compressed[waiting].starts(with: Self.gzipMagic) else {
      throw gzipError(.malformed, "bytes follow the compressed data that are no gzip member")
    }
    gunzip.startMember()
    isMemberOpen = true
  }

  private func readCompressed() throws(DecodeError) -> Bool {
    Numbers.moveToFront(&compressed, waiting)
    let count: Int
    do { count = try file.read(into: &compressed, from: waiting.count) } catch { throw DecodeError(disk: error) }
    waiting = 0..<waiting.count + count
    return count > 0
  }

  private func checkLimits() throws(DecodeError) {
    // A header more than the numbers themselves may take.
    guard decompressedBytes <= limits.bytesMax + NPY.headerBytesMax else {
      throw gzipError(.tooLarge, "decompresses to more than \(limits.bytesMax) bytes, the most that is allowed")
    }
    let (most, overflows) = compressedBytesTaken.multipliedReportingOverflow(by: limits.ratioMax)
    guard overflows || decompressedBytes <= max(limits.ratioFreeBytes, most) else {
      throw gzipError(
        .tooLarge,
        "decompresses to more than \(limits.ratioMax) times its size, the most that is allowed past \(limits.ratioFreeBytes) bytes")
    }
  }

  /// An error in the compressed bytes, placed among them.
  private func gzipError(_ kind: DecodeError.Kind, _ detail: String) -> DecodeError {
    DecodeError(kind, "gzip", detail, offset: compressedBytesTaken)
  }
}
