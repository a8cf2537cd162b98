import HTTP
import HTTPTypes

/// Who may speak to a server that has no keys: only programs of this machine that mean it.
///
/// A page in a browser can reach a loopback port under a name of its own (DNS rebinding), or post to it across origins. Hence the Host
/// must be a name of this machine, and an Origin, when there is one, the same.
struct LocalChecks: Sendable {
  static let localNames = ["localhost", "127.0.0.1", "[::1]"]

  func problem(of head: RequestHead) -> Problem? {
    let host = Self.host(of: head.authority)
    guard Self.localNames.contains(host) else {
      return Problem(
        .misdirectedRequest, "this server answers to \(Self.localNames.joined(separator: ", ")) alone, not to \"\(head.authority)\"")
    }
    guard let origin = head.fields[.origin] else { return nil }
    let parts = origin.split(separator: "//", maxSplits: 1)
    guard parts.count == 2, ["http:", "https:"].contains(parts[0].lowercased()), Self.localNames.contains(Self.host(of: String(parts[1])))
    else { return Problem(.forbidden, "requests from pages of \(origin) are not allowed") }
    return nil
  }

  /// An authority without its port, in lower case (RFC 9110 §4.2.3).
  static func host(of authority: String) -> String {
    let authority = authority.lowercased()
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { return String(authority[...end]) }
    return String(authority.prefix { $0 != ":" })
  }
}
