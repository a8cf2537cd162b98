import CPage
import Files
import HTTP

/// A file of the page, which is in the program itself: one binary needs no folder beside it.
struct PageFile: Sendable {
  let name: String
  let bytes: [UInt8]
  let type: String
  /// Strong, of the bytes.
  let tag: String

  /// By their names.
  static let all: [String: PageFile] = Dictionary(
    uniqueKeysWithValues: (0..<fount_page_count()).map { index in
      let file = PageFile(fount_page_at(index))
      return (file.name, file)
    })

  private init(_ file: fount_page_file) {
    name = String(cString: file.name)
    bytes = Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
    type = Self.type(of: name)
    tag = "\"\(EntityTag.digits(of: bytes))\""
  }

  private static func type(of name: String) -> String {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    default: "application/octet-stream"
    }
  }
}
