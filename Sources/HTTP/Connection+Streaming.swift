// An answer whose body is sent as it is written (RFC 9112 §7.1), until its writer, its client or a drain ends it.

extension Connection {
  /// The head is queued; the body follows as it comes.
  func begin(_ stream: ResponseStream, keepsAlive: Bool) {
    body = nil
    // Of a draining server a client is to ask another, or the next.
    guard let serial = exchange?.serial.number, !shard.isDraining else {
      exchange?.stream = stream
      return endStream(closes: true)
    }
    exchange?.stream = stream
    exchange?.keepsAlive = keepsAlive
    phase = .streaming
    let (inbox, token) = (shard.inbox, token)
    stream.attach { inbox.post(.init(token: token, exchange: serial, news: .stream)) }
  }

  /// All is sent that was queued: queues what was written since, so that no more is held for a client than one such part and what waits.
  func takeFromStream() {
    guard let stream = exchange?.stream else { return }
    switch stream.take() {
    case .nothing: return
    case .bytes(let bytes): append(chunk: bytes)
    case .end: endStream(closes: false)
    case .overflow: cutOff()
    }
  }

  /// More was written than the client has taken and may wait.
  func cutOff() {
    context.logger.notice("a client that read too slowly was cut off", metadata: ["request_id": "\(exchange?.serial.text ?? "")"])
    abort()
  }

  /// Nothing was sent for long.
  func beat() {
    if let heartbeat = exchange?.stream?.heartbeat { append(chunk: heartbeat.bytes) }
  }

  /// Ends the body in good order, whatever may still have been to come.
  func endStream(closes: Bool) {
    let stream = exchange?.stream
    if exchange?.minorVersion != 0 { output.append { $0 += "0\r\n\r\n".utf8 } }
    if closes { mustLinger = true }
    finishAnswer(keepsAlive: exchange?.keepsAlive == true && !closes)
    stream?.end()
  }

  private func append(chunk bytes: [UInt8]) {
    exchange?.sentBodyBytes += bytes.count
    guard exchange?.minorVersion != 0 else { return output.append(body: bytes) }
    output.append { $0 += "\(String(bytes.count, radix: 16))\r\n".utf8 }
    output.append(body: bytes)
    output.append { $0 += "\r\n".utf8 }
  }
}
