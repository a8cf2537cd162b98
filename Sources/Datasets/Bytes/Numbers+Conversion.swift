/// From the types of an upload to the two that datasets are kept in.
extension Numbers {
  /// Converts integers to bytes, counting how often each came.
  /// - Parameters:
  ///   - input: `count` numbers of `type`, which is one of integers or bool.
  ///   - output: `count` bytes.
  /// - Returns: the index of the first number that is not within 0…255 (for bool, 0…1), at which it stopped; nil when there is none.
  static func convert(
    _ input: [UInt8], count: Int, _ type: NumberType, isBigEndian: Bool, toBytes output: inout [UInt8], _ histogram: inout [Int]
  ) -> Int? {
    precondition(count >= 0 && count * type.bytes <= input.count && count <= output.count && histogram.count == 256)
    switch type {
    case .bool: return toBytes(input, count, UInt8.self, false, most: 1, &output, &histogram)
    case .uint8: return toBytes(input, count, UInt8.self, false, most: 255, &output, &histogram)
    case .int8: return toBytes(input, count, Int8.self, false, most: 127, &output, &histogram)
    case .uint16: return toBytes(input, count, UInt16.self, isBigEndian, most: 255, &output, &histogram)
    case .int16: return toBytes(input, count, Int16.self, isBigEndian, most: 255, &output, &histogram)
    case .uint32: return toBytes(input, count, UInt32.self, isBigEndian, most: 255, &output, &histogram)
    case .int32: return toBytes(input, count, Int32.self, isBigEndian, most: 255, &output, &histogram)
    case .uint64: return toBytes(input, count, UInt64.self, isBigEndian, most: 255, &output, &histogram)
    case .int64: return toBytes(input, count, Int64.self, isBigEndian, most: 255, &output, &histogram)
    case .float16, .bfloat16, .float32, .float64: preconditionFailure("\(type) is no integer")
    }
  }

  private static func toBytes<Number: FixedWidthInteger & BitwiseCopyable>(
    _ input: [UInt8], _ count: Int, _: Number.Type, _ isBigEndian: Bool, most: Number, _ output: inout [UInt8], _ histogram: inout [Int]
  ) -> Int? {
    unsafe input.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe histogram.withUnsafeMutableBufferPointer { histogram in
          for i in 0..<count {
            let raw = unsafe input.loadUnaligned(fromByteOffset: i &* MemoryLayout<Number>.stride, as: Number.self)
            let value = isBigEndian ? Number(bigEndian: raw) : Number(littleEndian: raw)
            if value < 0 || value > most { return i }
            let byte = UInt8(truncatingIfNeeded: value)
            unsafe output[i] = byte
            unsafe histogram[Int(byte)] &+= 1
          }
          return nil
        }
      }
    }
  }

  /// Whole numbers, each as it is; nil for one of 64 bits that is past 2^63 − 1.
  /// - Parameter input: `count` numbers of `type`, which is one of integers or bool.
  static func integers(_ input: [UInt8], count: Int, _ type: NumberType, isBigEndian: Bool) -> [Int?] {
    let width = type.bytes
    let isSigned = [.int8, .int16, .int32, .int64].contains(type)
    return (0..<count).map { index in
      let bytes = input[index * width..<(index + 1) * width]
      var bits: UInt64 = 0
      if isBigEndian {
        for byte in bytes { bits = bits << 8 | UInt64(byte) }
      } else {
        for byte in bytes.reversed() { bits = bits << 8 | UInt64(byte) }
      }
      guard isSigned else { return Int(exactly: bits) }
      let shift = UInt64(64 - 8 * width)
      return Int(Int64(bitPattern: bits << shift) >> Int64(shift))
    }
  }

  /// Counts how often each byte comes.
  static func count(_ bytes: [UInt8], _ count: Int, into histogram: inout [Int]) {
    precondition(count >= 0 && count <= bytes.count && histogram.count == 256)
    unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe histogram.withUnsafeMutableBufferPointer { histogram in
        for i in 0..<count { unsafe histogram[Int(bytes[i])] &+= 1 }
      }
    }
  }

  /// Converts numbers to little-endian float32, to the nearest where they have more digits.
  /// - Parameters:
  ///   - input: `count` numbers of `type`.
  ///   - output: `4 count` bytes.
  /// - Returns: the index of the first that is NaN, infinite or too large for float32, at which it stopped; nil when there is none.
  static func convert(
    _ input: [UInt8], count: Int, _ type: NumberType, isBigEndian: Bool, toFloats output: inout [UInt8], _ part: inout Statistics.Part
  ) -> Int? {
    precondition(count >= 0 && count * type.bytes <= input.count && 4 * count <= output.count)
    switch type {
    case .bool, .uint8: return toFloats(input, count, UInt8.self, false, &output, &part) { Float($0) }
    case .int8: return toFloats(input, count, Int8.self, false, &output, &part) { Float($0) }
    case .uint16: return toFloats(input, count, UInt16.self, isBigEndian, &output, &part) { Float($0) }
    case .int16: return toFloats(input, count, Int16.self, isBigEndian, &output, &part) { Float($0) }
    case .uint32: return toFloats(input, count, UInt32.self, isBigEndian, &output, &part) { Float($0) }
    case .int32: return toFloats(input, count, Int32.self, isBigEndian, &output, &part) { Float($0) }
    case .uint64: return toFloats(input, count, UInt64.self, isBigEndian, &output, &part) { Float($0) }
    case .int64: return toFloats(input, count, Int64.self, isBigEndian, &output, &part) { Float($0) }
    case .float16: return toFloats(input, count, UInt16.self, isBigEndian, &output, &part) { float(halfBits: $0) }
    case .bfloat16: return toFloats(input, count, UInt16.self, isBigEndian, &output, &part) { Float(bitPattern: UInt32($0) << 16) }
    case .float32: return toFloats(input, count, UInt32.self, isBigEndian, &output, &part) { Float(bitPattern: $0) }
    case .float64: return toFloats(input, count, UInt64.self, isBigEndian, &output, &part) { Float(Double(bitPattern: $0)) }
    }
  }

  @inline(__always) private static func toFloats<Number: FixedWidthInteger & BitwiseCopyable>(
    _ input: [UInt8], _ count: Int, _: Number.Type, _ isBigEndian: Bool, _ output: inout [UInt8], _ statistics: inout Statistics.Part,
    _ float: (Number) -> Float
  ) -> Int? {
    var part = statistics
    defer { statistics = part }
    return unsafe input.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBytes { output in
        for i in 0..<count {
          let raw = unsafe input.loadUnaligned(fromByteOffset: i &* MemoryLayout<Number>.stride, as: Number.self)
          let value = float(isBigEndian ? Number(bigEndian: raw) : Number(littleEndian: raw))
          if !value.isFinite { return i }
          unsafe output.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 4 &* i, as: UInt32.self)
          part.add(value)
        }
        return nil
      }
    }
  }

  /// IEEE 754 binary16, whose every value is a float32. By hand, for the compiler's own conversion is a library call on older machines.
  static func float(halfBits bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1f)
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0:
      // Subnormal: the fraction counts units of 2^-24.
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
