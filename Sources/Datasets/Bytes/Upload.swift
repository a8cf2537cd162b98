/// An upload as it lies on disk, and what it may cost. Each reading of it begins anew.
struct Upload {
  let path: String
  let limits: DecodeLimits

  /// The upload's bytes, decompressed where they are compressed as a whole.
  func source() throws(DecodeError) -> any ByteSource {
    let file = try FileSource(path)
    var head = [UInt8](repeating: 0, count: 6)
    let count = try file.read(into: &head, from: 0)
    guard count > 0 else { throw DecodeError(.malformed, "the upload", "is empty", offset: 0) }
    file.seek(to: 0)
    switch Compression(head: Array(head[..<count])) {
    case .gzip: return GzipSource(file, limits)
    case .xz: return FilteredSource(file, "xz", limits)
    case .zstd: return FilteredSource(file, "zstd", limits)
    case nil: return file
    }
  }

  func reader() throws(DecodeError) -> ByteReader { ByteReader(try source()) }
}

/// What an upload may be compressed by as a whole, told by its first bytes.
enum Compression: String, CaseIterable {
  case gzip, xz, zstd

  init?(head: [UInt8]) {
    guard let found = Self.allCases.first(where: { head.starts(with: $0.magic) }) else { return nil }
    self = found
  }

  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1f, 0x8b]
    case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
    case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
    }
  }
}
