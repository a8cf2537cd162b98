/// Tells an upload's format by its first bytes. Names and declared types are never looked at: they are the user's guess.
enum Sniffing {
  /// What is accepted, for every refusal.
  static let accepted = "IDX and NPY are accepted, each plain or gzipped"

  static func readLayout(_ reader: ByteReader) throws(DecodeError) -> ArrayLayout {
    let head = try reader.peek(headBytes)
    if head.isEmpty { throw reader.error(.malformed, "the upload", "decompresses to nothing") }
    if NPY.isMagic(head) { return try NPY.readLayout(reader) }
    // Two zero bytes begin nothing else that is told apart here: an IDX file, its type or its length wrong perhaps.
    if head.starts(with: [0, 0]) { return try IDX.readLayout(reader) }
    if head.starts(with: ByteReader.gzipMagic) {
      throw reader.error(.unsupported, "the upload", "is gzip inside gzip; one layer is allowed")
    }
    throw reader.error(.unsupported, "the upload", "is \(name(of: head)); \(accepted)")
  }

  /// Enough for the mark of a TAR archive, the farthest in.
  private static let headBytes = 512

  private struct Signature {
    let offset: Int
    let bytes: [UInt8]
    let name: String

    init(_ bytes: [UInt8], _ name: String, at offset: Int = 0) {
      self.offset = offset
      self.bytes = bytes
      self.name = name
    }
  }

  /// Formats that are known by sight and refused by name.
  private static let refused = [
    Signature([0x50, 0x4b, 0x03, 0x04], "a ZIP archive (an NPZ is one too)"), Signature([0x50, 0x4b, 0x05, 0x06], "an empty ZIP archive"),
    Signature([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], "one PNG picture"), Signature([0xff, 0xd8, 0xff], "one JPEG picture"),
    Signature(Array("GIF8".utf8), "one GIF picture"), Signature(Array("RIFF".utf8), "a RIFF file (WebP, WAV)"),
    Signature([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz data"), Signature([0x28, 0xb5, 0x2f, 0xfd], "zstd data"),
    Signature(Array("BZh".utf8), "bzip2 data"), Signature([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
    Signature(Array("PAR1".utf8), "a Parquet file"), Signature(Array("MATLAB".utf8), "a MATLAB file"),
    Signature([0x80, 0x02], "a Python pickle, which is never loaded here"),
    Signature([0x80, 0x03], "a Python pickle, which is never loaded here"),
    Signature([0x80, 0x04], "a Python pickle, which is never loaded here"),
    Signature([0x80, 0x05], "a Python pickle, which is never loaded here"),
    Signature(Array("ustar".utf8), "a TAR archive", at: 257),
  ]

  private static func name(of head: [UInt8]) -> String {
    if let known = refused.first(where: { head.dropFirst($0.offset).starts(with: $0.bytes) }) { return known.name }
    let isText = head.allSatisfy { (0x20...0x7e).contains($0) || (0x09...0x0d).contains($0) }
    let start = head.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    return isText ? "text" : "of no known format (it begins with the bytes \(start))"
  }
}
