/// Fixed-width integers in byte arrays, least significant byte first, as safetensors and the sampler's frames have them.
extension [UInt8] {
  mutating func appendLittleEndian(_ value: some FixedWidthInteger & UnsignedInteger) {
    for byte in 0..<value.bitWidth / 8 { append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
  }

  /// The integer that starts at an offset; nil when the array ends before it does.
  func littleEndian<Integer: FixedWidthInteger & UnsignedInteger>(_: Integer.Type, at offset: Int) -> Integer? {
    guard offset >= 0, offset <= count - Integer.bitWidth / 8 else { return nil }
    var value: Integer = 0
    for byte in 0..<Integer.bitWidth / 8 { value |= Integer(self[offset + byte]) << (8 * byte) }
    return value
  }

  mutating func appendLittleEndian(_ scalars: [Float]) {
    var next = count
    append(contentsOf: repeatElement(0, count: scalars.count * 4))
    var bytes = mutableSpan
    for scalar in scalars {
      let bits = scalar.bitPattern
      bytes[next] = UInt8(truncatingIfNeeded: bits)
      bytes[next + 1] = UInt8(truncatingIfNeeded: bits >> 8)
      bytes[next + 2] = UInt8(truncatingIfNeeded: bits >> 16)
      bytes[next + 3] = UInt8(truncatingIfNeeded: bits >> 24)
      next += 4
    }
  }

  /// The float32 numbers that start at an offset; the caller has checked that they are there.
  func littleEndianFloats(from offset: Int, count scalarCount: Int) -> [Float] {
    var scalars = [Float](repeating: 0, count: scalarCount)
    var output = scalars.mutableSpan
    let bytes = span
    for index in 0..<scalarCount {
      let start = offset + index * 4
      let low = UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8
      output[index] = Float(bitPattern: low | UInt32(bytes[start + 2]) << 16 | UInt32(bytes[start + 3]) << 24)
    }
    return scalars
  }
}
