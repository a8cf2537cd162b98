import CZlib

/// zlib's decompressor of one gzip stream after another (RFC 1952 §2.2). A class, for it owns zlib's state.
///
/// It knows no limits: its caller looks at what comes out and what went in after each call.
@safe final class Gunzip {
  enum Outcome: Equatable {
    /// All of the input was taken, or all of the room was filled.
    case goesOn
    /// A member ended here, its checksum and length right.
    case memberEnded
    case damaged(String)
  }

  // Allocated, for zlib keeps the address and refuses a stream that has moved.
  private let stream: UnsafeMutablePointer<z_stream>

  init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let started = unsafe fount_gunzip_init(stream)
    precondition(started == Z_OK, "inflateInit2: \(started)")
  }

  deinit {
    _ = unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Makes ready for the next member.
  func startMember() {
    let reset = unsafe inflateReset(stream)
    precondition(reset == Z_OK, "inflateReset: \(reset)")
  }

  /// Decompresses from a part of `input` into `output` from index `start` on.
  /// - Returns: the bytes taken and the bytes written.
  func decompress(
    _ input: inout [UInt8], _ range: Range<Int>, into output: inout [UInt8], from start: Int
  ) -> (taken: Int, written: Int, Outcome) {
    precondition(range.lowerBound >= 0 && range.upperBound <= input.count, "\(range) of \(input.count) bytes")
    precondition((0...output.count).contains(start), "to \(start) of \(output.count) bytes")
    // Both buffers are this module's own, of at most some megabytes: their counts fit 32 bits.
    let status = unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe stream.pointee.next_in = input.baseAddress.map { unsafe $0 + range.lowerBound }
        unsafe stream.pointee.avail_in = UInt32(range.count)
        unsafe stream.pointee.next_out = output.baseAddress.map { unsafe $0 + start }
        unsafe stream.pointee.avail_out = UInt32(output.count - start)
        return unsafe inflate(stream, Z_NO_FLUSH)
      }
    }
    let taken = unsafe range.count - Int(stream.pointee.avail_in)
    let written = unsafe output.count - start - Int(stream.pointee.avail_out)
    return (taken, written, outcome(status))
  }

  private func outcome(_ status: Int32) -> Outcome {
    switch status {
    // Z_BUF_ERROR: nothing to do without more input or room.
    case Z_OK, Z_BUF_ERROR: return .goesOn
    case Z_STREAM_END: return .memberEnded
    case Z_MEM_ERROR: preconditionFailure("inflate: out of memory")
    default:
      guard let message = unsafe stream.pointee.msg else { return .damaged("code \(status)") }
      return .damaged(unsafe String(cString: message))
    }
  }
}
