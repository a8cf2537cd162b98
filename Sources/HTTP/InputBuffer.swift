/// The bytes that a connection keeps from one read to the next: an unfinished head, or requests behind one that is being answered.
///
/// Most connections never keep any: their requests are read whole into the shard's buffer, and parsed there.
struct InputBuffer {
  private var bytes: [UInt8] = []
  private var start = 0

  var isEmpty: Bool { start == bytes.count }

  var count: Int { bytes.count - start }

  mutating func append(_ span: Span<UInt8>) {
    if start > 0 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes.append(contentsOf: span, in: 0..<span.count)
  }

  /// Lends all bytes to `body`, and forgets as many as it says it consumed.
  mutating func consume(_ body: (Span<UInt8>) -> Int) {
    let consumed = body(bytes.span.extracting(start..<bytes.count))
    start += consumed
    if isEmpty { self = InputBuffer() }
  }
}

extension [UInt8] {
  mutating func append(contentsOf span: Span<UInt8>, in range: Range<Int>) {
    unsafe span.extracting(range).withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
