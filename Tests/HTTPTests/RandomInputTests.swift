import Foundation
import HTTP
import Testing

/// What no table of cases thinks of: bytes in random portions, and requests with random damage. Seeded, so that a failure comes again.
struct RandomInputTests {
  /// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return mixed ^ mixed >> 31
    }
  }

  private static let requests = [
    "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "POST /memory HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n chunk\r\n0\r\nT: u\r\n\r\n",
    "GET /later?n=%20x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n", "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n", "GET /picture HTTP/1.1\r\nHost: a\r\n\r\n",
  ]

  @Test func `a pipeline in random portions gets the same answers`() throws {
    let server = try TestServer()
    var generator = Generator(state: 1)
    let order = (0..<60).map { _ in Int.random(in: 0..<Self.requests.count, using: &generator) }
    let bytes = Array(order.map { Self.requests[$0] }.joined().utf8)
    let whole = try server.connect()
    whole.send(bytes)
    let expected = try order.map { _ in try whole.readAnswer().withoutTimeAndIdentity }
    #expect(Set(expected.map(\.status)) == [200, 404, 405])
    for _ in 0..<20 {
      let client = try server.connect()
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + Int.random(in: 1...200, using: &generator))
        client.send(bytes[start..<end])
        if Bool.random(using: &generator) { usleep(200) }
        start = end
      }
      for answer in expected { try #require(try client.readAnswer().withoutTimeAndIdentity == answer) }
    }
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `damaged requests are answered or refused, and the server goes on`() throws {
    let server = try TestServer { $0.timeouts.lingerSeconds = 0.05 }
    var generator = Generator(state: 2)
    let telling = Array("\r\n\0 \t:;,/?%#*\u{7F}0aZ".utf8)
    for _ in 0..<1500 {
      var bytes = Array(Self.requests[Int.random(in: 0..<3, using: &generator)].utf8)
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        let byte = telling[Int.random(in: 0..<telling.count, using: &generator)]
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[index] = byte
        case 1: bytes.insert(byte, at: index)
        default: bytes.remove(at: index)
        }
      }
      let client = try server.connect()
      client.send(bytes)
      client.shutDownSending()
      let answer = try client.readAnswer()
      try #require([200, 400, 404, 405, 411, 413, 431, 501, 505].contains(answer.status), "\(String(decoding: bytes, as: UTF8.self))")
    }
    #expect(try server.answer(to: Self.requests[0]).text == "hello")
    let deadline = Date() + 10
    while !server.filesLeft.isEmpty, Date() < deadline { usleep(1000) }
    #expect(server.filesLeft.isEmpty)
  }
}
