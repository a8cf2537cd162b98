import HTTP
import HTTPTypes

extension ReferenceServer {
  /// What outside test suites and load generators ask: something small, something of 20 000 bytes, a body, a form.
  /// - Parameter uploads: a folder for the parts of forms.
  static func routes(uploads: String) -> [Route] {
    let health = Response(status: .ok, headers: [.contentType: "application/json"], body: .bytes(Array(#"{"status":"ok"}"#.utf8)))
    let image = Response(
      status: .ok, headers: [.contentType: "image/png"], body: .bytes((0..<20_000).map { UInt8(truncatingIfNeeded: $0) }))
    return [
      Route(.get, "/health") { _, responder in responder.respond(health) },
      Route(.get, "/image") { _, responder in responder.respond(image) },
      Route(.post, "/upload", body: .dropped(bytesMax: uploadBytesMax)) { request, responder in
        guard case .dropped(let count) = request.body else { return responder.respond(json(#"{"bytes":0}"#)) }
        responder.respond(json(#"{"bytes":\#(count)}"#))
      },
      Route(.post, "/form", body: .file(bytesMax: uploadBytesMax, folder: uploads, form: FormPolicy("file", ignoresOthers: true))) {
        request, responder in
        guard case .form(let form) = request.body, let file = form["file"], let content = try? ServedFile(opening: file.path) else {
          return responder.respond(json(#"{"error":"the form has no part named file"}"#, status: .badRequest))
        }
        let type = file.contentType ?? "application/octet-stream"
        responder.respond(Response(status: .ok, headers: [.contentType: type], body: .file(content, 0..<content.count)))
      },
    ]
  }

  private static let uploadBytesMax = 1 << 30

  private static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(status: status, headers: [.contentType: "application/json"], body: .bytes(Array(text.utf8)))
  }
}
