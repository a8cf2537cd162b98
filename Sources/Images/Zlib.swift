import CZlib

/// zlib's compressor and checksum behind values of ours. Raw pointers to its state and to the bytes live here alone.
enum Zlib {
  /// A zlib stream (RFC 1950) of `bytes`, which are taken in parts as `next` gives them, until it gives none.
  ///
  /// Level 6, and the strategy that zlib has for filtered pictures: the same bytes for the same input and the same zlib.
  /// The compressor takes 268 kB and fails only when there is no such memory, which stops the program as any allocation does.
  static func compress(_ next: () -> [UInt8]?) -> [UInt8] {
    var stream = unsafe z_stream()
    let started = unsafe fount_deflate_init(&stream, 6, Z_FILTERED)
    precondition(started == Z_OK, "deflateInit2: \(started)")
    defer { _ = unsafe deflateEnd(&stream) }
    var compressed: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let input = next()
      let flush = input == nil ? Z_FINISH : Z_NO_FLUSH
      var bytes = input ?? []
      unsafe bytes.withUnsafeMutableBufferPointer { bytes in
        unsafe stream.next_in = bytes.baseAddress
        // Parts are rows of a picture, whose sides are limited: they fit.
        unsafe stream.avail_in = UInt32(bytes.count)
        var isMore = true
        while isMore {
          let (written, status) = unsafe deflateOnce(&stream, flush, into: &part)
          precondition(status != Z_STREAM_ERROR, "deflate: \(status)")
          compressed += part[..<written]
          isMore = flush == Z_FINISH ? status != Z_STREAM_END : written == part.count
        }
      }
      if input == nil { return compressed }
    }
  }

  private static func deflateOnce(
    _ stream: inout z_stream, _ flush: Int32, into part: inout [UInt8]
  ) -> (written: Int, status: Int32) {
    unsafe part.withUnsafeMutableBufferPointer { part in
      unsafe stream.next_out = part.baseAddress
      unsafe stream.avail_out = UInt32(part.count)
      let status = unsafe deflate(&stream, flush)
      return unsafe (part.count - Int(stream.avail_out), status)
    }
  }

  /// The CRC-32 that PNG uses (PNG §5.5; zlib's crc32_z).
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: unsafe crc32_z(0, $0.baseAddress, $0.count)) }
  }
}
