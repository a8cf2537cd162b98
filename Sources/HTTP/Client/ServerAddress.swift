/// Where a server is, as people write it: `http://127.0.0.1:8080`, `https://example.org/fount`.
package struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
  package let isSecure: Bool
  /// A name or a numeric address, without brackets.
  package let host: String
  package let port: Int
  /// What stands before every path, as behind a proxy; without a slash at its end.
  package let prefix: String

  /// Nil where it is no such address, or names a user, a query or a fragment.
  package init?(_ text: String) {
    let lower = text.lowercased()
    guard let scheme = ["http://", "https://"].first(where: { lower.hasPrefix($0) }) else { return nil }
    isSecure = scheme == "https://"
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(authority.count)
    guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !rest.contains(where: { "@?#".contains($0) }) else { return nil }
    prefix = String(path.hasSuffix("/") ? path.dropLast() : path)
    let portText: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      host = String(authority[authority.index(after: authority.startIndex)..<end])
      portText = authority[authority.index(after: end)...]
    } else {
      host = String(authority.prefix { $0 != ":" })
      portText = authority.dropFirst(host.count)
    }
    guard !host.isEmpty, portText.isEmpty || portText.hasPrefix(":") else { return nil }
    guard let port = portText.isEmpty ? (isSecure ? 443 : 80) : Int(portText.dropFirst()), (1...65_535).contains(port) else { return nil }
    self.port = port
  }

  /// Host and port as the field `Host` has them (RFC 9110 §7.2).
  var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  package var description: String { "\(isSecure ? "https" : "http")://\(authority)\(prefix)" }
}
