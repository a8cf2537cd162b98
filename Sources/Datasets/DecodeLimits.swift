/// What decoding one upload may take.
package struct DecodeLimits: Sendable, Hashable {
  /// Bytes after decompression, and bytes of the decoded examples.
  package var bytesMax = 16 << 30
  /// Decompressed bytes for each compressed one, once more than `ratioFreeBytes` came out. Deflate's most is 1 032; of real data,
  /// sparse bits stored as 64-bit numbers reach about 200.
  package var ratioMax = 400
  package var ratioFreeBytes = 32 << 20
  /// Time on the processor; nil is no limit.
  package var processorSecondsMax: Int?

  package init() {}
}
