import HTTP
import HTTPTypes

/// The page: `/`, and its files under `/page/`. What it shows it asks the interface for, as any other client does.
extension FountService {
  func showPage(_ request: Request) throws -> Response { try answer(request, with: "index.html") }

  func showPageFile(_ request: Request) throws -> Response { try answer(request, with: request.parameters["file"] ?? "") }

  private func answer(_ request: Request, with name: String) throws -> Response {
    try QueryReader(request).finish()
    guard let file = PageFile.all[name] else { throw Problem.notFound("file of the page", name) }
    // Asked for anew each time, and rarely sent: another version of the server has other files under the same names.
    var headers: HTTPFields = [.eTag: file.tag, .cacheControl: "no-cache"]
    if EntityTag.isNamed(file.tag, in: request.headers[.ifNoneMatch]) { return Response(status: .notModified, headers: headers) }
    headers[.contentType] = file.type
    headers[.contentSecurityPolicy] = Self.pagePolicy
    headers[.crossOriginOpenerPolicy] = "same-origin"
    return Response(status: .ok, headers: headers, body: .bytes(file.bytes))
  }

  /// Scripts and styles from this server's files alone, none of them in the page's text; pictures also as those that a script has fetched
  /// with its key; no frame around it, no form that goes anywhere, and no text that becomes markup.
  private static let pagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

extension HTTPField.Name {
  static let crossOriginOpenerPolicy = constant("Cross-Origin-Opener-Policy")
}
