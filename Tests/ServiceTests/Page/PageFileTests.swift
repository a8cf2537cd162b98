import Foundation
import JSON
import Testing

/// The page's files as the server gives them.
@Suite struct `The page's files` {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../Sources/CPage/files").standardizedFileURL

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { !$0.hasPrefix(".") }.sorted()
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
  }

  @Test func `are all in the program, byte for byte, under their types`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let types = [
      "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]
    var (bytes, sent) = (0, 0)
    for name in try names() {
      let answer = try fount.curl("/page/\(name)")
      let file = try Data(contentsOf: Self.folder.appendingPathComponent(name))
      #expect(answer.status == 200 && answer.body == file, "\(name)")
      #expect(answer.headers["content-type"] == types[String(name.split(separator: ".").last ?? "")], "\(name)")
      #expect(answer.headers["x-content-type-options"] == "nosniff", "\(name)")
      bytes += file.count
      sent += try fount.curl("/page/\(name)", "-H", "Accept-Encoding: gzip").body.count
    }
    #expect(try fount.curl("/").body == Data(contentsOf: Self.folder.appendingPathComponent("index.html")))
    #expect(try fount.curl("/page/secret.js").status == 404)
    #expect(try fount.curl("/page/..%2ffount.sqlite").status >= 400)
    print("the page is \(bytes) bytes in all, \(sent) under gzip")
    #expect(bytes < 150_000 && sent < bytes / 2)
  }

  @Test func `are asked for anew and sent once: a strong tag, 304, and another tag under gzip`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let plain = try fount.curl("/"), coded = try fount.curl("/page/page.css", "-H", "Accept-Encoding: gzip")
    let tag = try #require(plain.headers["etag"]), codedTag = try #require(coded.headers["etag"])
    #expect(tag.hasPrefix("\"") && plain.headers["cache-control"] == "no-cache")
    #expect(coded.headers["content-encoding"] == "gzip" && codedTag.hasSuffix("-gzip\"") && coded.headers["vary"] == "Accept-Encoding")
    let again = try fount.curl("/", "-H", "If-None-Match: \(tag)")
    #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
    let codedAgain = try fount.curl("/page/page.css", "-H", "Accept-Encoding: gzip", "-H", "If-None-Match: \(codedTag)")
    #expect(codedAgain.status == 304 && codedAgain.headers["etag"] == codedTag)
    #expect(try fount.curl("/", "-H", "If-None-Match: \"other\"").status == 200)
    #expect(try fount.curl("/?a=1").status == 400)
  }

  @Test func `may run no script but their own, in no frame, and make no markup of text`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let answer = try fount.curl("/")
    let policy = try #require(answer.headers["content-security-policy"])
    let directives = policy.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      directives.contains("default-src 'none'") && directives.contains("script-src 'self'") && directives.contains("style-src 'self'"))
    #expect(directives.contains("frame-ancestors 'none'") && directives.contains("base-uri 'none'"))
    #expect(directives.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"))
    #expect(answer.headers["referrer-policy"] == "no-referrer" && answer.headers["cross-origin-opener-policy"] == "same-origin")
    let page = try text("index.html")
    for refused in ["style=", "onclick", "onload", "<style", "http://", "https://"] { #expect(!page.contains(refused), "\(refused)") }
    for script in page.matches(of: /<script[^>]*>/) { #expect(script.output.contains("src=\"/page/"), "\(script.output)") }
  }

  @Test func `name no other file that is not there, and no other server`() throws {
    let known = Set(try names())
    for name in known where !name.hasSuffix(".svg") {
      let text = try text(name)
      for reference in text.matches(of: /(?:from |import\()"\.\/([a-z]+\.js)"/) {
        #expect(known.contains(String(reference.output.1)), "\(name)")
      }
      for reference in text.matches(of: /"\/page\/([a-z.]+)"/) { #expect(known.contains(String(reference.output.1)), "\(name)") }
      let others = text.matches(of: /https?:\/\/[a-z0-9.]+/).map { String($0.output) }.filter { $0 != "http://www.w3.org" }
      #expect(others == [], "\(name)")
    }
  }

  @Test func `need no key, while all that they show does`() throws {
    let folder = try TemporaryFolder()
    let key = try Program.run(FountProcess.executable, ["key", "create", "--scope", "read", "--data", folder.path])
    #expect(key.status == 0)
    let fount = try FountProcess(data: folder.path)
    for path in ["/", "/page/main.js", "/page/parts.css"] { #expect(try fount.curl(path).status == 200, "\(path)") }
    for path in ["/v1/families", "/v1/jobs", "/page", "/page/a/b"] { #expect(try fount.curl(path).status == 401, "\(path)") }
  }
}
