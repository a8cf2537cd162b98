/// A message of Protocol Buffers under construction (protobuf.dev/programming-guides/encoding): fields, each a number with its wire type
/// and a value.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  /// protobuf.dev, "Message Structure".
  private enum WireType: UInt64 {
    case varint = 0
    case counted = 2
    case fixed32 = 5
  }

  mutating func add(_ field: Int, _ value: Int) {
    begin(field, .varint)
    // A negative number is its two's complement, in ten bytes.
    append(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: Float) {
    begin(field, .fixed32)
    for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(byte)))) }
  }

  mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }
  mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

  mutating func add(_ field: Int, _ value: [UInt8]) {
    begin(field, .counted)
    append(UInt64(value.count))
    bytes += value
  }

  private mutating func begin(_ field: Int, _ type: WireType) { append(UInt64(field) << 3 | type.rawValue) }

  /// Seven bits a byte, the least significant first; the eighth says that more follow.
  private mutating func append(_ varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
