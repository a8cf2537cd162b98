import HTTPTypes

// From bytes to a request at its handler.

extension Connection {
  /// More than this on its way out, and no further request is begun.
  private static let outputBytesMax = 256 << 10
  private static let discardedBytesMax = 1 << 20

  /// Reads once: a set that is level-triggered tells again if there is more, and others have their turn before.
  func read() {
    switch socket.receive(into: &shard.readBuffer) {
    case .bytes(0):
      isInputAtEnd = true
      inputEnded()
    case .bytes(let count):
      clock.lastReadAt = shard.now
      let buffer = shard.readBuffer
      let bytes = buffer.span.extracting(0..<count)
      if let tls { decrypt(bytes, by: tls) } else { take(bytes) }
    case .wouldBlock: return
    case .failed: abort()
    }
  }

  /// Goes on with bytes that mean what they say.
  func take(_ bytes: Span<UInt8>) {
    guard input.isEmpty else {
      input.append(bytes)
      return consumeInput()
    }
    let consumed = consume(bytes)
    if consumed < bytes.count { input.append(bytes.extracting(consumed..<bytes.count)) }
  }

  func consumeInput() {
    var kept = input
    input = InputBuffer()
    kept.consume { consume($0) }
    input = kept
  }

  /// Goes through the bytes until they end or something must be waited for; returns how many are done with.
  private func consume(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while offset < bytes.count {
      do throws(HTTPFault) {
        switch phase {
        case .head:
          guard output.byteCount < Self.outputBytesMax else { return offset }
          guard let headBytes = try parseHead(bytes.extracting(offset..<bytes.count)) else { return offset }
          offset += headBytes
          // RFC 9110 §10.1.1: a client that has begun its body needs no leave any more.
          if phase == .body, offset == bytes.count, exchange?.expectsContinue == true {
            output.append { $0 += "HTTP/1.1 100 Continue\r\n\r\n".utf8 }
          }
        case .body: offset = try feedBody(bytes, from: offset)
        case .handshake, .handling, .streaming: return offset
        case .closing, .lingering, .closed:
          mustLinger = true
          return bytes.count
        }
      } catch {
        refuse(error)
      }
    }
    return offset
  }

  /// Returns how long the head was, or nil when it isn't whole yet.
  private func parseHead(_ bytes: Span<UInt8>) throws(HTTPFault) -> Int? {
    if self.parser == nil { clock.headBeganAt = shard.now }
    var parser = self.parser ?? shard.takeParser()
    self.parser = nil
    exchange = nil
    guard case .complete(let headBytes) = try parser.parse(bytes) else {
      self.parser = parser
      return nil
    }
    // What is refused from here on leaves it clear where the head ends.
    do throws(HTTPFault) { try begin(parser, bytes.extracting(0..<headBytes)) } catch { refuse(error) }
    shard.giveBack(parser)
    return headBytes
  }

  /// A head is whole: asks admission and the route, and begins the body or calls the handler.
  private func begin(_ parser: HeadParser, _ bytes: Span<UInt8>) throws(HTTPFault) {
    let line = parser.requestLine
    exchange = Exchange(serial: shard.makeSerial(), beganAt: clock.headBeganAt, minorVersion: line.minorVersion)
    let method = try Self.method(line.method, in: bytes)
    exchange?.isHead = method == .head
    let framing = try MessageFraming(of: line, fields: parser.lines, in: bytes)
    var head = try requestHead(method, parser, framing, bytes)
    let hasBody = framing.body != nil && framing.body != .bytes(0)
    exchange?.path = head.path
    exchange?.keepsAlive = framing.keepsAlive
    exchange?.hasUnreadBody = hasBody
    exchange?.expectsContinue = framing.expectsContinue && hasBody
    let refusal = context.admit?(&head)
    if context.decorate != nil || context.observe != nil { exchange?.head = head }
    if let refusal { return answer(refusal) }
    switch context.router.match(method, head) {
    case .notFound: throw HTTPFault(.notFound, "there is nothing at \(head.path)", closes: false)
    case .notAllowed(let allow):
      throw HTTPFault(
        .methodNotAllowed, "\(method.rawValue) is not for \(head.path), which takes \(allow)", headers: [.allow: allow], closes: false)
    case .options(let allow): answer(Response(status: .noContent, headers: [.allow: allow]))
    case .route(let route, let parameters):
      exchange?.pattern = route.pattern
      try Self.check(framing, method, against: route.body)
      let request = Request(head: head, parameters: parameters)
      guard hasBody, let length = framing.body else { return call(route, with: request) }
      let limits = context.configuration.limits
      let sink = try BodySink(route.body, contentType: head.fields[.contentType], limits: limits)
      if let cutOff = route.cutOff, let file = sink.files.first {
        file.whenCutOff { path, count in
          var request = request
          request.body = .file(path: path, count: count)
          cutOff(request)
        }
      }
      body = BodyReader(route, request, length, sink, limits: limits)
      clock.bodyBeganAt = shard.now
      clock.lastReadAt = shard.now
      phase = .body
    }
  }

  private func requestHead(
    _ method: HTTPRequest.Method, _ parser: HeadParser, _ framing: MessageFraming, _ bytes: Span<UInt8>
  ) throws(HTTPFault) -> RequestHead {
    let target = try RequestTarget(parser.requestLine.target, method: method, in: bytes)
    var host = ""
    if let range = framing.host { host = try HostName.checked(range, in: bytes) }
    return RequestHead(
      method: method, path: target.path, segments: target.segments, query: target.query,
      authority: target.authority ?? host,  // RFC 9112 §3.2.2: an absolute target's host overrides the field.
      fields: FieldTable(bytes: bytes.bytes(0..<bytes.count), lines: parser.lines), remoteAddress: remoteAddress,
      serial: exchange?.serial ?? RequestSerial(0))
  }

  /// Those that clients send: one of them that a path does not have is a 405.
  private static let methods: [HTTPRequest.Method] =
    [.get, .post, .head, .put, .delete, .options, .patch, .trace] + [HTTPRequest.Method("QUERY")].compactMap(\.self)

  /// RFC 9110 §9.1: methods are compared with their case; one that no route could have is a 501.
  private static func method(_ range: Range<Int>, in bytes: Span<UInt8>) throws(HTTPFault) -> HTTPRequest.Method {
    for method in methods
    where range.count == method.rawValue.utf8.count && bytes.matches(method.rawValue, at: range.lowerBound) {
      return method
    }
    throw HTTPFault(.notImplemented, "the method \(bytes.text(range.prefix(32))) is not known here")
  }

  /// Refuses a body by what its head says, before any of it is read (RFC 9110 §15.5.12, §15.5.14).
  private static func check(_ framing: MessageFraming, _ method: HTTPRequest.Method, against policy: BodyPolicy) throws(HTTPFault) {
    if policy.bytesMax != nil, framing.body == nil, method == .post || method == .put || method == .patch {
      throw HTTPFault(.lengthRequired, "a body with Content-Length or chunked is needed", closes: false)
    }
    switch framing.body {
    case .bytes(let count) where count > policy.bytesMax ?? 0: throw BodySink.tooLong(policy.bytesMax ?? 0)
    case .chunked where policy == .none: throw BodySink.tooLong(0)
    case .bytes, .chunked, nil: return
    }
  }

  private func feedBody(_ bytes: Span<UInt8>, from start: Int) throws(HTTPFault) -> Int {
    guard var body else { return start }
    self.body = nil
    let next = try body.feed(bytes, from: start)
    guard body.isWhole else {
      self.body = body
      return next
    }
    var request = body.request
    request.body = try body.sink.finish()
    exchange?.uploads = body.sink.files
    exchange?.hasUnreadBody = false
    call(body.route, with: request)
    return next
  }

  private func call(_ route: Route, with request: Request) {
    phase = .handling
    clock.resetProbes()
    let answer = ResponderAddress(inbox: shard.inbox, token: token, exchange: request.head.serial.number)
    let responder = Responder(uploads: exchange?.uploads ?? []) { answer.deliver($0) }
    route.handler(request, responder)
    if let response = responder.callReturned() { return self.answer(response) }
    exchange?.responder = responder
  }

  /// The client sends no more. Between requests that is its goodbye; within one it is a fault (RFC 9112 §8).
  func inputEnded() {
    switch phase {
    case .handshake: close()
    case .head where parser == nil && input.isEmpty: close()
    case .head, .body: refuse(.malformed("the request ended in the middle"))
    case .handling, .streaming, .closing, .lingering, .closed: return
    }
  }

  /// Reads and drops what a refused client still sends, so that closing doesn't reset the connection before it has read why.
  func discard() {
    switch socket.receive(into: &shard.readBuffer) {
    case .bytes(0), .failed: close()
    case .bytes(let count):
      clock.discardedBytes += count
      if clock.discardedBytes > Self.discardedBytesMax { close() }
    case .wouldBlock: return
    }
  }
}

/// Where a responder's answer goes from another thread.
private struct ResponderAddress: Sendable {
  let inbox: Inbox
  let token: ConnectionToken
  let exchange: UInt64

  func deliver(_ response: Response?) { inbox.post(.init(token: token, exchange: exchange, news: .answer(response))) }
}
