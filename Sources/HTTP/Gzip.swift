import CZlib

/// gzip (RFC 1952) by zlib.
enum Gzip {
  /// The whole at once; nil where memory is short, or where it would not be shorter.
  static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    guard let count = UInt32(exactly: bytes.count) else { return nil }
    var stream = unsafe z_stream()
    guard unsafe fount_gzip_init(&stream) == Z_OK else { return nil }
    defer { unsafe deflateEnd(&stream) }
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count))
    let result = unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe stream.next_in = input.baseAddress
        unsafe stream.avail_in = count
        unsafe stream.next_out = output.baseAddress
        unsafe stream.avail_out = count
        return unsafe deflate(&stream, Z_FINISH)
      }
    }
    // Not at its end: it has not found room in what the plain bytes take.
    guard result == Z_STREAM_END else { return nil }
    output.removeLast(unsafe Int(stream.avail_out))
    return output
  }
}
