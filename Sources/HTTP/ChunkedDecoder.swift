/// Takes the chunked coding off a body (RFC 9112 §7.1), one byte of framing at a time and a chunk's data at once.
///
/// Extensions and trailers are read, bounded and dropped. Bare LF and blanks where the grammar has none are refused: they are
/// what smuggled requests hide behind.
struct ChunkedDecoder {
  enum Step: Equatable {
    case needsMoreBytes
    /// A run of data, as offsets into the bytes given.
    case data(Range<Int>)
    /// The body is whole; what comes next begins there.
    case finished(at: Int)
  }

  private enum State {
    case size(digits: Int), afterSize, chunkExtension, sizeLineFeed
    case data, dataCarriageReturn, dataLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
  }

  private let limits: ServerConfiguration.Limits
  private var state = State.size(digits: 0)
  private var remaining = 0
  private var extensionBytes = 0
  private var trailerBytes = 0

  init(limits: ServerConfiguration.Limits) { self.limits = limits }

  /// Goes on at `start`. After `data`, call again with its upper bound.
  mutating func next(_ bytes: Span<UInt8>, from start: Int) throws(HTTPFault) -> Step {
    var index = start
    while index < bytes.count {
      if case .data = state {
        let run = index..<index + min(remaining, bytes.count - index)
        remaining -= run.count
        if remaining == 0 { state = .dataCarriageReturn }
        return .data(run)
      }
      let isLast: Bool
      if case .lastLineFeed = state { isLast = true } else { isLast = false }
      state = try after(bytes[index])
      index += 1
      if isLast { return .finished(at: index) }
    }
    return .needsMoreBytes
  }

  private mutating func after(_ byte: UInt8) throws(HTTPFault) -> State {
    switch state {
    case .size(let digits): return try afterSizeByte(byte, digits: digits)
    case .afterSize:
      if byte.isBlank { return try counted(.afterSize) }
      guard byte == UInt8(ascii: ";") else { throw .malformed("a chunk's size is followed by a blank and no extension") }
      return try counted(.chunkExtension)
    case .chunkExtension:
      if byte == .carriageReturn { return .sizeLineFeed }
      try refuseControl(byte)
      return try counted(.chunkExtension)
    case .sizeLineFeed:
      try expectLineFeed(byte)
      return remaining == 0 ? .trailerStart : .data
    case .data, .dataCarriageReturn:
      guard byte == .carriageReturn else { throw .malformed("a chunk is longer than its size says") }
      return .dataLineFeed
    case .dataLineFeed:
      try expectLineFeed(byte)
      return .size(digits: 0)
    case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed: return try afterTrailerByte(byte)
    }
  }

  private mutating func afterSizeByte(_ byte: UInt8, digits: Int) throws(HTTPFault) -> State {
    if let digit = byte.hexadecimalValue {
      // Fifteen digits fill 60 bits; leading zeros count, or they could go on for ever.
      guard digits < 15 else { throw .malformed("a chunk's size has more than 15 digits") }
      remaining = remaining << 4 | Int(digit)
      return .size(digits: digits + 1)
    }
    guard digits > 0 else { throw .malformed("a chunk does not begin with its size in hexadecimal digits") }
    switch byte {
    case .carriageReturn: return .sizeLineFeed
    case UInt8(ascii: ";"): return try counted(.chunkExtension)
    case .space, .tab: return try counted(.afterSize)
    default: throw .malformed("a chunk's size is not a number: hexadecimal digits alone are allowed")
    }
  }

  private mutating func afterTrailerByte(_ byte: UInt8) throws(HTTPFault) -> State {
    trailerBytes += 1
    guard trailerBytes <= limits.trailerBytesMax else {
      throw HTTPFault(.requestHeaderFieldsTooLarge, "the trailers are longer than \(limits.trailerBytesMax) bytes")
    }
    switch state {
    case .trailerStart where byte == .carriageReturn: return .lastLineFeed
    case .trailerStart where byte.isToken: return .trailerName
    case .trailerName where byte.isToken: return .trailerName
    case .trailerName where byte == UInt8(ascii: ":"): return .trailerValue
    case .trailerValue where byte == .carriageReturn: return .trailerLineFeed
    case .trailerValue:
      try refuseControl(byte)
      return .trailerValue
    case .trailerLineFeed, .lastLineFeed:
      try expectLineFeed(byte)
      return .trailerStart
    default: throw .malformed("a trailer is not a name, a colon and a value")
    }
  }

  private mutating func counted(_ next: State) throws(HTTPFault) -> State {
    extensionBytes += 1
    guard extensionBytes <= limits.chunkExtensionBytesMax else {
      throw .malformed("the chunk extensions are longer than \(limits.chunkExtensionBytesMax) bytes")
    }
    return next
  }

  private func refuseControl(_ byte: UInt8) throws(HTTPFault) {
    if byte < 0x20 && byte != .tab || byte == 0x7F { throw .malformed("the chunked body's framing holds the control byte \(byte)") }
  }

  private func expectLineFeed(_ byte: UInt8) throws(HTTPFault) {
    guard byte == .lineFeed else { throw .malformed("a carriage return stands alone in the chunked body's framing") }
  }
}
