import Files
import JSON
import Tensors

extension Safetensors {
  /// Reads a whole file. Every number in it is checked before it is used: the bytes may be anyone's.
  ///
  /// - Parameter requiresDigest: refuse a file that does not carry its own SHA-256, as every checkpoint does.
  package init(_ bytes: [UInt8], requiresDigest: Bool) throws(SafetensorsError) {
    let (header, dataStart) = try Self.header(of: bytes)
    metadata = try Self.metadata(of: header)
    if let digest = metadata.removeValue(forKey: Self.digestKey) {
      try Self.check(digest, of: bytes, dataStart: dataStart)
    } else if requiresDigest {
      throw .header("it carries no \(Self.digestKey)")
    }
    tensors = []
    var entries: [(name: String, range: Range<Int>, shape: [Int])] = []
    for (name, entry) in header where name != Self.metadataKey {
      let (range, shape) = try Self.entry(name, entry, dataBytes: bytes.count - dataStart)
      entries.append((name, range, shape))
    }
    try Self.checkCoverage(entries.map(\.range), dataBytes: bytes.count - dataStart)
    for (name, range, shape) in entries {
      let scalars = bytes.littleEndianFloats(from: dataStart + range.lowerBound, count: range.count / 4)
      tensors.append(NamedTensor(name, Tensor(shape: shape, scalars: scalars)))
    }
  }

  /// The metadata of a file of which only the head is there.
  static func metadata(ofHeader bytes: [UInt8]) throws(SafetensorsError) -> [String: String] { try metadata(of: header(of: bytes).0) }

  static func header(of bytes: [UInt8]) throws(SafetensorsError) -> (JSONObject, dataStart: Int) {
    guard let length = bytes.littleEndian(UInt64.self, at: 0) else { throw .cutOff(bytes: bytes.count, needed: 8) }
    guard length >= 2, length <= UInt64(headerBytesMax) else { throw .headerLength(length) }
    let dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else { throw .cutOff(bytes: bytes.count, needed: dataStart) }
    do {
      guard let object = try JSONValue(parsing: Array(bytes[8..<dataStart])).object else {
        throw SafetensorsError.header("it is not a JSON object")
      }
      return (object, dataStart)
    } catch let error as JSONSyntaxError {
      throw .header(error.description)
    } catch {
      throw .header("it is not a JSON object")
    }
  }

  private static func metadata(of header: JSONObject) throws(SafetensorsError) -> [String: String] {
    guard let value = header[metadataKey] else { return [:] }
    guard let object = value.object else { throw .header("\(metadataKey) is \(value.kindName), not an object") }
    var texts: [String: String] = [:]
    for (key, value) in object {
      guard let text = value.string else { throw .header("\(metadataKey).\(key) is \(value.kindName), not a string") }
      texts[key] = text
    }
    return texts
  }

  private static func entry(_ name: String, _ entry: JSONValue, dataBytes: Int) throws(SafetensorsError) -> (Range<Int>, [Int]) {
    guard let type = entry["dtype"]?.string else { throw .tensor(name: name, detail: "no dtype") }
    guard type == "F32" else { throw .tensor(name: name, detail: "dtype \(type); only F32 is read") }
    guard let lengths = entry["shape"]?.array, let offsets = entry["data_offsets"]?.array, offsets.count == 2,
      let start = offsets[0].integer, let end = offsets[1].integer, start >= 0, start <= end
    else { throw .tensor(name: name, detail: "no shape and data_offsets as the format asks") }
    guard end <= dataBytes else { throw .tensor(name: name, detail: "ends at byte \(end) of \(dataBytes): the file is cut off") }
    var count = 4
    var shape: [Int] = []
    for length in lengths {
      guard let axis = length.integer, axis >= 0 else { throw .tensor(name: name, detail: "an axis of \(length.serialized())") }
      let (product, overflow) = count.multipliedReportingOverflow(by: axis)
      guard !overflow else { throw .tensor(name: name, detail: "a shape whose size overflows") }
      count = product
      shape.append(axis)
    }
    guard count == end - start else { throw .tensor(name: name, detail: "shape \(shape) needs \(count) bytes; it has \(end - start)") }
    return (start..<end, shape)
  }

  /// The format admits no holes and no overlaps: nothing in a file goes unread.
  private static func checkCoverage(_ ranges: [Range<Int>], dataBytes: Int) throws(SafetensorsError) {
    var covered = 0
    for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
      guard range.lowerBound == covered else { throw .header("the tensors overlap or leave a hole at byte \(covered)") }
      covered = range.upperBound
    }
    guard covered == dataBytes else { throw .header("\(dataBytes) bytes of tensors, where the header tells of \(covered)") }
  }
}
