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
}
