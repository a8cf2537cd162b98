/// SHA-256 of bytes that come piece by piece: a value, so that a copy goes its own way.
package struct SHA256: Sendable {
  private var state = SHA256State()

  package init() {}

  package mutating func update(_ bytes: Span<UInt8>) {
    if !isKnownUniquelyReferenced(&state) { state = SHA256State(copying: state) }
    state.update(bytes)
  }

  package mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

  /// The digest of what came so far; more may follow.
  package func finish() -> Digest { Digest(unchecked: SHA256State(copying: state).finish()) }

  package static func of(_ bytes: [UInt8]) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }

  /// The digest of a file, read in pieces of 256 kB (chosen; nothing depends on it).
  package static func of(file path: String) throws(Errno) -> Digest {
    let file = try OpenFile(reading: path)
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = try file.read(into: &buffer)
      if count == 0 { return hash.finish() }
      hash.update(buffer.span.extracting(..<count))
    }
  }
}

/// The 32 bytes that SHA-256 gives.
package struct Digest: Hashable, Sendable {
  static let bytesCount = 32
  package let bytes: [UInt8]

  init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// - Parameter bytes: 32 of them, else nil.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.bytesCount else { return nil }
    self.bytes = bytes
  }

  /// - Parameter hex: 64 digits of lower case, else nil.
  package init?(hex: String) {
    let digits = hex.utf8.compactMap(Self.value(ofHexDigit:))
    guard digits.count == 2 * Self.bytesCount, hex.utf8.count == digits.count else { return nil }
    bytes = (0..<Self.bytesCount).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
  }

  /// 64 digits of lower case.
  package var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func value(ofHexDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

extension Digest: CustomStringConvertible {
  package var description: String { hex }
}
