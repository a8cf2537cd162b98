import Files
import HTTP
import HTTPTypes
import JSON

/// What the interface tells of itself: for programs, and for people.
extension FountService {
  func describeInterface(_ request: Request) throws -> Response { try publish(documentation.openAPI, request) }

  func showDocumentation(_ request: Request) throws -> Response { try publish(documentation.page, request) }

  private func publish(_ published: PublishedDocumentation.File, _ request: Request) throws -> Response {
    try QueryReader(request).finish()
    guard !EntityTag.isNamed(published.tag, in: request.headers[.ifNoneMatch]) else {
      return Response(status: .notModified, headers: [.eTag: published.tag])
    }
    return Response(status: .ok, headers: published.headers, body: .bytes(published.bytes))
  }
}

/// `openapi.json` and the page made of it, the same as long as the server runs.
package struct PublishedDocumentation: Sendable {
  package struct File: Sendable {
    package let bytes: [UInt8]
    let tag: String
    let headers: HTTPFields

    init(_ text: String, _ headers: HTTPFields) {
      bytes = Array(text.utf8)
      tag = "\"\(EntityTag.digits(of: bytes))\""
      var headers = headers
      (headers[.eTag], headers[.cacheControl]) = (tag, "no-cache")
      self.headers = headers
    }
  }

  package let openAPI: File
  let page: File

  package init(_ configuration: ServiceConfiguration) {
    let document = OpenAPIDocument(limits: DescribedLimits(configuration), version: FountService.version)
    openAPI = File(document.json.serialized() + "\n", [.contentType: "application/json"])
    page = File(
      DocumentationPage(document: document).html,
      [.contentType: "text/html; charset=utf-8", .contentSecurityPolicy: DocumentationStyle.policy])
  }
}
