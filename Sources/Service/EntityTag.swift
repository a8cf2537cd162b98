import Files
import HTTP

/// Validators of answers (RFC 9110 §8.8.3, §13.1.2).
enum EntityTag {
  /// A strong tag of all that the bytes of an answer depend on.
  static func of(_ identity: String) -> String { "\"\(digits(of: Array(identity.utf8)))\"" }

  /// 128 bits in hexadecimal digits.
  static func digits(of bytes: [UInt8]) -> Substring { SHA256.of(bytes).hex.prefix(32) }

  /// Whether `If-None-Match` names the tag; by weak comparison, as that field has it.
  static func isNamed(_ tag: String, in field: String?) -> Bool { named(in: field).contains { $0 == "*" || $0 == tag } }

  /// The tags of a field, each without the marks of a weak and of a coded one.
  static func named(in field: String?) -> [String] {
    (field ?? "").split(separator: ",").map { part in
      let part = part.filter { $0 != " " && $0 != "\t" }
      return EntityTagMark.plain(part.hasPrefix("W/") ? String(part.dropFirst(2)) : part)
    }
  }
}
