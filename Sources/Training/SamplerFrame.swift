import JSON

/// One message between the server and a sampler, either way: a JSON header and bytes.
///
/// On the wire: u32 little-endian, the header's length; the header; u64 little-endian, the payload's length; the payload.
/// A sampler answers each frame with one frame, in order.
package struct SamplerFrame: Sendable, Equatable {
  package var header: JSONValue
  package var payload: [UInt8]

  package init(header: JSONValue, payload: [UInt8] = []) {
    self.header = header
    self.payload = payload
  }

  /// A request's header is a few hundred bytes; an answer's may carry a thousand scores.
  package static let headerBytesMax = 1 << 24
  /// 1024 samples of the largest admitted pictures stay below this.
  package static let payloadBytesMax = 1 << 32

  package func encoded() -> [UInt8] {
    let headerBytes = header.serializedBytes()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerBytes.count + payload.count + 12)
    bytes.appendLittleEndian(UInt32(headerBytes.count))
    bytes += headerBytes
    bytes.appendLittleEndian(UInt64(payload.count))
    bytes += payload
    return bytes
  }
}

/// Why bytes from the other side are no frame; the stream is lost with it.
package enum SamplerFrameError: Error, CustomStringConvertible {
  case headerTooLong(Int)
  case payloadTooLong(UInt64)
  case header(JSONSyntaxError)

  package var description: String {
    switch self {
    case .headerTooLong(let bytes): "sampler frame: a header of \(bytes) bytes; at most \(SamplerFrame.headerBytesMax) are allowed"
    case .payloadTooLong(let bytes): "sampler frame: a payload of \(bytes) bytes; at most \(SamplerFrame.payloadBytesMax) are allowed"
    case .header(let error): "sampler frame: header: \(error)"
    }
  }
}

/// Takes bytes as they come and gives whole frames.
package struct SamplerFrameReader: Sendable {
  private var bytes: [UInt8] = []
  private var start = 0

  package init() {}

  package mutating func append(_ more: some Collection<UInt8>) {
    if start > 0, start == bytes.count || start > 1 << 20 {
      bytes.removeSubrange(..<start)
      start = 0
    }
    bytes += more
  }

  /// The next whole frame; nil when more bytes are needed.
  package mutating func next() throws(SamplerFrameError) -> SamplerFrame? {
    guard let headerLength = bytes.littleEndian(UInt32.self, at: start).map({ Int($0) }) else { return nil }
    guard headerLength <= SamplerFrame.headerBytesMax else { throw .headerTooLong(headerLength) }
    let headerStart = start + 4
    guard let payloadLength = bytes.littleEndian(UInt64.self, at: headerStart + headerLength) else { return nil }
    guard payloadLength <= UInt64(SamplerFrame.payloadBytesMax) else { throw .payloadTooLong(payloadLength) }
    let payloadStart = headerStart + headerLength + 8
    let end = payloadStart + Int(payloadLength)
    guard end <= bytes.count else { return nil }
    let header: JSONValue
    do {
      header = try JSONValue(parsing: Array(bytes[headerStart..<headerStart + headerLength]))
    } catch {
      throw .header(error)
    }
    start = end
    return SamplerFrame(header: header, payload: Array(bytes[payloadStart..<end]))
  }
}
