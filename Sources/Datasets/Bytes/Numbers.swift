/// Bulk moves and conversions of bytes and numbers: the module's inner loops, over raw memory whose bounds are checked once, before them.
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

  static func copy(_ bytes: [UInt8], from start: Int, count: Int, into destination: inout [UInt8], at place: Int) {
    precondition(start >= 0 && count >= 0 && start + count <= bytes.count && place >= 0 && place + count <= destination.count)
    unsafe bytes.withUnsafeBytes { source in
      unsafe destination.withUnsafeMutableBytes { destination in
        let part = unsafe UnsafeRawBufferPointer(rebasing: source[start..<start + count])
        unsafe UnsafeMutableRawBufferPointer(rebasing: destination[place..<place + count]).copyMemory(from: part)
      }
    }
  }

  /// Of pixels of `stored` bytes the first `channels`.
  static func firstChannels(_ channels: Int, of stored: Int, in pixels: [UInt8]) -> [UInt8] {
    precondition((1...stored).contains(channels) && pixels.count % stored == 0)
    let count = pixels.count / stored
    var kept = [UInt8](repeating: 0, count: count * channels)
    unsafe pixels.withUnsafeBufferPointer { pixels in
      unsafe kept.withUnsafeMutableBufferPointer { kept in
        for i in 0..<count {
          for channel in 0..<channels { unsafe kept[i &* channels &+ channel] = pixels[i &* stored &+ channel] }
        }
      }
    }
    return kept
  }

  /// A hash of a part, 8 bytes at a time by the high and the low half of a product: for telling equal parts, not against an adversary.
  static func hash(_ bytes: Span<UInt8>, from start: Int, count: Int) -> UInt64 {
    precondition(start >= 0 && count >= 0 && start + count <= bytes.count)
    return unsafe bytes.withUnsafeBytes { bytes in
      var hash = UInt64(truncatingIfNeeded: count) ^ 0x9e37_79b9_7f4a_7c15
      var done = 0
      while done < count {
        var word: UInt64 = 0
        if count - done >= 8 {
          word = unsafe bytes.loadUnaligned(fromByteOffset: start &+ done, as: UInt64.self)
        } else {
          for i in done..<count { word = unsafe word << 8 | UInt64(bytes[start &+ i]) }
        }
        // The constants are those of SplitMix64 (Steele, Lea & Flood 2014): odd, their bits mixed.
        let product = (hash ^ word &* 0xbf58_476d_1ce4_e5b9).multipliedFullWidth(by: 0x94d0_49bb_1331_11eb)
        hash = product.high ^ product.low ^ word
        done += 8
      }
      return hash
    }
  }

  static func moveToFront(_ bytes: inout [UInt8], _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    unsafe bytes.withUnsafeMutableBytes { bytes in
      // copyMemory is memmove: the parts may overlap.
      let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
      unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<range.count]).copyMemory(from: part)
    }
  }

  /// A block's rows and columns exchanged: `[rows, columns]` to `[columns, rows]`, of elements of 1 or 4 bytes.
  static func transpose(_ block: [UInt8], rows: Int, columns: Int, elementBytes: Int, into transposed: inout [UInt8]) {
    precondition(rows >= 0 && columns >= 0 && rows * columns * elementBytes <= min(block.count, transposed.count))
    if elementBytes == 1 {
      transpose(block, rows, columns, UInt8.self, into: &transposed)
    } else {
      precondition(elementBytes == 4, "elements of \(elementBytes) bytes")
      transpose(block, rows, columns, UInt32.self, into: &transposed)
    }
  }

  private static func transpose<Element: BitwiseCopyable>(
    _ block: [UInt8], _ rows: Int, _ columns: Int, _: Element.Type, into transposed: inout [UInt8]
  ) {
    let stride = MemoryLayout<Element>.stride
    unsafe block.withUnsafeBytes { block in
      unsafe transposed.withUnsafeMutableBytes { transposed in
        for row in 0..<rows {
          for column in 0..<columns {
            let element = unsafe block.loadUnaligned(fromByteOffset: (row &* columns &+ column) &* stride, as: Element.self)
            unsafe transposed.storeBytes(of: element, toByteOffset: (column &* rows &+ row) &* stride, as: Element.self)
          }
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
