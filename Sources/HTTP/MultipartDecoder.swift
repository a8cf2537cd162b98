/// Takes a form apart (RFC 7578, RFC 2046 §5.1.1), a run of a part's data at once and however the bytes were cut.
///
/// A delimiter begins with the one CR of its own, so that a search which failed within one goes on where it failed. What could be read in
/// two ways is refused: bare CR or LF in a part's head, folded lines, a line that begins with the delimiter and goes on.
struct MultipartDecoder {
  enum Step: Equatable {
    case needsMoreBytes
    /// A part's head is whole; its data begins at the offset.
    case part(FieldTable, next: Int)
    /// A run of the part's data, as offsets into the bytes given.
    case data(Range<Int>)
    /// Bytes that came before, and could have been a delimiter's beginning, are data.
    case heldBack([UInt8], next: Int)
    /// The part ends; what is next tells whether another begins.
    case partEnd(next: Int)
  }

  private enum State {
    /// In a part's data, or before the first part; `matched` bytes of a delimiter have come.
    case data(matched: Int)
    case afterDelimiter, delimiterLineFeed, closingDash
    case head, headLineFeed
    /// Behind the last delimiter all is dropped.
    case epilogue
  }

  private let limits: ServerConfiguration.Limits
  /// `CRLF -- boundary`
  private let delimiter: [UInt8]
  /// A form, and each part's data, begin where a line does: the line end of a delimiter has been, and is no data.
  private var state = State.data(matched: lineEndBytes)
  private var isLineEndTaken = true
  private static let lineEndBytes = 2
  private var isInPart = false
  private var partCount = 0
  private var preambleBytes = 0
  private var head: [UInt8] = []
  private var headLines: [FieldLine] = []
  private var lineStart = 0

  /// - Parameter contentType: the request's, which names the boundary (RFC 2046 §5.1.1: 1 to 70 characters, the last no blank).
  init(contentType: String, limits: ServerConfiguration.Limits) throws(HTTPFault) {
    let type = ParameterizedValue(contentType)
    guard type?.value == "multipart/form-data" || contentType.lowercased().hasPrefix("multipart/form-data;") else {
      throw HTTPFault(.unsupportedMediaType, "the body must be a form as multipart/form-data")
    }
    guard let boundary = type?.parameters["boundary"], (1...70).contains(boundary.utf8.count), boundary.last != " ",
      boundary.utf8.allSatisfy(ByteClass.boundary.contains)
    else { throw .malformed("multipart/form-data needs a boundary of 1 to 70 of the characters that RFC 2046 allows") }
    delimiter = Array("\r\n--\(boundary)".utf8)
    self.limits = limits
  }

  /// Whether the last delimiter has come.
  var isWhole: Bool {
    if case .epilogue = state { return true }
    return false
  }

  /// Goes on at `start`; call again with what the step says is next, and after `data` with its upper bound.
  mutating func next(_ bytes: Span<UInt8>, from start: Int) throws(HTTPFault) -> Step {
    var index = start
    while index < bytes.count {
      switch state {
      case .data(let matched):
        if let step = try searched(bytes, &index, matched: matched) { return step }
      case .epilogue: return .needsMoreBytes
      case .afterDelimiter, .delimiterLineFeed, .closingDash:
        state = try after(bytes[index])
        index += 1
      case .head, .headLineFeed:
        let isWhole = try takeHead(bytes[index])
        index += 1
        if isWhole { return begun(next: index) }
      }
    }
    return .needsMoreBytes
  }

  /// Looks for the delimiter. Nil when none of the bytes from `index` on is data, as far as they have been looked at.
  private mutating func searched(_ bytes: Span<UInt8>, _ index: inout Int, matched: Int) throws(HTTPFault) -> Step? {
    if matched > 0 {
      let begun = matched
      let count = matchCount(bytes, at: index, from: matched)
      guard index + count == bytes.count || begun + count == delimiter.count else {
        state = .data(matched: 0)
        let heldBack = delimiter[(isLineEndTaken ? Self.lineEndBytes : 0)..<begun]
        isLineEndTaken = false
        return isInPart && !heldBack.isEmpty ? .heldBack(Array(heldBack), next: index) : nil
      }
      index += count
      return finishedMatch(begun + count, at: index)
    }
    var search = index
    while let found = bytes.firstIndex(of: .carriageReturn, from: search) {
      let count = matchCount(bytes, at: found, from: 0)
      guard count == delimiter.count || found + count == bytes.count else {
        search = found + 1
        continue
      }
      let run = index..<found
      if run.isEmpty || !isInPart {
        try countPreamble(run.count)
        index = found + count
        return finishedMatch(count, at: index)
      }
      state = .data(matched: 0)
      // The run first; the delimiter is found again at once when it is done with.
      return .data(run)
    }
    let run = index..<bytes.count
    index = bytes.count
    try countPreamble(run.count)
    return isInPart ? .data(run) : nil
  }

  /// How many bytes at `index` go on with the delimiter after its first `matched`.
  private func matchCount(_ bytes: Span<UInt8>, at index: Int, from matched: Int) -> Int {
    var count = 0
    while matched + count < delimiter.count, index + count < bytes.count, bytes[index + count] == delimiter[matched + count] { count += 1 }
    return count
  }

  private mutating func finishedMatch(_ matched: Int, at index: Int) -> Step? {
    guard matched == delimiter.count else {
      state = .data(matched: matched)
      return nil
    }
    state = .afterDelimiter
    isLineEndTaken = false
    defer { isInPart = false }
    return isInPart ? .partEnd(next: index) : nil
  }

  /// RFC 2046 §5.1.1 lets text stand before the first part; nobody who sends forms has use for much.
  private mutating func countPreamble(_ count: Int) throws(HTTPFault) {
    guard !isInPart else { return }
    preambleBytes += count
    guard preambleBytes <= limits.formPartHeadBytesMax else {
      throw .malformed("the form does not begin with its boundary")
    }
  }

  /// `delimiter transport-padding CRLF`, or `delimiter--` for the last.
  private mutating func after(_ byte: UInt8) throws(HTTPFault) -> State {
    switch (state, byte) {
    case (.afterDelimiter, UInt8(ascii: "-")): return .closingDash
    case (.closingDash, UInt8(ascii: "-")): return .epilogue
    case (.afterDelimiter, .space), (.afterDelimiter, .tab): return .afterDelimiter
    case (.afterDelimiter, .carriageReturn): return .delimiterLineFeed
    case (.delimiterLineFeed, .lineFeed):
      partCount += 1
      guard partCount <= limits.formPartsMax else { throw .malformed("the form has more than \(limits.formPartsMax) parts") }
      (head, headLines, lineStart) = ([], [], 0)
      return .head
    default: throw .malformed("a boundary in the form is followed by what is neither a line's end nor the form's")
    }
  }

  /// Returns whether the part's head ends with this byte.
  private mutating func takeHead(_ byte: UInt8) throws(HTTPFault) -> Bool {
    guard head.count < limits.formPartHeadBytesMax else {
      throw HTTPFault(.requestHeaderFieldsTooLarge, "the head of a form's part is longer than \(limits.formPartHeadBytesMax) bytes")
    }
    head.append(byte)
    if case .headLineFeed = state {
      guard byte == .lineFeed else { throw .malformed("a carriage return stands alone in the head of a form's part") }
      let line = lineStart..<head.count - 2
      lineStart = head.count
      state = .head
      if line.isEmpty { return true }
      headLines.append(try HeadParser.field(line, of: head.span))
      return false
    }
    if byte == .carriageReturn {
      state = .headLineFeed
    } else if byte < 0x20 && byte != .tab || byte == 0x7F {
      throw .malformed("the head of a form's part holds the control byte \(byte)")
    }
    return false
  }

  private mutating func begun(next: Int) -> Step {
    state = .data(matched: Self.lineEndBytes)
    isLineEndTaken = true
    isInPart = true
    return .part(FieldTable(bytes: head, lines: headLines), next: next)
  }
}
