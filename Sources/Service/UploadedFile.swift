import HTTP
import HTTPTypes
import JSON

/// The one file that a request brings: its whole body, as `curl --data-binary @FILE` or `-T FILE` sends it, or the part `file` of a form,
/// as `curl -F file=@FILE` does.
struct UploadedFile {
  let path: String
  let bytes: Int

  static let form = FormPolicy("file")

  /// - Parameter needed: what is said to be needed where the request brings nothing.
  init(in request: Request, needed: String) throws(Problem) {
    switch request.body {
    case .file(let path, let count) where count > 0: (self.path, bytes) = (path, count)
    case .form(let form):
      guard let part = form["file"] else {
        throw .unprocessable([Fault(pointer: "", detail: "the form has no part \"file\", as curl -F file=@FILE sends it; \(needed)")])
      }
      guard part.count > 0 else { throw .unprocessable([Fault(pointer: "", detail: "the form's file is empty; \(needed)")]) }
      // RFC 9530 §3: it would be of the form with all that is around the file.
      guard request.headers[.reprDigest] == nil else {
        throw Problem(.badRequest, "Repr-Digest is of the whole body: with it, send the file itself as curl --data-binary @FILE does")
      }
      (path, bytes) = (part.path, part.count)
    default: throw .unprocessable([Fault(pointer: "", detail: "the body is empty; \(needed)")])
    }
  }
}
