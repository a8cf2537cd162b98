/// Keeps count of what decompression makes of an upload, so that a bomb is known before it has gone off.
struct Inflation {
  private let limits: DecodeLimits
  private var written = 0

  init(_ limits: DecodeLimits) { self.limits = limits }

  /// - Parameter taken: the compressed bytes that all of it came from.
  /// - Returns: what is wrong with so much, if anything.
  mutating func fault(adding bytes: Int, from taken: Int) -> String? {
    written += bytes
    // A header more than the numbers themselves may take.
    guard written <= limits.bytesMax + NPY.headerBytesMax else {
      return "decompresses to more than \(limits.bytesMax) bytes, the most that is allowed"
    }
    let (most, overflows) = taken.multipliedReportingOverflow(by: limits.ratioMax)
    guard overflows || written <= max(limits.ratioFreeBytes, most) else {
      return "decompresses to more than \(limits.ratioMax) times its size, the most that is allowed past \(limits.ratioFreeBytes) bytes"
    }
    return nil
  }
}
