/// Bulk conversions between bytes and numbers: the module's inner loops, over raw memory whose bounds are checked once, before them.
enum Numbers {
  /// Bytes as floats.
  static func widen(_ bytes: Span<UInt8>, from start: Int, count: Int, into destination: inout MutableSpan<Float>, at place: Int) {
    precondition(start >= 0 && count >= 0 && start + count <= bytes.count && place >= 0 && place + count <= destination.count)
    unsafe bytes.withUnsafeBufferPointer { source in
      unsafe destination.withUnsafeMutableBufferPointer { destination in
        for i in 0..<count { unsafe destination[place &+ i] = Float(source[start &+ i]) }
      }
    }
  }

  /// Little-endian float32, at any alignment.
  static func load(_ bytes: Span<UInt8>, from start: Int, count: Int, into destination: inout MutableSpan<Float>, at place: Int) {
    precondition(start >= 0 && count >= 0 && start + 4 * count <= bytes.count && place >= 0 && place + count <= destination.count)
    unsafe bytes.withUnsafeBytes { source in
      unsafe destination.withUnsafeMutableBufferPointer { destination in
        for i in 0..<count {
          let bits = unsafe source.loadUnaligned(fromByteOffset: start &+ 4 &* i, as: UInt32.self)
          unsafe destination[place &+ i] = Float(bitPattern: UInt32(littleEndian: bits))
        }
      }
    }
  }
}

extension [UInt8] {
  /// A part of lent bytes.
  init(copying bytes: Span<UInt8>, from start: Int, count: Int) {
    let part = bytes.extracting(start..<start + count)
    self = unsafe part.withUnsafeBufferPointer { unsafe Array($0) }
  }
}
