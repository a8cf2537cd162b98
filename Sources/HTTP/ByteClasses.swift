import Foundation

// The bytes that the grammar of HTTP speaks of, and comparing spans of them with words.

extension UInt8 {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20

  var isDigit: Bool { self &- 0x30 < 10 }
  var isBlank: Bool { self == .space || self == .tab }
  var lowercasedASCII: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

  /// RFC 9110 §5.6.2: `tchar`.
  var isToken: Bool { ByteClass.token.contains(self) }

  var hexadecimalValue: UInt8? {
    if isDigit { return self - 0x30 }
    let letter = (self | 0x20) &- 0x61
    return letter < 6 ? letter + 10 : nil
  }
}

/// A set of ASCII characters, a bit each. Written as numbers, for a set that is computed is asked for its being there at every byte.
struct ByteClass {
  private let low: UInt64
  private let high: UInt64

  /// RFC 9110 §5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
  static let token = ByteClass(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
  /// RFC 3986 §3.3, and what browsers leave as it is, `[ ] |`: letters, digits and `-._~!$&'()*+,;=:@/%[]|`.
  static let path = ByteClass(low: 0x2FFF_FFF2_0000_0000, high: 0x57FF_FFFE_AFFF_FFFF)
  /// RFC 3986 §3.4, and what browsers leave as it is: those of a path and ``?^{}\` ``.
  static let query = ByteClass(low: 0xAFFF_FFF2_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF)
  /// RFC 3986 §3.2.2, `reg-name`: letters, digits and `-._~!$&'()*+,;=%`.
  static let hostName = ByteClass(low: 0x2BFF_7FF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
  /// RFC 2046 §5.1.1, `bchars`: letters, digits and `'()+_,-./:=? `.
  static let boundary = ByteClass(low: 0xA7FF_FB81_0000_0000, high: 0x07FF_FFFE_87FF_FFFE)

  private init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  func contains(_ byte: UInt8) -> Bool { byte < 0x80 && (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte - 64)) & 1 == 1 }
}

extension Span<UInt8> {
  /// Whether the bytes from `start` on begin with `word`.
  func matches(_ word: String, at start: Int) -> Bool {
    guard start + word.utf8.count <= count else { return false }
    var index = start
    for byte in word.utf8 {
      if self[index] != byte { return false }
      index += 1
    }
    return true
  }

  /// Whether the bytes of `range` are `word`, which is in lower case, whatever their own case.
  func equals(_ range: Range<Int>, lowercased word: String) -> Bool {
    guard range.count == word.utf8.count else { return false }
    var index = range.lowerBound
    for byte in word.utf8 {
      if self[index].lowercasedASCII != byte { return false }
      index += 1
    }
    return true
  }

  /// memchr(3): where `byte` is first found from `start` on.
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    guard start < count else { return nil }
    return unsafe withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = unsafe memchr(base + start, Int32(byte), bytes.count - start) else { return nil }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// What isn't UTF-8 in it becomes U+FFFD.
  func text(_ range: Range<Int>) -> String {
    unsafe extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  func bytes(_ range: Range<Int>) -> [UInt8] {
    var copy: [UInt8] = []
    copy.append(contentsOf: self, in: range)
    return copy
  }
}
