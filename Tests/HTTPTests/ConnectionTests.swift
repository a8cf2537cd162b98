import Foundation
import HTTP
import HTTPTypes
import Synchronization
import Testing

/// RFC 9112 §9 and RFC 9110 §9: how long a connection lives, answers in order, methods.
struct ConnectionTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  private func get(_ path: String, _ fields: String = "", version: String = "1.1") -> String {
    "GET \(path) HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n"
  }

  // MARK: RFC 9112 §9.3 Persistence

  @Test func `a connection stays for the next request`() throws {
    let client = try server.connect()
    for _ in 0..<3 {
      client.send(get("/hello"))
      let answer = try client.readAnswer()
      #expect(answer.text == "hello")
      #expect(!answer.closes)
    }
  }

  @Test(arguments: ["close", "Close", "keep-alive, close", "close,x"])
  func `a client that asks for it is closed after its answer (§9·6)`(_ value: String) throws {
    let answer = try server.answer(to: get("/hello", "Connection: \(value)\r\n"))
    #expect(answer.text == "hello")
    #expect(answer.closes)
  }

  @Test func `HTTP 1·0 closes unless asked to stay, and needs no Host (§9·3)`() throws {
    #expect(try server.answer(to: "GET /hello HTTP/1.0\r\n\r\n").closes)
    let answers = try server.answers(
      to: "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n", count: 2)
    #expect(answers.map { $0.fields["connection"] } == ["keep-alive", "close"])
  }

  @Test func `nothing is answered after a connection was to close`() throws {
    let client = try server.connect()
    client.send(get("/hello", "Connection: close\r\n") + get("/hello"))
    let all = try client.readAll()
    #expect(all.components(separatedBy: "HTTP/1.1").count == 2)
  }

  // MARK: RFC 9112 §9.3.2 Pipelining

  @Test func `pipelined requests are answered in order, also by handlers on other threads`() throws {
    let requests = [get("/later?n=1"), get("/hello"), get("/later?n=2"), get("/echo/x"), get("/later?n=3")].joined()
    #expect(try server.answers(to: requests, count: 5).map(\.text) == ["later 1", "hello", "later 2", "x", "later 3"])
  }

  @Test func `a long pipeline is answered whole`() throws {
    let client = try server.connect()
    let requests = (0..<2000).map { get("/echo/\($0)") }.joined()
    Thread.detachNewThread { client.send(requests) }
    for index in 0..<2000 { try #require(try client.readAnswer().text == "\(index)") }
  }

  @Test func `a pipeline with large answers is held back and answered whole`() throws {
    let client = try server.connect()
    client.send((0..<6).map { _ in get("/large") }.joined() + get("/hello"))
    usleep(50000)
    for _ in 0..<6 { try #require(try client.readAnswer().body.count == 5_000_000) }
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `a refused request in a pipeline is answered after those before it`() throws {
    let answers = try server.answers(to: get("/later?n=1") + get("/hello") + "GET /hello HTTP/1.1\r\n\r\n" + get("/hello"), count: 3)
    #expect(answers.map(\.status) == [200, 200, 400])
    #expect(answers[2].closes)
  }

  // MARK: RFC 9110 §9 Methods

  @Test func `HEAD is answered from GET without a body (§9·3·2)`() throws {
    let answer = try server.answer(to: "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(answer.status == 200)
    #expect(answer.fields["content-length"] == "5")
    let client = try server.connect()
    client.send("HEAD /picture HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"))
    #expect(try client.readAnswer(hasBody: false).fields["content-length"] == "300000")
    #expect(try client.readAnswer(hasBody: false).status == 404)
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `OPTIONS tells what a path takes (§9·3·7)`() throws {
    let answer = try server.answer(to: "OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(answer.status == 204)
    #expect(answer.fields["allow"] == "DELETE, GET, HEAD, OPTIONS")
    #expect(try server.answer(to: "OPTIONS /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").status == 404)
  }

  @Test func `another method gets 405 with Allow, and the connection stays (§15·5·6)`() throws {
    let answers = try server.answers(
      to: "PUT /hello HTTP/1.1\r\nHost: a\r\n\r\nTRACE /file HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"), count: 3)
    #expect(answers.map(\.status) == [405, 405, 200])
    #expect(answers[0].fields["allow"] == "DELETE, GET, HEAD, OPTIONS")
    #expect(answers[1].fields["allow"] == "OPTIONS, POST")
  }

  @Test func `a path that is not known gets 404, and the connection stays`() throws {
    let answers = try server.answers(to: get("/nowhere") + get("/hello/") + get("//hello") + get("/hello"), count: 4)
    #expect(answers.map(\.status) == [404, 404, 404, 200])
  }

  @Test func `204 has neither body nor length (RFC 9110 §8·6)`() throws {
    let answer = try server.answer(to: "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(answer.status == 204)
    #expect(answer.fields["content-length"] == nil)
  }

  @Test func `what a handler says of framing is left out`() throws {
    let answer = try server.answer(to: get("/framing"))
    #expect(answer.fields["content-length"] == "1")
    #expect(answer.fields["transfer-encoding"] == nil)
    #expect(answer.fields["connection"] == nil)
  }

  // MARK: Files and large answers

  @Test func `a file is sent whole, with other answers around it`() throws {
    let client = try server.connect()
    client.send(get("/hello") + get("/picture") + get("/hello"))
    #expect(try client.readAnswer().text == "hello")
    #expect(try client.readAnswer().body == [UInt8](repeating: 7, count: 300_000))
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `a part of a file is sent as such`() throws {
    let answer = try server.answer(to: get("/part"))
    #expect(answer.body == [UInt8](repeating: 7, count: 10))
  }

  @Test func `a file that is shorter than its answer said ends the connection, so that nobody takes it for whole`() throws {
    let client = try server.connect()
    client.send(get("/missing") + get("/hello"))
    #expect(throws: RawClientError.self) { try client.readAnswer() }
  }

  @Test func `a slow reader gets all of a large answer`() throws {
    let client = try RawClient(port: server.port, receiveBytes: 4096)
    client.send(get("/large"))
    usleep(100_000)
    #expect(try client.readAnswer().body == [UInt8](repeating: 9, count: 5_000_000))
    client.send(get("/hello"))
    #expect(try client.readAnswer().text == "hello")
  }

  // MARK: Clients that leave

  @Test func `a half-closed client still gets its answer (RFC 9112 §9·6)`() throws {
    for path in ["/hello", "/later?n=late"] {
      let client = try server.connect()
      client.send(get("/hello") + get(path))
      client.shutDownSending()
      #expect(try client.readAnswer().text == "hello")
      #expect(try client.readAnswer().text.hasPrefix(path == "/hello" ? "hello" : "later"))
      #expect(client.readEnd())
    }
  }

  @Test func `a handler is told that its client was reset`() throws {
    let client = try server.connect()
    client.send(get("/wait"))
    server.begun.wait()
    client.reset()
    #expect(server.disconnected.wait(timeout: .now() + 10) == .success)
    server.answerWaiting()
    #expect(try server.answer(to: get("/hello")).status == 200)
  }

  @Test func `a handler is told that its client closed, once the client was asked`() throws {
    let client = try server.connect()
    client.send(get("/wait"))
    server.begun.wait()
    client.close()
    #expect(server.disconnected.wait(timeout: .now() + 10) == .success)
  }

  @Test func `a half-closed client is asked by an interim answer, and gets its own when it comes`() throws {
    let client = try server.connect()
    client.send(get("/wait"))
    server.begun.wait()
    client.shutDownSending()
    #expect(try client.readAnswer().status == 100)
    server.answerWaiting()
    #expect(try client.readAnswer().text == "at last")
    #expect(server.disconnected.wait(timeout: .now()) == .timedOut)
  }

  @Test func `a handler that drops its request is answered for with 500`() throws {
    let client = try server.connect()
    client.send(get("/dropped") + get("/hello"))
    #expect(try client.readAnswer().status == 500)
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `a request cut off in its head gets 400, and a connection without one ends quietly`() throws {
    let cut = try server.connect()
    cut.send("GET /hello HTTP/1.1\r\nHo")
    cut.shutDownSending()
    #expect(try cut.readAnswer().status == 400)
    #expect(cut.readEnd())
    let quiet = try server.connect()
    quiet.shutDownSending()
    #expect(quiet.readEnd())
  }

  @Test func `only the first of several answers is sent`() throws {
    let answers = Mutex<[Int]>([])
    let responder = Responder { response in answers.withLock { $0.append(response?.status.code ?? 0) } }
    responder.respond(Response(status: .ok))
    responder.respond(Response(status: .notFound))
    #expect(answers.withLock { $0 } == [200])
  }
}

/// Patterns, and the hook before them.
struct RoutingTests {
  @Test func `literal segments win over parameters, and a suffix over none`() throws {
    let routes: [Route] = ["/v1/{id}", "/v1/newest", "/v1/{id}/samples/{index}.png", "/v1/{id}/samples/{index}", "/v1/{id}/cancel"].map {
      pattern in
      Route(.get, pattern) { request, responder in
        let parameters = request.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        responder.respond(.text("\(pattern) \(parameters)"))
      }
    }
    var configuration = ServerConfiguration()
    configuration.port = 0
    let server = try Server(configuration: configuration, routes: routes, logger: .init(label: "test"))
    try server.start()
    defer { server.drain(seconds: 0) {} }
    let client = try RawClient(port: server.port)
    for (path, answer) in [
      ("/v1/newest", "/v1/newest "), ("/v1/a", "/v1/{id} id=a"), ("/v1/a/samples/3.png", "/v1/{id}/samples/{index}.png id=a index=3"),
      ("/v1/a/samples/3", "/v1/{id}/samples/{index} id=a index=3"), ("/v1/a/samples/.png", "/v1/{id}/samples/{index} id=a index=.png"),
      ("/v1/a/cancel", "/v1/{id}/cancel id=a"),
    ] {
      client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.readAnswer().text == answer)
    }
    for path in ["/v1/", "/v1//cancel", "/v1/a/samples/", "/"] {
      client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.readAnswer().status == 404)
    }
  }

  @Test func `a field is found whatever its case, and all come in order`() {
    let table = FieldTable([.userAgent: "a", .accept: "b", .accept: "c"])
    #expect(table[.userAgent] == "a")
    #expect(table[.accept] == "b")
    #expect(table[.referer] == nil)
    #expect(table.headers.map(\.value) == ["a", "b", "c"])
    #expect(RequestHead(method: .get, path: "/v1/a").segments == ["v1", "a"])
    #expect(RequestSerial(0xAB).text == "req_00000000000000ab")
  }

  @Test func `admission sees every head before the route and its body`() throws {
    let server = try TestServer(admit: { head in
      head.authority == "evil"
        ? Response(status: .init(code: 421, reasonPhrase: "Misdirected Request"), body: .bytes([UInt8]("no".utf8))) : nil
    })
    let refused = "POST /memory HTTP/1.1\r\nHost: evil\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    let answer = try server.answer(to: refused)
    #expect(answer.status == 421)
    #expect(answer.closes)
    let answers = try server.answers(to: "GET /nowhere HTTP/1.1\r\nHost: evil\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 2)
    #expect(answers.map(\.status) == [421, 200])
  }

  @Test func `a host or port that can't be is refused before anything is bound`() {
    for (host, port) in [("example.org", 0), ("127.0.0.1", 70000), ("127.0.0.1", -1), ("", 0)] {
      var configuration = ServerConfiguration()
      configuration.host = host
      configuration.port = port
      #expect(throws: ServerConfigurationError.self) { try Server(configuration: configuration, routes: [], logger: .init(label: "test")) }
    }
  }
}
