import Testing

/// RFC 9110 §8.4 and §12.5.3: answers under gzip.
struct CodingTests {
  let server: TestServer
  private let plain = String(repeating: "all work and no play ", count: 500)

  init() throws { server = try TestServer() }

  private func get(_ fields: String, _ query: String = "", method: String = "GET") throws -> Answer {
    try server.answer(to: "\(method) /coded?\(query) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
  }

  @Test(arguments: [
    "gzip", "GZIP", "x-gzip", "deflate, gzip", "gzip;q=0.1", "*", "br;q=1, *;q=0.1", "gzip;q=0.5, identity;q=0.5", "gzip, identity;q=0",
    "deflate\r\nAccept-Encoding: gzip",
  ])
  func `a client that takes gzip gets it (§12·5·3)`(field: String) throws {
    let answer = try get("Accept-Encoding: \(field)\r\n")
    #expect(answer.fields["content-encoding"] == "gzip" && answer.fields["vary"] == "Accept-Encoding")
    #expect(answer.body.count < 500)
    #expect(try Program("/usr/bin/gzip", ["-dc"], input: answer.body).text == plain)
  }

  @Test(arguments: ["", "gzip;q=0", "identity", "gzip;q=0, *", "br", "*;q=0", "gzip;q=0.5, identity", "gzip;q=x", "gzippy"])
  func `one that does not gets the plain bytes, and is told what they depend on (§12·5·5)`(field: String) throws {
    let answer = try get("Accept-Encoding: \(field)\r\n")
    #expect(answer.fields["content-encoding"] == nil && answer.fields["vary"] == "Accept-Encoding" && answer.text == plain)
  }

  @Test func `without the field nothing is coded`() throws {
    #expect(try get("").text == plain)
  }

  @Test(arguments: [
    ("image/png", false), ("text/csv;%20charset=utf-8", true), ("application/problem%2Bjson", true), ("text/event-stream", false),
    ("application/octet-stream", false), ("application/json", true),
  ])
  func `text is coded, what is packed already is not`(type: String, isCoded: Bool) throws {
    let answer = try get("Accept-Encoding: gzip\r\n", "type=\(type)")
    #expect((answer.fields["content-encoding"] == "gzip") == isCoded && (answer.fields["vary"] != nil) == isCoded)
  }

  @Test func `what is short stays as it is, and Vary keeps what it had`() throws {
    let answer = try get("Accept-Encoding: gzip\r\n", "count=3&vary=Accept")
    #expect(answer.fields["content-encoding"] == nil && answer.fields["vary"] == "Accept, Accept-Encoding" && answer.body.count == 63)
  }

  @Test func `HEAD tells what GET would send (§9·3·2)`() throws {
    let (head, whole) = try (get("Accept-Encoding: gzip\r\n", method: "HEAD"), get("Accept-Encoding: gzip\r\n"))
    #expect(head.fields["content-length"] == whole.fields["content-length"] && head.fields["content-encoding"] == "gzip")
  }

  @Test func `a coded representation has a strong tag of its own, a weak one names both (§8·8·3·3)`() throws {
    #expect(try get("Accept-Encoding: gzip\r\n", "tag=%22x%22").fields["etag"] == "\"x-gzip\"")
    #expect(try get("", "tag=%22x%22").fields["etag"] == "\"x\"")
    #expect(try get("Accept-Encoding: gzip\r\n", "tag=W/%22x%22").fields["etag"] == "W/\"x\"")
    #expect(try get("If-None-Match: \"x-gzip\"\r\n", "tag=%22x%22&status=304").fields["etag"] == "\"x-gzip\"")
    #expect(try get("If-None-Match: \"x\"\r\n", "tag=%22x%22&status=304").fields["etag"] == "\"x\"")
  }
}
