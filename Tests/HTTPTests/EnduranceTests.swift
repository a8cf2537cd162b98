import Foundation
import HTTP
import Synchronization
import Testing

/// Limits in time and number, draining, and many clients at once.
struct EnduranceTests {
  private let hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

  // MARK: Deadlines

  @Test func `a head that takes too long gets 408, however it trickles (RFC 9110 §15·5·9)`() throws {
    let server = try TestServer { $0.timeouts.headSeconds = 0.3 }
    let stalled = try server.connect()
    stalled.send("GET /hello HTTP/1.1\r\nHo")
    let trickling = try server.connect()
    Thread.detachNewThread {
      for byte in "GET /hello HTTP/1.1\r\nX: \(String(repeating: "y", count: 100))".utf8 {
        trickling.send([byte])
        usleep(20000)
      }
    }
    for client in [stalled, trickling] {
      let answer = try client.readAnswer()
      #expect(answer.status == 408)
      #expect(answer.closes)
    }
  }

  @Test func `a connection that sends nothing ends quietly`() throws {
    let server = try TestServer {
      $0.timeouts.headSeconds = 0.2
      $0.timeouts.idleSeconds = 0.4
    }
    let silent = try server.connect()
    #expect(silent.readEnd())
    let idle = try server.connect()
    idle.send(hello)
    _ = try idle.readAnswer()
    #expect(idle.readEnd())
  }

  @Test func `a body that stalls or comes too slowly gets 408 and leaves nothing`() throws {
    let server = try TestServer {
      $0.timeouts.bodySeconds = 0.3
      $0.timeouts.bytesPerSecondMin = 100_000
    }
    let stalled = try server.connect()
    stalled.send("POST /file HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello")
    let slow = try server.connect()
    slow.send("POST /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    Thread.detachNewThread {
      for _ in 0..<100 {
        slow.send("1\r\na\r\n")
        usleep(20000)
      }
    }
    for client in [stalled, slow] { #expect(try client.readAnswer().status == 408) }
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `a client that doesn't read its answer is cut`() throws {
    let server = try TestServer { $0.timeouts.writeSeconds = 0.3 }
    let client = try RawClient(port: server.port, receiveBytes: 4096)
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    sleep(1)
    #expect(throws: RawClientError.self) { try client.readAnswer() }
  }

  // MARK: Limits

  @Test func `connections beyond the limit get 503 and Retry-After, and others are served`() throws {
    let server = try TestServer { $0.limits.connectionsMax = 2 }
    let first = try server.connect()
    let second = try server.connect()
    for client in [first, second] {
      client.send(hello)
      #expect(try client.readAnswer().status == 200)
    }
    let third = try server.connect()
    third.send(hello)
    let answer = try third.readAnswer()
    #expect(answer.status == 503)
    #expect(answer.fields["retry-after"] == "1")
    #expect(third.readEnd())
    third.close()
    first.send(hello)
    #expect(try first.readAnswer().status == 200)
    first.close()
    let deadline = Date() + 10
    var status = 503
    while status == 503, Date() < deadline {
      let next = try server.connect()
      next.send(hello)
      status = try next.readAnswer().status
    }
    #expect(status == 200)
  }

  @Test func `connections of one address beyond its limit get 503, and a new one is taken when another has gone`() throws {
    let server = try TestServer { $0.limits.connectionsPerAddressMax = 3 }
    let clients = try (0..<3).map { _ in try server.connect() }
    for client in clients {
      client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.readAnswer().status == 200)
    }
    let beyond = try server.connect()
    let answer = try beyond.readAnswer()
    #expect(answer.status == 503 && answer.fields["retry-after"] == "1" && answer.closes)
    #expect(beyond.readEnd())
    beyond.close()
    clients[0].close()
    let deadline = Date() + 10
    var status = 0
    while status != 200, Date() < deadline {
      let client = try server.connect()
      client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
      status = (try? client.readAnswer().status) ?? 0
    }
    #expect(status == 200)
  }

  @Test func `running out of descriptors is survived`() async {
    await #expect(processExitsWith: .success) {
      let server = try TestServer()
      let hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
      let client = try server.connect()
      client.send(hello)
      try #require(try client.readAnswer().status == 200)
      // Clients take descriptors too: all that can be had, then one more connection that the server can't take.
      let last = try server.connect()
      var limit = rlimit(rlim_cur: 64, rlim_max: 64)
      setrlimit(__rlimit_resource_t(7), &limit)
      var taken: [Int32] = []
      while case let number = dup(0), number >= 0 { taken.append(number) }
      Foundation.close(taken.removeLast())
      let refused = try? server.connect()
      usleep(300_000)
      client.send(hello)
      try #require(try client.readAnswer().status == 200)
      for number in taken { Foundation.close(number) }
      refused?.close()
      last.close()
      usleep(300_000)
      let next = try server.connect()
      next.send(hello)
      try #require(try next.readAnswer().status == 200)
    }
  }

  // MARK: Start and drain

  @Test func `a port that is taken is refused, also with several shards`() throws {
    let server = try TestServer { $0.shards = 2 }
    for shards in [1, 2] {
      #expect(throws: SystemCallError.self) {
        try TestServer {
          $0.port = server.port
          $0.shards = shards
        }
      }
    }
  }

  @Test func `what a killed server left in the body folder is removed on start, and nothing else`() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/http-start-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["upload-1f.part", "other"] { try Data().write(to: URL(fileURLWithPath: folder + "/" + name)) }
    var configuration = ServerConfiguration()
    configuration.port = 0
    let route = Route(.post, "/", body: .file(bytesMax: 1, folder: folder)) { _, _ in }
    let server = try Server(configuration: configuration, routes: [route], logger: .init(label: "test"))
    try server.start()
    defer { server.drain(seconds: 0) {} }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["other"])
  }

  @Test func `draining finishes what is in flight, says close, and takes no more`() throws {
    let server = try TestServer { $0.shards = 2 }
    let idle = try server.connect()
    idle.send(hello)
    _ = try idle.readAnswer()
    let waiting = try (0..<3).map { _ in try server.connect() }
    for client in waiting {
      client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + hello)
      server.begun.wait()
    }
    let partial = try server.connect()
    partial.send("GET /hello HTTP/1.1\r\nHo")
    usleep(50000)
    let drained = DispatchSemaphore(value: 0)
    server.server.drain(seconds: 30) { drained.signal() }
    #expect(idle.readEnd())
    idle.close()
    // Each shard stops by itself; soon nobody listens any more.
    let deadline = Date() + 10
    while let late = try? server.connect(), Date() < deadline { late.close() }
    #expect(throws: RawClientError.self) { try server.connect() }
    #expect(drained.wait(timeout: .now() + 0.2) == .timedOut)
    partial.send("st: a\r\n\r\n")
    server.answerWaiting()
    for (client, text) in waiting.map({ ($0, "at last") }) + [(partial, "hello")] {
      let answer = try client.readAnswer()
      #expect(answer.text == text)
      #expect(answer.closes)
      #expect(client.readEnd())
      client.close()
    }
    #expect(drained.wait(timeout: .now() + 10) == .success)
  }

  @Test func `draining cuts what is left when its time is over`() throws {
    let server = try TestServer()
    let client = try server.connect()
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
    server.begun.wait()
    let drained = DispatchSemaphore(value: 0)
    server.server.drain(seconds: 0.2) { drained.signal() }
    #expect(drained.wait(timeout: .now() + 10) == .success)
    #expect(server.disconnected.wait(timeout: .now() + 10) == .success)
    #expect(throws: RawClientError.self) { try client.readAnswer() }
    server.answerWaiting()
  }

  // MARK: Many at once

  @Test(arguments: [1, 3])
  func `many clients at once each get their own answers`(_ shards: Int) throws {
    let server = try TestServer { $0.shards = shards }
    let failures = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 8) { number in
      do {
        let client = try server.connect()
        for index in 0..<1000 {
          let name = "\(number)-\(index)"
          switch index % 10 {
          case 3: client.send("GET /later?n=\(name) HTTP/1.1\r\nHost: a\r\n\r\n")
          case 7: client.send("POST /file HTTP/1.1\r\nHost: a\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)")
          default: client.send("GET /echo/\(name) HTTP/1.1\r\nHost: a\r\n\r\n")
          }
          let text = try client.readAnswer().text
          if text != name, text != "later \(name)" { failures.withLock { $0.append("\(name) got \(text)") } }
        }
      } catch { failures.withLock { $0.append("client \(number): \(error)") } }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(server.filesLeft.isEmpty)
  }
}
