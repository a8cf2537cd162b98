/// The format of MNIST: two zero bytes, a type, a number of dimensions, each dimension in 4 bytes, big-endian like the numbers after them.
/// (Yann LeCun's MNIST page, "The IDX file format".)
enum IDX {
  static let types: [UInt8: NumberType] = [0x08: .uint8, 0x09: .int8, 0x0b: .int16, 0x0c: .int32, 0x0d: .float32, 0x0e: .float64]

  static func readLayout(_ reader: ByteReader) throws(DecodeError) -> ArrayLayout {
    let magic = try reader.take(4, "IDX header, magic number")
    guard let type = types[magic[2]] else {
      let known = types.keys.sorted().map { "0x0" + String($0, radix: 16) }.joined(separator: ", ")
      throw reader.error(.malformed, "IDX header, type", "is 0x\(String(magic[2], radix: 16)); one of \(known) is allowed", at: 2)
    }
    var dimensions: [Int] = []
    for index in 0..<Int(magic[3]) {
      let bytes = try reader.take(4, "IDX header, dimension \(index)")
      dimensions.append(bytes.reduce(0) { $0 << 8 | Int($1) })
    }
    return ArrayLayout(format: .idx, dimensions: dimensions, type: type, isBigEndian: true, isColumnMajor: false)
  }
}

extension IDX {
  /// Whether these first bytes are a magic number of a known type, with dimensions that a dataset or its labels may have.
  static func begins(_ head: [UInt8]) -> Bool {
    head.count >= 4 && head[0] == 0 && head[1] == 0 && types[head[2]] != nil && (1...4).contains(head[3])
  }
}
