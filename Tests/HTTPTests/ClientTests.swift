import Foundation
import HTTP
import Testing

/// The client against our server, and against sockets that say what no good server says.
@Suite struct `The client` {
  @Test(arguments: [
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("HTTPS://example.org/", "https://example.org:443"),
    ("http://[::1]:99/a/b/", "http://[::1]:99/a/b"), ("http://localhost", "http://localhost:80"),
  ])
  func `knows an address`(text: String, whole: String) { #expect(ServerAddress(text)?.description == whole) }

  @Test(arguments: [
    "", "localhost:8080", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:x", "http://[::1", "http://u@a",
    "http://a?b", "http://a b", "http://a/#b",
  ])
  func `refuses what is none`(text: String) { #expect(ServerAddress(text) == nil) }

  private static func client(_ port: Int, host: String = "127.0.0.1", scheme: String = "http", trusting file: String? = nil) throws
    -> HTTPClient
  {
    HTTPClient(try #require(ServerAddress("\(scheme)://\(host):\(port)")), authorities: file)
  }

  @Test func `reads answers of a known length, in chunks, and without a body`() throws {
    let server = try TestServer()
    let client = try Self.client(server.port)
    let large = try client.send(.get, "/large")
    #expect(try large.status == 200 && large.rest() == [UInt8](repeating: 9, count: 5_000_000))
    #expect(throws: ClientError.self) { try client.send(.get, "/large").rest(bytesMax: 1000) }
    #expect(try client.send(.get, "/stream?parts=50&bytes=3000").rest().count == 150_000)
    #expect(try client.send(.delete, "/hello").rest() == [])
    #expect(try client.send(.head, "/large").rest() == [])
    #expect(try client.send(.get, "/nowhere").status == 404)
    let about = try client.send(.get, "/about?a=%26", headers: [.userAgent: "tests"])
    #expect(try String(decoding: about.rest(), as: UTF8.self) == "127.0.0.1:\(server.port) /about a=& tests")
  }

  @Test func `sends bytes and files, and hears a refusal before all has gone`() throws {
    let server = try TestServer()
    let client = try Self.client(server.port)
    #expect(try client.send(.post, "/memory", body: .bytes([1, 2, 3])).rest() == [1, 2, 3])
    let path = server.folder + "/sent"
    let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    var told: [Int] = []
    #expect(try client.send(.post, "/file", body: .file(path: path), onSent: { told.append($0) }).rest() == bytes)
    #expect(told.last == bytes.count && told == told.sorted() && told.count > 2)
    told = []
    #expect(try client.send(.post, "/memory", body: .file(path: path), onSent: { told.append($0) }).status == 413)
    #expect(told.isEmpty)
    #expect(throws: ClientError.self) { try client.send(.post, "/file", body: .file(path: path + "-absent")) }
  }

  @Test func `trusts a certificate of the server's name by an authority of its own, and no other`() throws {
    let certificates = try TestCertificates()
    let files = try certificates.make("local", for: ["localhost"])
    let other = try certificates.make("other", for: ["localhost"])
    let server = try TestServer { $0.tls = [files] }
    let answer = try Self.client(server.port, host: "localhost", scheme: "https", trusting: files.certificate).send(.get, "/large")
    #expect(try answer.rest().count == 5_000_000)
    for (host, authorities) in [("localhost", nil), ("localhost", other.certificate), ("127.0.0.1", files.certificate)] {
      let client = try Self.client(server.port, host: host, scheme: "https", trusting: authorities)
      let error = #expect(throws: ClientError.self) { try client.send(.get, "/hello") }
      #expect("\(String(describing: error))".contains("not trusted"), "\(host) \(authorities ?? "system")")
    }
    #expect(throws: ClientError.self) {
      try Self.client(server.port, host: "localhost", scheme: "https", trusting: "/absent").send(.get, "/")
    }
    // One side speaks TLS, and the other does not.
    #expect(try Self.client(server.port, host: "localhost").send(.get, "/hello").status == 400)
    let plain = try TestServer()
    #expect(throws: ClientError.self) { try Self.client(plain.port, host: "localhost", scheme: "https").send(.get, "/hello") }
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\n", "hello\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: 100_000))\r\n\r\n",
  ])
  func `gives up on what is no answer`(said: String) throws {
    let listener = try OneAnswer(said)
    #expect(throws: ClientError.self) { try Self.client(listener.port).send(.get, "/").rest() }
  }

  @Test func `reads an answer that ends with its connection, whatever the pieces`() throws {
    let listener = try OneAnswer("HTTP/1.0 200 OK\r\n\r\n" + String(repeating: "abc", count: 50_000))
    #expect(try Self.client(listener.port).send(.get, "/").rest().count == 150_000)
  }
}

/// A socket that says one thing to whoever comes first, and closes.
private final class OneAnswer {
  private(set) var port = 0
  private let program = Process()

  init(_ text: String) throws {
    let script = """
      import socket, sys
      s = socket.create_server(("127.0.0.1", 0))
      print(s.getsockname()[1], flush=True)
      c, _ = s.accept()
      c.recv(65536)
      c.sendall(sys.stdin.buffer.read())
      c.shutdown(socket.SHUT_WR)
      c.recv(65536)
      """
    program.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    program.arguments = ["-c", script]
    let (input, output) = (Pipe(), Pipe())
    (program.standardInput, program.standardOutput) = (input, output)
    try program.run()
    port = Int(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(in: .newlines)) ?? 0
    DispatchQueue.global().async {
      input.fileHandleForWriting.write(Data(text.utf8))
      input.fileHandleForWriting.closeFile()
    }
  }

  deinit { if program.isRunning { program.terminate() } }
}
