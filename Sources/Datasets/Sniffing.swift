/// Tells an upload's format by its first bytes. Its name and its declared type are never looked at: they are the user's guess.
enum Sniffing {
  /// What is accepted, for every refusal.
  static let accepted =
    "IDX, NPY, NPZ, CIFAR's binary files, CSV, safetensors, and PNG and JPEG pictures in a ZIP or TAR are accepted, each plain or in gzip, "
    + "xz or zstd"

  /// - Parameter wanted: what the client says that it is, for the one format that has no mark.
  static func format(of upload: Upload, wanted: UploadFormat?) throws(DecodeError) -> UploadFormat {
    let reader = try upload.reader()
    let head = try reader.peek(headBytes)
    if head.isEmpty { throw reader.error(.malformed, "the upload", "decompresses to nothing") }
    if NPY.isMagic(head) { return .npy }
    if SafetensorsHeader.begins(head) { return .safetensors }
    if isArchive(head) { return try ArchiveContents.format(of: upload) }
    if let wanted = wanted.flatMap(CIFAR.init) { return wanted.format }
    if !IDX.begins(head), let version = CIFAR(head: head, bytes: reader.remainingBytes) { return version.format }
    // Two zero bytes begin nothing else that is told apart here: an IDX file, its type or its length wrong perhaps.
    if head.starts(with: [0, 0]) { return .idx }
    if let refused = refused.first(where: { $0.begins(head) }) {
      throw reader.error(.unsupported, "the upload", "is \(refused.name); \(accepted)")
    }
    if let compression = Compression(head: head) {
      let outer = try outer(upload)
      throw reader.error(.unsupported, "the upload", "is \(compression.rawValue) inside \(outer); one layer is allowed")
    }
    if isText(head) { return .csv }
    throw reader.error(.unsupported, "the upload", "is \(name(of: head)); \(accepted)")
  }

  /// Enough for two records of CIFAR.
  static let headBytes = 1 << 13

  private static func outer(_ upload: Upload) throws(DecodeError) -> String {
    let file = try FileSource(upload.path)
    var head = [UInt8](repeating: 0, count: 6)
    _ = try file.read(into: &head, from: 0)
    return Compression(head: head)?.rawValue ?? ""
  }

  static func isArchive(_ head: [UInt8]) -> Bool {
    head.starts(with: [0x50, 0x4b, 3, 4]) || head.starts(with: [0x50, 0x4b, 5, 6]) || isTAR(head)
  }

  /// A TAR's first header holds the sum of its own 512 bytes in octal, its own 8 bytes counted as spaces (POSIX, pax, ustar format).
  private static func isTAR(_ head: [UInt8]) -> Bool {
    guard head.count >= 512 else { return false }
    let field = head[148..<156]
    let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
    guard !digits.isEmpty else { return false }
    let told = digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }
    return told == head[..<512].reduce(0) { $0 + Int($1) } - field.reduce(0) { $0 + Int($1) } + 8 * 0x20
  }

  private struct Signature {
    let bytes: [UInt8]
    let name: String
    let offset: Int

    init(_ bytes: [UInt8], _ name: String, at offset: Int = 0) { (self.bytes, self.name, self.offset) = (bytes, name, offset) }

    func begins(_ head: [UInt8]) -> Bool { head.dropFirst(offset).starts(with: bytes) }
  }

  /// Formats that are known by sight and refused by name.
  private static let refused =
    [
      Signature(PNGFile.signature, "one PNG picture; many of them go into a ZIP or TAR"),
      Signature([0xff, 0xd8, 0xff], "one JPEG picture; many of them go into a ZIP or TAR"),
      Signature(Array("GIF8".utf8), "one GIF picture"), Signature(Array("RIFF".utf8), "a RIFF file (WebP, WAV)"),
      Signature(Array("BZh".utf8), "bzip2 data"), Signature([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
      Signature(Array("PAR1".utf8), "a Parquet file"), Signature(Array("MATLAB".utf8), "a MATLAB file"),
      Signature(Array("%PDF".utf8), "a PDF"), Signature([0x37, 0x7a, 0xbc, 0xaf], "a 7z archive"),
      Signature(Array("Rar!".utf8), "a RAR archive"),
      Signature(Array("ustar".utf8), "a damaged TAR archive: the sum in its first header is wrong", at: 257),
      Signature([0xff, 0xfe], "text in UTF-16; UTF-8 is needed"), Signature([0xfe, 0xff], "text in UTF-16; UTF-8 is needed"),
      Signature(Array("{".utf8), "text in JSON"), Signature(Array("[".utf8), "text in JSON"),
      Signature(Array("<".utf8), "text in XML or HTML"),
    ] + (UInt8(2)...5).map { Signature([0x80, $0], "a Python pickle, which is never loaded here") }

  /// Whether these are letters in UTF-8, the last of them cut off perhaps.
  static func isText(_ head: [UInt8]) -> Bool {
    guard head.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }) else { return false }
    return (0...(head.count < headBytes ? 0 : 3)).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
  }

  /// What a file is that is refused.
  static func name(of head: [UInt8]) -> String {
    if isArchive(head) { return "an archive" }
    if let known = refused.first(where: { $0.begins(head) }) { return known.name }
    if let compression = Compression(head: head) { return "\(compression.rawValue) data" }
    let start = head.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    if head.isEmpty { return "empty" }
    return isText(head) ? "text" : "of no known format (it begins with the bytes \(start))"
  }
}
