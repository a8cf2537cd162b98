import JSON

/// The header of a safetensors file (huggingface.co/docs/safetensors): u64 little-endian, its length; JSON, which maps each tensor's
/// name to `{"dtype", "shape", "data_offsets"}`; then the tensors' numbers, little-endian, back to back.
struct SafetensorsHeader {
  struct Tensor {
    let name: String
    let layout: ArrayLayout
    /// Among the bytes after the header.
    let bytes: Range<Int>
  }

  /// In the order in which their numbers lie.
  let tensors: [Tensor]
  private let dataBytes: Int

  /// Of examples and labels, not of a whole model's layers. Chosen.
  private static let bytesMax = 4 << 20

  /// Whether these first bytes are a length, and then an object.
  static func begins(_ head: [UInt8]) -> Bool {
    guard head.count >= 9, head[8] == UInt8(ascii: "{") else { return false }
    return head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } <= 1 << 32
  }

  init(_ reader: ByteReader) throws(DecodeError) {
    let length = try reader.take(8, "safetensors header, length").reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard (2...UInt64(Self.bytesMax)).contains(length) else {
      throw reader.error(.malformed, "safetensors header, length", "is \(length); 2 to \(Self.bytesMax) bytes are allowed", at: 0)
    }
    let text = try reader.take(Int(length), "safetensors header")
    var tensors: [Tensor] = []
    for (name, entry) in try Self.object(text, reader) where name != "__metadata__" {
      tensors.append(try Self.tensor(name, entry, reader))
    }
    var end = 0
    tensors.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
    for tensor in tensors {
      guard tensor.bytes.lowerBound == end else {
        throw reader.error(.malformed, "safetensors header", "the tensors overlap or leave a hole at byte \(end) of their numbers", at: 8)
      }
      end = tensor.bytes.upperBound
    }
    self.tensors = tensors
    dataBytes = end
  }

  private static func object(_ text: [UInt8], _ reader: ByteReader) throws(DecodeError) -> JSONObject {
    do {
      if let object = try JSONValue(parsing: text).object { return object }
    } catch {
      throw reader.error(.malformed, "safetensors header", error.description, at: 8)
    }
    throw reader.error(.malformed, "safetensors header", "is no JSON object", at: 8)
  }

  private static let types: [String: NumberType] = [
    "BOOL": .bool, "U8": .uint8, "I8": .int8, "U16": .uint16, "I16": .int16, "U32": .uint32, "I32": .int32, "U64": .uint64, "I64": .int64,
    "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
  ]

  private static func tensor(_ name: String, _ entry: JSONValue, _ reader: ByteReader) throws(DecodeError) -> Tensor {
    let subject = "safetensors header, tensor \(Archive.shown(name))"
    guard let type = entry["dtype"]?.string.flatMap({ types[$0] }) else {
      let known = types.keys.sorted().joined(separator: ", ")
      throw reader.error(
        .unsupported, subject, "dtype \(entry["dtype"]?.serialized().prefix(40) ?? "is absent"); \(known) are allowed", at: 8)
    }
    guard let sides = entry["shape"]?.array, let offsets = entry["data_offsets"]?.array, offsets.count == 2,
      let start = offsets[0].integer, let end = offsets[1].integer, (0...end).contains(start), end >= 0
    else { throw reader.error(.malformed, subject, "has no shape and data_offsets as the format asks", at: 8) }
    let dimensions = sides.compactMap(\.integer)
    guard dimensions.count == sides.count, dimensions.allSatisfy({ $0 >= 0 }),
      let needed = Sizes.product(dimensions + [type.bytes]), needed == end - start
    else { throw reader.error(.malformed, subject, "its shape is not that of the \(end - start) bytes of its data_offsets", at: 8) }
    let layout = ArrayLayout(format: .safetensors, dimensions: dimensions, type: type, isBigEndian: false, isColumnMajor: false)
    return Tensor(name: name, layout: layout, bytes: start..<end)
  }

  /// Goes on to the first number of a tensor that the header has.
  func seek(_ name: String, _ reader: ByteReader) throws(DecodeError) -> ArrayLayout {
    guard let tensor = tensors.first(where: { $0.name == name }) else { preconditionFailure("no tensor \(name)") }
    if let remaining = reader.remainingBytes, remaining != dataBytes {
      throw reader.error(
        .malformed, "the numbers",
        "the header promises \(dataBytes) bytes and \(remaining) are there: the upload is cut off, or its header lies")
    }
    try reader.skip(tensor.bytes.lowerBound, "the numbers")
    var layout = tensor.layout
    layout.bytesAfter = dataBytes - tensor.bytes.upperBound
    return layout
  }
}

extension NamedArrays {
  init(safetensors upload: Upload) throws(DecodeError) {
    let header = try SafetensorsHeader(try upload.reader())
    self.init(
      format: .safetensors,
      entries: header.tensors.map {
        Entry(name: $0.name, dimensions: $0.layout.dimensions, type: $0.layout.type, place: .tensor($0.name))
      })
  }
}
