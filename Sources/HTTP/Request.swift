import HTTPTypes

/// One request as a handler gets it: its head, what the route's pattern named, and its whole body.
package struct Request: Sendable {
  package var head: RequestHead
  /// The decoded values of the pattern's `{names}`.
  package var parameters: [String: String]
  package var body: RequestBody

  package init(head: RequestHead, parameters: [String: String] = [:], body: RequestBody = .none) {
    self.head = head
    self.parameters = parameters
    self.body = body
  }

  package var method: HTTPRequest.Method { head.method }
  package var path: String { head.path }
  package var query: [(name: String, value: String)] { head.query }
  package var headers: HTTPFields { head.headers }
  package var id: String { head.id }
  package var remoteAddress: String { head.remoteAddress }
}

/// What came between the head and the next request.
package enum RequestBody: Sendable, Equatable {
  case none
  case bytes([UInt8])
  /// A file of the handler's to move away before it answers; what is still there after the answer is removed.
  case file(path: String, count: Int)
  /// Each part such a file.
  case form(Form)
  case dropped(count: Int)
}

/// All that is known of a request before a byte of its body is read.
package struct RequestHead: Sendable {
  package let method: HTTPRequest.Method
  /// Percent-decoded once, its dot segments removed; `*` for `OPTIONS *`.
  package let path: String
  /// `path` between its slashes: `/v1/jobs` is `["v1", "jobs"]`, `/` is `[""]`.
  package let segments: [String]
  /// Decoded, in the order of the target; a name without `=` has the empty value.
  package let query: [(name: String, value: String)]
  /// The host and port that the client asked, from an absolute target or else from `Host`; empty in HTTP/1.0 without one.
  package let authority: String
  package let fields: FieldTable
  /// Whose request it is, as the server's admission found; empty where nobody asked.
  package var principal = ""
  package let remoteAddress: String
  let serial: RequestSerial

  package init(
    method: HTTPRequest.Method, path: String, segments: [String]? = nil, query: [(name: String, value: String)] = [],
    authority: String = "localhost",
    fields: FieldTable = FieldTable(), remoteAddress: String = "127.0.0.1", serial: RequestSerial = RequestSerial(0)
  ) {
    self.method = method
    self.path = path
    self.segments = segments ?? path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    self.query = query
    self.authority = authority
    self.fields = fields
    self.remoteAddress = remoteAddress
    self.serial = serial
  }

  /// All fields; built anew at each call, so ask `fields` for a single one.
  package var headers: HTTPFields { fields.headers }
  /// What an answer, a log line and a problem document call this request.
  package var id: String { serial.text }
}

/// The number of a request, spelt only when someone asks: most requests are never spoken of.
package struct RequestSerial: Sendable, Hashable {
  let number: UInt64

  package init(_ number: UInt64) { self.number = number }

  package var text: String {
    var bytes: [UInt8] = []
    write(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  func write(into bytes: inout [UInt8]) {
    bytes += "req_".utf8
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
      bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }
}
