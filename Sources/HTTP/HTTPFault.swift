import HTTPTypes

/// What the protocol layer refuses by itself: the status it answers with, and why in words for the client.
package struct HTTPFault: Error, Sendable, Equatable {
  package let status: HTTPResponse.Status
  package let detail: String
  /// Fields that the answer must carry: `Allow`, `Retry-After`.
  package let headers: HTTPFields
  /// Whether nothing more can be read from the connection with certainty where a request begins.
  let closes: Bool

  package init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:], closes: Bool = true) {
    self.status = status
    self.detail = detail
    self.headers = headers
    self.closes = closes
  }

  static func malformed(_ detail: String) -> HTTPFault { HTTPFault(.badRequest, detail) }
}

extension HTTPFault {
  /// The plainest answer to a fault, for a server that was given no other.
  @Sendable package static func plainText(_ fault: HTTPFault, path: String, requestID: String) -> Response {
    let text = "\(fault.status.code) \(fault.status.reasonPhrase): \(fault.detail)\n"
    return Response(status: fault.status, headers: [.contentType: "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
  }
}
