import Dispatch
import HTTP
import Testing

/// What a watchdog asks: whether every shard still comes to its events.
@Suite struct `A server that is asked whether it comes round` {
  /// A server with a route that holds its shard for as long as `released` does.
  private static func server(shards: Int, released: DispatchSemaphore, held: DispatchSemaphore) throws -> Server {
    var configuration = ServerConfiguration()
    (configuration.port, configuration.shards) = (0, shards)
    let stuck = Route(.get, "/stuck") { _, responder in
      held.signal()
      released.wait()
      responder.respond(.text("free"))
    }
    let server = try Server(configuration: configuration, routes: [stuck], logger: .init(label: "test"))
    try server.start()
    return server
  }

  private static func answers(_ server: Server, within seconds: Double) -> Bool {
    let answered = DispatchSemaphore(value: 0)
    server.comeRound { answered.signal() }
    return answered.wait(timeout: .now() + seconds) == .success
  }

  @Test(arguments: [1, 3]) func `says so as long as all its shards do, and not while one is held`(shards: Int) throws {
    let (released, held) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let server = try Self.server(shards: shards, released: released, held: held)
    #expect(Self.answers(server, within: 10))
    let client = try RawClient(port: server.port)
    client.send("GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n")
    held.wait()
    #expect(!Self.answers(server, within: 0.3))
    released.signal()
    #expect(Self.answers(server, within: 10))
    server.drain(seconds: 0) {}
  }

  @Test func `answers when it has ended, too`() throws {
    let server = try Self.server(shards: 2, released: .init(value: 0), held: .init(value: 0))
    let ended = DispatchSemaphore(value: 0)
    server.drain(seconds: 0) { ended.signal() }
    ended.wait()
    #expect(Self.answers(server, within: 10))
  }
}
