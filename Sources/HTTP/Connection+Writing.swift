import HTTPTypes

// From an answer to bytes on the wire, and how a connection ends.

extension Connection {
  /// Queues the answer to the exchange, and decides whether the connection stays.
  func answer(_ response: Response, closes: Bool = false) {
    let exchange = self.exchange ?? Exchange(serial: shard.makeSerial())
    var response = response
    context.decorate?(&response, exchange.head)
    let closes = closes || exchange.hasUnreadBody || shard.isDraining
    let allowsChunks = exchange.minorVersion != 0
    let keepsAlive = exchange.keepsAlive && !closes && (allowsChunks || response.body.count != nil)
    let connection: ResponseHead.Connection = keepsAlive ? (allowsChunks ? .unspoken : .keepAlive) : .close
    let head = ResponseHead(
      response: response, serial: exchange.serial, date: shard.date.value(), connection: connection, allowsChunks: allowsChunks)
    output.append { head.write(into: &$0) }
    self.exchange = exchange
    self.exchange?.status = response.status.code
    let hasBody = !exchange.isHead && ResponseHead.hasBody(response.status)
    if case .stream(let stream) = response.body {
      if hasBody { return begin(stream, keepsAlive: keepsAlive) }
      stream.end()
    } else if hasBody {
      output.append(response.body)
      self.exchange?.sentBodyBytes = response.body.count ?? 0
    }
    // A client that said it would close needs no lingering; one that was refused, or didn't know, may still be sending.
    if closes { mustLinger = true }
    body = nil
    finishAnswer(keepsAlive: keepsAlive)
  }

  /// The answer is whole, though not yet sent.
  func finishAnswer(keepsAlive: Bool) {
    if let exchange { observe(exchange, isCutOff: false) }
    exchange = nil
    phase = keepsAlive ? .head : .closing
    clock.lastAnsweredAt = shard.now
  }

  /// Tells of an answer; one that is cut off before it began is told as 499, as other servers' logs have it.
  func observe(_ exchange: Exchange, isCutOff: Bool) {
    guard let observe = context.observe else { return }
    observe(
      AnsweredRequest(
        head: exchange.head, serial: exchange.serial, remoteAddress: remoteAddress, pattern: exchange.pattern,
        status: exchange.status == 0 ? 499 : exchange.status, bodyBytes: exchange.sentBodyBytes,
        seconds: exchange.beganAt == 0 ? 0 : Double(monotonicNanoseconds() - exchange.beganAt) / 1e9, isCutOff: isCutOff))
  }

  /// Answers a fault of the protocol.
  func refuse(_ fault: HTTPFault) {
    let exchange = self.exchange ?? Exchange(serial: shard.makeSerial())
    self.exchange = exchange
    var response = context.problem(fault, exchange.path, exchange.serial.text)
    for field in fault.headers { response.headers[field.name] = field.value }
    body = nil
    parser = nil
    answer(response, closes: fault.closes)
  }

  /// More connections are open than may be.
  func turnAway() {
    refuse(HTTPFault(.serviceUnavailable, "too many connections are open", headers: [.retryAfter: "1"]))
    settle()
  }

  /// Whether nothing waits for the socket, encrypted or not.
  var isAllSent: Bool { output.isEmpty && tls?.hasPending != true }

  /// Returns whether all is sent.
  func flush() -> Bool {
    guard phase != .closed else { return false }
    guard !isAllSent else { return true }
    if !clock.isWriting { clock.beginWriting(at: shard.now) }
    let before = output.byteCount
    let progress = tls.map { flush(through: $0) } ?? output.flush(to: socket)
    clock.wrote(before - output.byteCount, at: shard.now)
    switch progress {
    case .sentAll:
      clock.endWriting()
      return true
    case .blocked, .paused: return false
    case .broken:
      abort()
      return false
    }
  }

  private func flush(through tls: TLSSession) -> OutputQueue.Progress {
    let progress = output.flush(to: tls)
    guard progress == .sentAll else { return progress }
    if tls.sendPending() { return .sentAll }
    return tls.hasPending ? .blocked : .broken
  }

  /// All is sent: closes when the client has nothing under way, else shuts our side and drops what comes.
  func finishClosing() {
    tls?.sendEnd()
    guard mustLinger, !isInputAtEnd else { return close() }
    socket.shutDownSending()
    phase = .lingering
    clock.lingerBeganAt = shard.now
  }
}
