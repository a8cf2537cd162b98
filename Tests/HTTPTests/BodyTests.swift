import Foundation
import HTTP
import Synchronization
import Testing

/// RFC 9112 §6 and §7: the length of a body, the chunked coding, and where bodies go.
struct BodyTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  private func post(_ path: String = "/memory", _ fields: String, _ body: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(body)"
  }

  // MARK: §6.1 Transfer-Encoding

  @Test(arguments: [
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding:\r\n", "Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
  ])
  func `a doubtful Transfer-Encoding gets 400 and the connection is closed (§6·1, §6·3)`(_ fields: String) throws {
    let answer = try server.answer(to: post("/memory", fields, "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"))
    #expect(answer.status == 400)
    #expect(answer.closes)
  }

  @Test(arguments: ["gzip", "gzip, chunked", "identity", "xchunked", "chunkedx", "chunked;a=b", "\"chunked\""])
  func `a coding other than chunked gets 501 and the connection is closed (§6·1)`(_ coding: String) throws {
    let answer = try server.answer(to: post("/memory", "Transfer-Encoding: \(coding)\r\n", "0\r\n\r\n"))
    #expect(answer.status == 501)
    #expect(answer.closes)
  }

  @Test func `Transfer-Encoding in HTTP 1·0 is refused (§6·1)`() throws {
    #expect(try server.answer(to: "POST /memory HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status == 400)
  }

  @Test func `a body for a file is refused as soon as there is no more room for it, however it is framed`() throws {
    let looks = Mutex(0)
    let server = try TestServer { configuration in
      configuration.limits.storage = {
        looks.withLock { $0 += 1 }
        return looks.withLock { $0 } < 2 ? nil : HTTPFault(.init(code: 507, reasonPhrase: "Insufficient Storage"), "no room")
      }
    }
    for fields in ["Transfer-Encoding: chunked\r\n", "Content-Length: 3900000\r\n"] {
      looks.withLock { $0 = 0 }
      let client = try server.connect()
      client.send(post("/file", fields))
      let isChunked = fields.hasPrefix("Transfer")
      let part = String(repeating: "x", count: 1 << 20)
      // Refused at the second look: what is sent after that may not be taken.
      for _ in 0..<3 { client.send(isChunked ? "100000\r\n\(part)\r\n" : part) }
      let answer = try client.readAnswer()
      #expect(answer.status == 507 && answer.closes, "\(fields)")
    }
  }

  // MARK: §6.2, §6.3 Content-Length

  @Test(arguments: ["+5", "-5", "5 5", "5,5", "0x5", "5.0", "", "five", "５"])
  func `a Content-Length that is no number gets 400 (RFC 9110 §8·6)`(_ length: String) throws {
    let answer = try server.answer(to: post("/memory", "Content-Length: \(length)\r\n", "hello"))
    #expect(answer.status == 400)
    #expect(answer.closes)
  }

  @Test(arguments: ["5\r\nContent-Length: 6", "5\r\nContent-Length: 5", "5\r\ncontent-length: 05"])
  func `Content-Length given twice gets 400 (§6·3)`(_ lengths: String) throws {
    #expect(try server.answer(to: post("/memory", "Content-Length: \(lengths)\r\n", "hello")).status == 400)
  }

  @Test func `a body of a given length is read, and the next request begins behind it`() throws {
    let request = post("/memory", "Content-Length: 5\r\n", "hello") + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    let answers = try server.answers(to: post("/memory", "content-length: 0\r\n") + request, count: 3)
    #expect(answers.map(\.text) == ["nothing", "hello", "hello"])
  }

  @Test(arguments: ["10737418240", "1001", "9223372036854775807", "99999999999999999999999999"])
  func `a Content-Length over the route's limit gets 413 before a byte is read (RFC 9110 §15·5·14)`(_ length: String) throws {
    let answer = try server.answer(to: post("/memory", "Content-Length: \(length)\r\n"))
    #expect(answer.status == 413)
    #expect(answer.closes)
  }

  @Test func `a route that takes no body refuses one, but not an empty one`() throws {
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status == 200)
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").status == 413)
    #expect(try server.answer(to: "GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status == 413)
  }

  @Test func `a route that takes a body asks for its length (RFC 9110 §15·5·12)`() throws {
    let answer = try server.answer(to: post("/memory", ""))
    #expect(answer.status == 411)
    #expect(!answer.closes)
  }

  @Test func `a body with a request in it is not taken for one when its route refuses it`() throws {
    let smuggled = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    for path in ["/nowhere", "/hello"] {
      let client = try server.connect()
      client.send(post(path, "Content-Length: \(smuggled.utf8.count)\r\n", smuggled))
      let answer = try client.readAnswer()
      #expect([404, 405].contains(answer.status))
      #expect(answer.closes)
      #expect(client.readEnd())
    }
  }

  // MARK: §7.1 Chunked

  @Test func `chunks are put together, extensions and trailers dropped (§7·1)`() throws {
    let body = "5\r\nhello\r\n1;a=b;c=\"d;e\"\r\n \r\n00a ;x\r\n0123456789\r\n0;last\r\nX-Trailer: y\r\nZ:\r\n\r\n"
    let answers = try server.answers(
      to: post("/memory", "Transfer-Encoding: Chunked\r\n", body) + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 2)
    #expect(answers.map(\.text) == ["hello 0123456789", "hello"])
  }

  @Test(arguments: [
    "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "4\r\nhello\r\n0\r\n\r\n", "g\r\n", "\r\n", "-1\r\n",
    "+5\r\nhello\r\n", "0x5\r\nhello\r\n",
    " 5\r\nhello\r\n", "5 \r\nhello\r\n", "5\rhello\r\n", "5;a\nb\r\nhello\r\n", "5;a\rb\r\nhello\r\n", "5;\0\r\nhello\r\n",
    "0000000000000001\r\nh\r\n",
    "ffffffffffffffff\r\n", "0\r\n\n", "0\r\n\rX", "0\r\nX\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nX: y\n\r\n",
    "0\r\n: y\r\n\r\n",
  ])
  func `chunked framing that is malformed gets 400 and the connection is closed (§7·1)`(_ body: String) throws {
    let answer = try server.answer(to: post("/memory", "Transfer-Encoding: chunked\r\n", body))
    #expect(answer.status == 400)
    #expect(answer.closes)
  }

  @Test func `chunks beyond the route's limit get 413, extensions 400 and trailers 431`() throws {
    let chunked = "Transfer-Encoding: chunked\r\n"
    #expect(try server.answer(to: post("/memory", chunked, "3e8\r\n\(String(repeating: "a", count: 1000))\r\n0\r\n\r\n")).status == 200)
    #expect(try server.answer(to: post("/memory", chunked, "3e8\r\n\(String(repeating: "a", count: 1000))\r\n1\r\na")).status == 413)
    #expect(try server.answer(to: post("/memory", chunked, "fffffffffffffff\r\n\(String(repeating: "a", count: 1001))")).status == 413)
    #expect(try server.answer(to: post("/memory", chunked, "1;\(String(repeating: "a", count: 4100))\r\n")).status == 400)
    let small = (0..<60).map { _ in "1;\(String(repeating: "a", count: 80))\r\na\r\n" }.joined()
    #expect(try server.answer(to: post("/memory", chunked, small)).status == 400)
    #expect(try server.answer(to: post("/memory", chunked, "0\r\nX: \(String(repeating: "a", count: 8200))\r\n\r\n")).status == 431)
  }

  // MARK: RFC 9110 §10.1.1 Expect

  @Test func `leave to send a body is given once the route has agreed`() throws {
    let client = try server.connect()
    client.send(post("/memory", "Content-Length: 5\r\nExpect: 100-Continue\r\n"))
    #expect(try client.readAnswer().status == 100)
    client.send("hello")
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `no leave is given for a body that is refused, nor asked back for one that is here`() throws {
    for (path, length, status) in [("/memory", 1001, 413), ("/nowhere", 5, 404), ("/hello", 5, 405)] {
      let client = try server.connect()
      client.send(post(path, "Content-Length: \(length)\r\nExpect: 100-continue\r\n"))
      let answer = try client.readAnswer()
      #expect(answer.status == status)
      #expect(answer.closes)
    }
    let client = try server.connect()
    client.send(post("/memory", "Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"))
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `another expectation gets 417, and HTTP 1·0 has none`() throws {
    #expect(try server.answer(to: post("/memory", "Content-Length: 5\r\nExpect: coffee\r\n", "hello")).status == 417)
    let client = try server.connect()
    client.send("POST /memory HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    usleep(20000)
    client.send("hello")
    #expect(try client.readAnswer().text == "hello")
  }

  // MARK: Files

  private let pattern = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

  @Test func `a body goes to a file with all its bytes, and the file is gone after the answer`() throws {
    let client = try server.connect()
    client.send(post("/file", "Content-Length: \(pattern.count)\r\n"))
    client.send(pattern)
    #expect(try client.readAnswer().body == pattern)
    #expect(server.filesLeft.isEmpty)
    #expect(try server.answer(to: post("/file", "Content-Length: 5\r\n", "hello")).text == "hello")
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `a chunked body goes to a file with all its bytes`() throws {
    let client = try server.connect()
    client.send(post("/file", "Transfer-Encoding: chunked\r\n"))
    var start = 0
    for count in [1, 10, 100_000, 65_536, 17, 2_834_436] {
      client.send(String(count, radix: 16) + "\r\n")
      client.send(pattern[start..<start + count])
      client.send("\r\n")
      start += count
    }
    client.send("0\r\n\r\n")
    #expect(start == pattern.count)
    #expect(try client.readAnswer().body == pattern)
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `a handler may move the file away`() throws {
    let client = try server.connect()
    client.send(post("/kept", "Content-Length: 5\r\n", "hello"))
    #expect(try client.readAnswer().text == "kept")
    #expect(FileManager.default.contents(atPath: server.folder + "/kept") == Data("hello".utf8))
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `nothing is left of an upload that is refused midway, cut off or half-closed`() throws {
    let refused = try server.connect()
    refused.send(post("/file", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nX"))
    #expect(try refused.readAnswer().status == 400)
    let tooLong = try server.connect()
    tooLong.send(post("/file", "Transfer-Encoding: chunked\r\n"))
    tooLong.send("400000\r\n")
    tooLong.send([UInt8](repeating: 1, count: 4 << 20))
    #expect(try tooLong.readAnswer().status == 413)
    let halfClosed = try server.connect()
    halfClosed.send(post("/file", "Content-Length: 1000\r\n", "hello"))
    halfClosed.shutDownSending()
    #expect(try halfClosed.readAnswer().status == 400)
    #expect(server.filesLeft.isEmpty)
    let cut = try server.connect()
    cut.send(post("/file", "Content-Length: 1000\r\n", "hello"))
    let deadline = Date() + 10
    while server.filesLeft.isEmpty, Date() < deadline { usleep(1000) }
    #expect(server.filesLeft.count == 1)
    cut.reset()
    while !server.filesLeft.isEmpty, Date() < deadline { usleep(1000) }
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `a refusal reaches a client that is still sending`() throws {
    let client = try server.connect()
    client.send(post("/file", "Content-Length: 900000000\r\n"))
    client.send([UInt8](repeating: 1, count: 900_000))
    let answer = try client.readAnswer()
    #expect(answer.status == 413)
    #expect(client.readEnd())
  }
}
