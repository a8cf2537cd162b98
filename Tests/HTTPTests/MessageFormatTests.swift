import Testing

/// RFC 9112 §2, §3 and §5: lines, the request line, fields. Every request is also sent split at every byte.
struct MessageFormatTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  // MARK: §2.2 Message parsing

  @Test func `a plain request is answered`() throws {
    let answer = try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(answer.status == 200)
    #expect(answer.text == "hello")
    #expect(answer.fields["content-length"] == "5")
    #expect(answer.fields["content-type"] == "text/plain")
    #expect(
      try #require(answer.fields["date"]).wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/)
        != nil)
    #expect(answer.fields["x-request-id"]?.hasPrefix("req_") == true)
    #expect(!answer.closes)
  }

  @Test func `one empty line before a request is passed over (§2.2)`() throws {
    #expect(try server.answer(to: "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
  }

  @Test(arguments: [
    "GET /hello HTTP/1.1\nHost: a\n\n", "GET /hello HTTP/1.1\r\nHost: a\n\r\n", "GET /hello HTTP/1.1\rHost: a\r\n\r\n",
    "GET /hello HTTP/1.1\r\nHost: a\r\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
    "\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
  ])
  func `a bare CR or LF is refused and the connection closed (§2.2)`(_ request: String) throws {
    let answer = try server.answer(to: request)
    #expect(answer.status == 400)
    #expect(answer.closes)
  }

  @Test(arguments: ["\0", "\u{1}", "\u{8}", "\u{B}", "\u{7F}"])
  func `a control byte anywhere in the head is refused (RFC 9110 §5.5)`(_ byte: String) throws {
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\(byte)c\r\n\r\n").status == 400)
    #expect(try server.answer(to: "GET /he\(byte)llo HTTP/1.1\r\nHost: a\r\n\r\n").status == 400)
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nX\(byte): c\r\n\r\n").status == 400)
  }

  @Test func `a blank line begun with a blank before the first field is refused (§2.2)`() throws {
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n").status == 400)
  }

  // MARK: §2.3 Version

  @Test(arguments: ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9"])
  func `another major version gets 505 (RFC 9110 §15.6.6)`(_ version: String) throws {
    let answer = try server.answer(to: "GET /hello \(version)\r\nHost: a\r\n\r\n")
    #expect(answer.status == 505)
    #expect(answer.closes)
  }

  @Test(arguments: ["http/1.1", "HTTP/1", "HTTP/1.10", "HTTP/11", "HTTP/1.x", "HTTP 1.1", "HTTPS/1.1", "HTTP/1.1 ", " HTTP/1.1"])
  func `a version that is spelt wrongly gets 400 (§2.3)`(_ version: String) throws {
    #expect(try server.answer(to: "GET /hello \(version)\r\nHost: a\r\n\r\n").status == 400)
  }

  @Test func `a higher minor version is taken for 1·1 (RFC 9110 §2.5)`() throws {
    #expect(try server.answer(to: "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n").status == 200)
  }

  // MARK: §3 Request line

  @Test(arguments: [
    "GET  /hello HTTP/1.1", "GET /hello  HTTP/1.1", "GET\t/hello HTTP/1.1", " GET /hello HTTP/1.1", "GET /hello", "GET", "GET ",
    "GET /hello\tHTTP/1.1",
    "G(T /hello HTTP/1.1", "GET /hel lo HTTP/1.1",
  ])
  func `a request line is three parts with one space between (§3)`(_ line: String) throws {
    #expect(try server.answer(to: "\(line)\r\nHost: a\r\n\r\n").status == 400)
  }

  @Test(arguments: ["FETCH", "get", "GETT", "CONNECT", "M-SEARCH"])
  func `a method that is not known gets 501 (RFC 9110 §9.1)`(_ method: String) throws {
    #expect(try server.answer(to: "\(method) /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 501)
  }

  @Test func `a method without end gets 501 and a target without end 414 (§3)`() throws {
    let long = String(repeating: "A", count: 17 << 10)
    #expect(try server.answer(to: long).status == 501)
    let answer = try server.answer(to: "GET /\(long)")
    #expect(answer.status == 414)
    #expect(answer.closes)
  }

  // MARK: §3.2 Request target

  @Test func `a target in absolute form is taken, and its host overrides the field (§3·2·2)`() throws {
    #expect(try server.answer(to: "GET http://b:81/about?x=1 HTTP/1.1\r\nHost: a\r\n\r\n").text == "b:81 /about x=1 -")
    #expect(try server.answer(to: "GET HTTP://b?x HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
  }

  @Test func `the asterisk is for OPTIONS alone (§3·2·4)`() throws {
    let answer = try server.answer(to: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(answer.status == 204)
    #expect(answer.fields["allow"] == "DELETE, GET, HEAD, OPTIONS, POST")
    #expect(answer.fields["content-length"] == nil)
    #expect(try server.answer(to: "GET * HTTP/1.1\r\nHost: a\r\n\r\n").status == 400)
  }

  @Test(arguments: [
    "hello", "//hello HTTP", "/hello#part", "/%", "/%4", "/%zz", "/%00", "/a%2fb", "/a\\b", "/%ff", "/%0a", "ftp://a/hello",
    "http:///hello", "/..", "/a/../..",
    "/%2e%2e/%2e%2e", "/he\"llo", "/hello?%zz", "/hello?a=%00", "http://user@a/hello",
  ])
  func `a target that is malformed or climbs is refused`(_ target: String) throws {
    #expect(try server.answer(to: "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").status == 400)
  }

  @Test func `percent signs are decoded once`() throws {
    #expect(try server.answer(to: "GET /%68ello HTTP/1.1\r\nHost: a\r\n\r\n").text == "hello")
    #expect(try server.answer(to: "GET /echo/%2541%20b+%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n").text == "%41 b+é")
    #expect(try server.answer(to: "GET /about?a%3Db=c%26d+e&f&&g=h=i HTTP/1.1\r\nHost: a\r\n\r\n").text == "a /about a=b=c&d e|f=|g=h=i -")
  }

  @Test func `dot segments are removed once (RFC 3986 §5·2·4)`() throws {
    #expect(try server.answer(to: "GET /x/./y/../../hello HTTP/1.1\r\nHost: a\r\n\r\n").text == "hello")
    #expect(try server.answer(to: "GET /x/%2E%2e/hello HTTP/1.1\r\nHost: a\r\n\r\n").text == "hello")
    #expect(try server.answer(to: "GET /echo/%252e%252e HTTP/1.1\r\nHost: a\r\n\r\n").text == "%2e%2e")
  }

  // MARK: Host

  @Test(arguments: [
    "", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n", "Host:\r\n", "Host: a b\r\n", "Host: a:b\r\n", "Host: a:99999\r\n",
    "Host: a/b\r\n", "Host: u@a\r\n",
    "Host: [::1\r\n", "Host: a,b:c\r\n", "Host: :80\r\n",
  ])
  func `a Host that is missing, doubled or malformed gets 400 (§3·2)`(_ fields: String) throws {
    let answer = try server.answer(to: "GET /hello HTTP/1.1\r\n\(fields)\r\n")
    #expect(answer.status == 400)
    #expect(answer.closes)
  }

  @Test(arguments: ["a", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "xn--a.example.", "a:"])
  func `a Host that is well-formed is taken`(_ host: String) throws {
    #expect(try server.answer(to: "GET /about HTTP/1.1\r\nHOST:\t\(host) \t\r\n\r\n").text.hasPrefix(host + " "))
  }

  // MARK: §5 Fields

  @Test(arguments: ["X : b", "X\t: b", ": b", "X", "X b: c", "X(: b", "é: b", " X: b", "\tX: b"])
  func `a field line is a name, a colon at once, and a value (§5, §5·1)`(_ line: String) throws {
    let answer = try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n")
    #expect(answer.status == 400)
    #expect(answer.closes)
  }

  @Test(arguments: [" c", "\tc"])
  func `a folded line is refused (§5·2)`(_ continuation: String) throws {
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n\(continuation)\r\n\r\n").status == 400)
  }

  @Test func `blanks around a value are no part of it, and obs-text is let be (§5·1, RFC 9110 §5·5)`() throws {
    #expect(try server.answer(to: "GET /about HTTP/1.1\r\nHost: a\r\nUser-Agent: \t b \tc \t\r\n\r\n").text == "a /about  b \tc")
    #expect(try server.answer(to: "GET /about HTTP/1.1\r\nHost: a\r\nUser-Agent:é\r\n\r\n").text == "a /about  é")
    #expect(try server.answer(to: "GET /about HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n").status == 200)
  }

  @Test func `more fields, longer fields or a longer head than may be get 431 (RFC 6585 §5)`() throws {
    let fields = (0..<98).map { "X\($0): y\r\n" }.joined()
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\n\(fields)X: y\r\n\r\n").status == 200)
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\n\(fields)X: y\r\nY: z\r\n\r\n").status == 431)
    let long = String(repeating: "b", count: 16 << 10)
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n").status == 431)
    let half = "X: \(long.dropLast(3))\r\n"
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\n\(half)\r\n").status == 200)
    let answer = try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\n\(half)\(half)\r\n")
    #expect(answer.status == 431)
    #expect(answer.closes)
  }
}
