import HTTPTypes

/// What a request's conditional fields say to a representation (RFC 9110 §13).
package enum Preconditions {
  package enum Outcome: Sendable, Equatable {
    case goOn
    /// 304: the client has it.
    case notModified
    /// 412: it is not what the client thinks.
    case failed
  }

  /// In the order of RFC 9110 §13.2.2.
  /// - Parameters:
  ///   - tag: the representation's entity tag, with its quotes.
  ///   - lastModified: seconds since 1970.
  package static func outcome(of fields: FieldTable, method: HTTPRequest.Method, tag: String?, lastModified: Int? = nil) -> Outcome {
    if let field = fields.list(.ifMatch) {
      guard isNamed(tag, in: field, strongly: true) else { return .failed }
    } else if let since = fields[.ifUnmodifiedSince].flatMap(HTTPDate.seconds), let lastModified {
      guard lastModified <= since else { return .failed }
    }
    let isSafe = method == .get || method == .head
    if let field = fields.list(.ifNoneMatch) {
      if isNamed(tag, in: field, strongly: false) { return isSafe ? .notModified : .failed }
    } else if isSafe, let since = fields[.ifModifiedSince].flatMap(HTTPDate.seconds), let lastModified {
      if lastModified <= since { return .notModified }
    }
    return .goOn
  }

  /// RFC 9110 §13.1.5: whether a range of the representation fits what the client has. A weak tag never does, nor a date that a change in
  /// the same second could share.
  static func allowsRange(_ fields: FieldTable, tag: String?, lastModified: Int?) -> Bool {
    guard let field = fields[.ifRange] else { return true }
    if field.hasPrefix("\"") { return field == tag }
    guard let date = HTTPDate.seconds(field) else { return false }
    return date == lastModified
  }

  /// RFC 9110 §8.8.3.2: strong comparison takes no weak tag, weak comparison looks past the mark.
  private static func isNamed(_ tag: String?, in field: String, strongly: Bool) -> Bool {
    if field == "*" { return true }
    guard let tag else { return false }
    if strongly, tag.hasPrefix("W/") { return false }
    let opaque = opaque(tag)
    return tags(in: field).contains { strongly ? $0 == tag : Self.opaque($0) == opaque }
  }

  private static func opaque(_ tag: String) -> String { tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag }

  /// A comma may stand within a tag's quotes (RFC 9110 §8.8.3).
  private static func tags(in field: String) -> [String] {
    var tags: [String] = []
    var current = ""
    var isQuoted = false
    for character in field {
      if character == "\"" { isQuoted.toggle() }
      if character == ",", !isQuoted {
        tags.append(current)
        current = ""
      } else if isQuoted || character != " " && character != "\t" {
        current.append(character)
      }
    }
    return (tags + [current]).filter { !$0.isEmpty }
  }
}
