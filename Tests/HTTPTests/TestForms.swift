import Foundation
import HTTP

/// Answers a form with what the handler got of it: for each part a line of its name, file name, type and count, and then its bytes.
enum TestForms {
  @Sendable static func answer(_ request: Request, _ responder: Responder) {
    switch request.body {
    case .form(let form):
      var told: [UInt8] = []
      for part in form.parts {
        told += "\(part.name)|\(part.fileName ?? "-")|\(part.contentType ?? "-")|\(part.count)\n".utf8
        told += FileManager.default.contents(atPath: part.path) ?? Data("no file".utf8)
        told += "\n".utf8
      }
      responder.respond(.bytes(told))
    case .file(let path, _): responder.respond(.bytes(Array("file\n".utf8) + (FileManager.default.contents(atPath: path) ?? Data())))
    case .none, .bytes, .dropped: responder.respond(.text("\(request.body)"))
    }
  }
}
