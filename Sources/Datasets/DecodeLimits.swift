import Glibc

/// What decoding one upload may take.
package struct DecodeLimits: Sendable, Hashable {
  /// Bytes after decompression, and bytes of the decoded examples.
  package var bytesMax = 16 << 30
  /// Decompressed bytes for each compressed one, once more than `ratioFreeBytes` came out. Deflate's most is 1 032; of real data,
  /// sparse bits stored as 64-bit numbers reach about 200.
  package var ratioMax = 400
  package var ratioFreeBytes = 32 << 20
  /// Of one picture before it is resized: 134 MB as it is decoded.
  package var picturePixelsMax = 1 << 25
  /// Of one picture's file, which is read into memory.
  package var pictureBytesMax = 64 << 20
  /// Time on the processor; nil is no limit.
  package var processorSecondsMax: Int?

  package init() {}

  /// - Parameter place: what was being decoded.
  func checkProcessorTime(_ place: ErrorPlace) throws(DecodeError) {
    guard let most = processorSecondsMax, clock() / Int(CLOCKS_PER_SEC) >= most else { return }
    throw place.error(.tooLarge, "the upload", "takes more than \(most) seconds to decode, the most that is allowed")
  }
}
