import Files

/// The SHA-256 that a file of ours carries of itself, taken over the file with the digest's own letters as zeros.
extension Safetensors {
  static func check(_ digest: String, of bytes: [UInt8], dataStart: Int) throws(SafetensorsError) {
    var hash = try headHash(digest, head: Array(bytes[..<dataStart]))
    hash.update(bytes.span.extracting(dataStart...))
    guard hash.finish().hex == digest else { throw .digest }
  }

  /// Reads a file through, in pieces, and compares: one changed bit anywhere is seen.
  ///
  /// - Parameter head: the file's beginning, as far as its header goes, in which the digest stands.
  static func check(_ digest: String, ofFile path: String, head: [UInt8]) throws {
    let file = try OpenFile(reading: path)
    var hash = try headHash(digest, head: head)
    var (offset, piece) = (head.count, [UInt8](repeating: 0, count: pieceBytes))
    while true {
      let count = try file.read(into: &piece, 0..<piece.count, at: offset)
      if count == 0 { break }
      hash.update(piece.span.extracting(..<count))
      offset += count
    }
    guard hash.finish().hex == digest else { throw SafetensorsError.digest }
  }

  /// Chosen; nothing depends on it.
  private static let pieceBytes = 1 << 18

  private static func headHash(_ digest: String, head: [UInt8]) throws(SafetensorsError) -> SHA256 {
    let letters = Array(digest.utf8)
    guard letters.count == 64, let place = head.dropFirst(8).firstRange(of: letters) else { throw .digest }
    var hash = SHA256()
    hash.update(head.span.extracting(..<place.lowerBound))
    hash.update([UInt8](repeating: UInt8(ascii: "0"), count: 64))
    hash.update(head.span.extracting(place.upperBound...))
    return hash
  }
}
