import HTTPTypes

/// An answer. The server adds `Content-Length` or `Transfer-Encoding`, `Date`, `Connection` and `X-Request-Id`; what a handler says of
/// framing, date and connection is left out.
package struct Response: Sendable {
  package var status: HTTPResponse.Status
  package var headers: HTTPFields
  package var body: ResponseBody

  package init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: ResponseBody = .empty) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

package enum ResponseBody: Sendable, Equatable {
  case empty
  case bytes([UInt8])
  /// A part of a file, sent by the kernel.
  case file(ServedFile, Range<Int>)
  /// One after the other; none of them a stream.
  case parts([ResponseBody])
  /// What is written while it is sent, its length unknown.
  case stream(ResponseStream)

  /// Nil where nobody knows it yet.
  package var count: Int? {
    switch self {
    case .empty: 0
    case .bytes(let bytes): bytes.count
    case .file(_, let range): range.count
    case .parts(let parts): parts.reduce(0) { $0 + ($1.count ?? 0) }
    case .stream: nil
    }
  }
}
