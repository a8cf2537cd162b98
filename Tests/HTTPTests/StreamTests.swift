import Foundation
import HTTP
import Testing

/// Bodies that come into being while they are sent (RFC 9112 §7.1).
struct StreamTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  private func get(_ path: String, _ fields: String = "", version: String = "1.1") -> String {
    "GET \(path) HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n"
  }

  @Test func `what is written from another thread comes at once, chunk by chunk, and the connection stays`() throws {
    let client = try server.connect()
    client.send(get("/stream") + get("/hello"))
    let head = try client.readAnswer()
    #expect(head.status == 200 && head.fields["transfer-encoding"] == "chunked" && head.fields["content-length"] == nil)
    let stream = try #require(server.streams.latest)
    for text in ["one", "two", "three"] {
      server.streams.hasRoom.wait()
      #expect(stream.write(Array(text.utf8)))
      #expect(try client.readChunk() == Array(text.utf8))
    }
    stream.finish()
    #expect(try client.readChunk().isEmpty)
    #expect(server.streams.ended.wait(timeout: .now() + 10) == .success)
    #expect(try client.readAnswer().text == "hello")
    #expect(!stream.write([1]))
  }

  @Test func `every byte comes in order, whatever the sizes of the parts`() throws {
    for (parts, bytes) in [(0, 1), (1, 1), (300, 1), (50, 100_000), (3, 1 << 20)] {
      let client = try server.connect()
      client.send(get("/stream?parts=\(parts)&bytes=\(bytes)") + get("/hello"))
      _ = try client.readAnswer()
      #expect(try client.readChunks().count == parts * bytes)
      #expect(try client.readAnswer().text == "hello")
    }
  }

  @Test func `many threads may write to one`() throws {
    let client = try server.connect()
    client.send(get("/stream"))
    _ = try client.readAnswer()
    let stream = try #require(server.streams.latest)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for index in 0..<500 { stream.write(Array("\(thread) \(index)\n".utf8)) }
    }
    stream.finish()
    let lines = String(decoding: try client.readChunks(), as: UTF8.self).split(separator: "\n")
    #expect(Set(lines).count == 4000 && lines.count == 4000)
  }

  @Test func `HTTP 1·0 gets the bytes as they are, until the connection's end (§6·3)`() throws {
    let client = try server.connect()
    client.send(get("/stream?parts=3&bytes=4", "Connection: keep-alive\r\n", version: "1.0"))
    let all = try client.readAll()
    #expect(all.contains("connection: close") && !all.contains("transfer-encoding"))
    #expect(all.hasSuffix("\r\n\r\nxxxxxxxxxxxx"))
  }

  @Test func `HEAD is answered, and its stream is over before it begins`() throws {
    let client = try server.connect()
    client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"))
    #expect(try client.readAnswer(hasBody: false).fields["transfer-encoding"] == "chunked")
    #expect(server.streams.ended.wait(timeout: .now() + 10) == .success)
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `a heartbeat is sent when nothing else is`() throws {
    let client = try server.connect()
    client.send(get("/stream?beat=0.05"))
    _ = try client.readAnswer()
    for _ in 0..<3 { #expect(try client.readChunk() == Array(":\n\n".utf8)) }
    try #require(server.streams.latest).write([65])
    var chunk = try client.readChunk()
    while chunk == Array(":\n\n".utf8) { chunk = try client.readChunk() }
    #expect(chunk == [65])
  }

  @Test func `the writer learns that its client is gone`() throws {
    for reset in [true, false] {
      let client = try server.connect()
      client.send(get("/stream?beat=0.05"))
      _ = try client.readAnswer()
      if reset { client.reset() } else { client.close() }
      #expect(server.streams.ended.wait(timeout: .now() + 10) == .success)
      #expect(server.streams.latest?.write([1]) == false)
    }
  }

  @Test func `a client that shuts its sending side still gets all`() throws {
    let client = try server.connect()
    client.send(get("/stream"))
    _ = try client.readAnswer()
    client.shutDownSending()
    usleep(100_000)
    let stream = try #require(server.streams.latest)
    stream.write([65])
    stream.finish()
    #expect(try client.readChunks() == [65])
  }

  @Test func `a client that reads nothing is written for no further, and cut off in the end`() throws {
    let server = try TestServer { $0.timeouts.writeSeconds = 0.5 }
    let client = try RawClient(port: server.port, receiveBytes: 4096)
    client.send(get("/stream?parts=1000000&bytes=65536"))
    #expect(server.streams.ended.wait(timeout: .now() + 20) == .success)
    // What the kernel's buffers hold, and one part.
    #expect(server.streams.written < 1000)
    #expect(throws: RawClientError.self) { while true { if try client.readChunks().isEmpty { return } } }
  }

  @Test func `one who writes without regard for room has the client cut off, and no memory filled`() throws {
    let client = try RawClient(port: server.port, receiveBytes: 4096)
    client.send(get("/stream"))
    server.streams.hasRoom.wait()
    let stream = try #require(server.streams.latest)
    var written = 0
    while stream.write([UInt8](repeating: 1, count: 1 << 16)), written < 1 << 16 { written += 1 }
    #expect(written < 1000)
    #expect(server.streams.ended.wait(timeout: .now() + 10) == .success)
  }

  @Test func `a client is cut off, too, when it was stuck before there was too much`() throws {
    let client = try RawClient(port: server.port, receiveBytes: 4096)
    client.send(get("/stream"))
    let part = [UInt8](repeating: 1, count: 900_000)
    server.streams.hasRoom.wait()
    let stream = try #require(server.streams.latest)
    // Until the socket takes no more: then one part more may wait, and another is too much.
    repeat { stream.write(part) } while server.streams.hasRoom.wait(timeout: .now() + 0.5) == .success
    while stream.write(part) { usleep(200_000) }
    #expect(server.streams.ended.wait(timeout: .now() + 10) == .success)
  }

  @Test func `a stream whose client left before its head is let go`() throws {
    let weakly: () -> (ResponseStream?) = {
      let responder = Responder { _ in }
      weak var stream: ResponseStream?
      do {
        let made = ResponseStream { _ in Issue.record("nobody reads it") }
        stream = made
        responder.respond(Response(status: .ok))
        responder.respond(Response(status: .ok, body: .stream(made)))
      }
      return stream
    }
    #expect(weakly() == nil)
  }

  @Test func `draining ends a stream in good order`() throws {
    let client = try server.connect()
    client.send(get("/stream"))
    _ = try client.readAnswer()
    try #require(server.streams.latest).write([65])
    #expect(try client.readChunk() == [65])
    let drained = DispatchSemaphore(value: 0)
    server.server.drain(seconds: 30) { drained.signal() }
    #expect(try client.readChunk().isEmpty)
    #expect(client.readEnd())
    client.close()
    #expect(drained.wait(timeout: .now() + 10) == .success)
    #expect(server.streams.ended.wait(timeout: .now() + 10) == .success)
  }
}
