/// The records of a CSV one after another (RFC 4180), in constant memory but for one record.
///
/// Any of the three line ends is read, fields may stand in quotes with their quotes doubled, and empty lines are left out. The separator
/// is a comma, or the semicolon or tab that the first line has more of.
final class CSVReader {
  /// Of the record that `next` read last: counted from 1, the header among them.
  private(set) var number = 0
  private(set) var start = 0

  let reader: ByteReader
  private let separator: UInt8
  private var part = [UInt8](repeating: 0, count: 1 << 16)
  private var waiting = 0..<0
  private var position = 0
  /// The fields' bytes, one after another without their quotes, and where each ends.
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var followsReturn = false

  /// Room for as many numbers as an example may have, each of 16 letters.
  private static let recordBytesMax = 1 << 26

  init(_ reader: ByteReader) throws(DecodeError) {
    self.reader = reader
    let head = try reader.peek(1 << 16)
    if head.starts(with: Self.byteOrderMark) {
      try reader.skip(Self.byteOrderMark.count, "the byte order mark")
      position = Self.byteOrderMark.count
    }
    separator = Self.separator(head)
  }

  static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
  private static let (quote, newline, carriageReturn) = (UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"))

  /// The one of the three that the first line has most of outside quotes; the comma where it has none.
  private static func separator(_ head: [UInt8]) -> UInt8 {
    var counts: [UInt8: Int] = [:]
    var isQuoted = false
    for byte in head {
      if byte == quote { isQuoted.toggle() }
      if !isQuoted, byte == newline || byte == carriageReturn { break }
      if !isQuoted { counts[byte, default: 0] += 1 }
    }
    return [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")].max { counts[$0, default: 0] < counts[$1, default: 0] } ?? 0x2c
  }

  var fieldCount: Int { ends.count }

  func field(_ index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

  func text(_ index: Int) -> String { String(decoding: field(index), as: UTF8.self).trimmed }

  /// An error in a field of this record, or in the record.
  func error(_ field: Int?, _ detail: String) -> DecodeError {
    let subject = field.map { "record \(number), field \($0 + 1)" } ?? "record \(number)"
    return reader.place.error(.malformed, subject, detail, at: start)
  }

  private enum State { case fieldStarts, plain, quoted, quoteEnds }

  /// Reads the next record; false at the end.
  func next() throws(DecodeError) -> Bool {
    while true {
      guard try readRecord() else { return false }
      // An empty line is one empty field.
      if ends.count > 1 || !bytes.isEmpty { return true }
    }
  }

  private func readRecord() throws(DecodeError) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    number += 1
    start = position
    var state = State.fieldStarts
    var isEmpty = true
    while let byte = try nextByte() {
      if followsReturn, byte == Self.newline {
        followsReturn = false
        if isEmpty { start = position }
        if isEmpty { continue }
      }
      followsReturn = false
      isEmpty = false
      guard byte != 0 else { throw error(ends.count, "holds a byte of 0, which is no text") }
      switch (state, byte) {
      case (.quoted, Self.quote): state = .quoteEnds
      case (.quoted, _): bytes.append(byte)
      case (.quoteEnds, Self.quote):
        bytes.append(byte)
        state = .quoted
      case (_, separator):
        ends.append(bytes.count)
        state = .fieldStarts
      case (_, Self.newline), (_, Self.carriageReturn):
        followsReturn = byte == Self.carriageReturn
        ends.append(bytes.count)
        return true
      case (.fieldStarts, Self.quote): state = .quoted
      case (.fieldStarts, _), (.plain, _):
        guard byte != Self.quote else { throw error(ends.count, "has a quote in its middle; a field with quotes must stand in quotes") }
        bytes.append(byte)
        state = .plain
      case (.quoteEnds, _): throw error(ends.count, "goes on after its closing quote")
      }
      guard bytes.count <= Self.recordBytesMax, ends.count <= ExampleShape.dimsMax else {
        throw error(nil, "is longer than \(Self.recordBytesMax) bytes or \(ExampleShape.dimsMax) fields, the most that is allowed")
      }
    }
    guard state != .quoted else { throw error(ends.count, "has an opening quote and no closing one") }
    if isEmpty { return false }
    ends.append(bytes.count)
    return true
  }

  private func nextByte() throws(DecodeError) -> UInt8? {
    if waiting.isEmpty {
      waiting = 0..<(try reader.takeSome(part.count, into: &part))
      if waiting.isEmpty { return nil }
    }
    let byte = part[waiting.lowerBound]
    waiting = waiting.lowerBound + 1..<waiting.upperBound
    position += 1
    return byte
  }
}

extension String {
  fileprivate var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(self[first...last])
  }
}
