/// Ids of what the API names: `job_` and 16 letters and digits, which are 80 bits in base 32.
///
/// 80 random bits make two equal ids among a thousand million a matter of one in two million; they sort by nothing and tell nothing.
package enum Identifier {
  /// A new id that nobody can guess.
  /// - Parameter prefix: as in `job`, without the underscore.
  package static func random(prefix: String) -> String { "\(prefix)_\(randomText())" }

  /// The id that these contents always have: the first 80 bits of their digest.
  package static func derived(prefix: String, from digest: Digest) -> String { "\(prefix)_\(text(digest.bytes.prefix(10)))" }

  /// Whether `id` could have come from here; what could not is never looked up, least of all as a path.
  package static func isWellFormed(_ id: String, prefix: String) -> Bool {
    let letters = id.utf8.dropFirst(prefix.utf8.count + 1)
    return id.hasPrefix("\(prefix)_") && letters.count == 16 && letters.allSatisfy(alphabet.contains)
  }

  static func randomText() -> String { text(randomBytes(count: 10)[...]) }

  /// RFC 4648's alphabet in lower case.
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    var letters: [UInt8] = []
    var (bits, bitCount): (UInt, Int) = (0, 0)
    for byte in bytes {
      bits = (bits << 8 | UInt(byte)) & 0xffff
      bitCount += 8
      while bitCount >= 5 {
        bitCount -= 5
        letters.append(alphabet[Int(bits >> UInt(bitCount)) & 31])
      }
    }
    return String(decoding: letters, as: UTF8.self)
  }
}
