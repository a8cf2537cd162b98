import CZlib

/// zlib's compressor and checksum behind values of ours. Raw pointers to its state and to the bytes live here alone.
enum Zlib {
  /// A zlib stream (RFC 1950) of `bytes`, which are taken in parts as `next` gives them, until it gives none.
  ///
  /// Level 6, and the strategy that zlib has for filtered pictures: the same bytes for the same input and the same zlib.
  /// The compressor takes 268 kB and fails only when there is no such memory, which stops the program as any allocation does.
  static func compress(_ next: () -> [UInt8]?) -> [UInt8] {
    // Allocated, for the compressor keeps the address and refuses a stream that has moved.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    defer { unsafe stream.deallocate() }
    let started = unsafe fount_deflate_init(stream, 6, Z_FILTERED)
    precondition(started == Z_OK, "deflateInit2: \(started)")
    defer { _ = unsafe deflateEnd(stream) }
    var compressed: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let input = next()
      unsafe deflateAll(of: input ?? [], input == nil ? Z_FINISH : Z_NO_FLUSH, stream, by: &part, onto: &compressed)
      if input == nil { return compressed }
    }
  }

  /// - Parameter input: a row of a picture, whose sides are limited: its count fits 32 bits.
  private static func deflateAll(
    of input: [UInt8], _ flush: Int32, _ stream: UnsafeMutablePointer<z_stream>, by part: inout [UInt8], onto compressed: inout [UInt8]
  ) {
    var input = input
    unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe stream.pointee.next_in = input.baseAddress
      unsafe stream.pointee.avail_in = UInt32(input.count)
      var isMore = true
      while isMore {
        let (written, status) = unsafe part.withUnsafeMutableBufferPointer { part in
          unsafe stream.pointee.next_out = part.baseAddress
          unsafe stream.pointee.avail_out = UInt32(part.count)
          let status = unsafe deflate(stream, flush)
          return unsafe (part.count - Int(stream.pointee.avail_out), status)
        }
        precondition(status != Z_STREAM_ERROR, "deflate: \(status)")
        compressed += part[..<written]
        isMore = flush == Z_FINISH ? status != Z_STREAM_END : written == part.count
      }
    }
  }

  /// The CRC-32 that PNG uses (PNG §5.5; zlib's crc32_z).
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: unsafe crc32_z(0, $0.baseAddress, $0.count)) }
  }
}
