import HTTPTypes

/// An answer. The server adds `Content-Length`, `Date`, `Connection` and `X-Request-Id`; what a handler says of the first three is left
/// out.
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
  /// The first `count` bytes of a file, sent by the kernel.
  case file(path: String, count: Int)

  package var count: Int {
    switch self {
    case .empty: 0
    case .bytes(let bytes): bytes.count
    case .file(_, let count): count
    }
  }
}
