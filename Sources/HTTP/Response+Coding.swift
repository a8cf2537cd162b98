import HTTPTypes

extension Response {
  /// Below this a packet holds it anyway; chosen.
  private static let codedBytesMin = 1024

  /// The answer under gzip, where the client takes it, the type is one of text, and it is worth it (RFC 9110 §8.4, §12.5.3).
  ///
  /// It costs processor time: not on a shard. What is coded is another representation, so that its strong tag is another one, too
  /// (§8.8.3.3); `EntityTagMark.plain` takes the mark off again.
  package func coded(for request: Request) -> Response {
    var coded = self
    if status == .notModified {
      // The tag of what the client has (§15.4.5).
      let named = request.head.fields.list(.ifNoneMatch) ?? ""
      if let marked = headers[.eTag].flatMap(EntityTagMark.marked), named.contains(marked) { coded.headers[.eTag] = marked }
      return coded
    }
    guard Self.isText(headers[.contentType]), headers[.contentEncoding] == nil, case .bytes(let bytes) = body else { return self }
    let vary = headers[.vary]
    coded.headers[.vary] = vary.map { "\($0), Accept-Encoding" } ?? "Accept-Encoding"
    guard bytes.count >= Self.codedBytesMin, AcceptedCodings(request.head.fields.list(.acceptEncoding)).prefersGzip,
      let smaller = Gzip.compressed(bytes)
    else { return coded }
    coded.body = .bytes(smaller)
    coded.headers[.contentEncoding] = "gzip"
    if let marked = headers[.eTag].flatMap(EntityTagMark.marked) { coded.headers[.eTag] = marked }
    return coded
  }

  private static func isText(_ type: String?) -> Bool {
    guard let type = type?.prefix(while: { $0 != ";" }).lowercased() else { return false }
    return type.hasPrefix("text/") && type != "text/event-stream" || type == "application/json" || type.hasSuffix("+json")
  }
}

/// How the strong tag of a coded representation differs from the plain one's: `"x"` is `"x-gzip"`.
package enum EntityTagMark {
  /// Nil for a weak tag, which names both.
  static func marked(_ tag: String) -> String? {
    guard tag.hasPrefix("\""), tag.hasSuffix("\""), tag.utf8.count > 1 else { return nil }
    return tag.dropLast() + "-gzip\""
  }

  /// A tag without the mark.
  package static func plain(_ tag: String) -> String { tag.hasSuffix("-gzip\"") ? tag.dropLast(6) + "\"" : tag }
}

/// `Accept-Encoding` (RFC 9110 §12.5.3).
struct AcceptedCodings {
  /// Whether gzip is taken, and nothing is liked better.
  let prefersGzip: Bool

  init(_ field: String?) {
    var weights: [String: Double] = [:]
    for member in (field ?? "").split(separator: ",") {
      let parts = member.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
      guard let name = parts.first else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      weights[name == "x-gzip" ? "gzip" : name] = min(max(weight, 0), 1)
    }
    let gzip = weights["gzip"] ?? weights["*"] ?? 0
    prefersGzip = gzip > 0 && gzip >= weights["identity"] ?? 0
  }
}
