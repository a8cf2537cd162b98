import Files
import JSON

extension Safetensors {
  /// The file's bytes; the same for the same tensors and metadata.
  package func encoded() -> [UInt8] {
    let zeros = String(repeating: "0", count: 64)
    let header = headerBytes(digest: zeros)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + tensors.reduce(0) { $0 + $1.tensor.count * 4 })
    bytes.appendLittleEndian(UInt64(header.count))
    bytes += header
    for named in tensors { bytes.appendLittleEndian(named.tensor.scalars) }
    let digest = SHA256.of(bytes).hex
    bytes.replaceSubrange(8..<8 + header.count, with: headerBytes(digest: digest))
    return bytes
  }

  /// Padded with spaces so that the tensors begin at a multiple of 8, as the format asks.
  private func headerBytes(digest: String) -> [UInt8] {
    var entries = JSONObject()
    var texts = JSONObject()
    for key in metadata.keys.sorted() where key != Self.digestKey { texts[key] = JSONValue(metadata[key]) }
    texts[Self.digestKey] = .string(digest)
    entries[Self.metadataKey] = .object(texts)
    var offset = 0
    for named in tensors {
      let end = offset + named.tensor.count * 4
      entries[named.name] = [
        "dtype": "F32", "shape": .array(named.tensor.shape.map(JSONValue.integer)), "data_offsets": [.integer(offset), .integer(end)],
      ]
      offset = end
    }
    var bytes = JSONValue.object(entries).serializedBytes()
    while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
    return bytes
  }
}
