/// What gzip makes of a file: its members follow one another (RFC 1952 §2.2), and each ends with its checksum.
final class GzipSource: ByteSource {
  private let file: FileSource
  private var inflation: Inflation
  private let gunzip = Gunzip()
  /// What was read of the file and not yet decompressed is `compressed[waiting]`.
  private var compressed = [UInt8](repeating: 0, count: 1 << 16)
  private var waiting = 0..<0
  private var bytesTaken = 0
  private var isMemberOpen = true

  init(_ file: FileSource, _ limits: DecodeLimits) {
    self.file = file
    inflation = Inflation(limits)
  }

  let remainingBytes: Int? = nil

  func read(into buffer: inout [UInt8], from start: Int) throws(DecodeError) -> Int {
    while true {
      if waiting.isEmpty, try !readCompressed() {
        guard isMemberOpen else { return 0 }
        throw fault(.malformed, "the compressed data ends before its checksum: it is cut off")
      }
      if !isMemberOpen { try openMember() }
      let (taken, written, outcome) = gunzip.decompress(&compressed, waiting, into: &buffer, from: start)
      waiting = waiting.lowerBound + taken..<waiting.upperBound
      bytesTaken += taken
      if let detail = inflation.fault(adding: written, from: bytesTaken) { throw fault(.tooLarge, detail) }
      switch outcome {
      case .damaged(let reason): throw fault(.malformed, "the compressed data is damaged: \(reason)")
      case .memberEnded: isMemberOpen = false
      case .goesOn: break
      }
      if written > 0 { return written }
    }
  }

  private func openMember() throws(DecodeError) {
    if waiting.count == 1 { _ = try readCompressed() }
    guard Compression(head: Array(compressed[waiting].prefix(2))) == .gzip else {
      throw fault(.malformed, "bytes follow the compressed data that are no gzip member")
    }
    gunzip.startMember()
    isMemberOpen = true
  }

  private func readCompressed() throws(DecodeError) -> Bool {
    Numbers.moveToFront(&compressed, waiting)
    let count = try file.read(into: &compressed, from: waiting.count)
    waiting = 0..<waiting.count + count
    return count > 0
  }

  /// Placed among the compressed bytes.
  private func fault(_ kind: DecodeError.Kind, _ detail: String) -> DecodeError { DecodeError(kind, "gzip", detail, offset: bytesTaken) }
}
