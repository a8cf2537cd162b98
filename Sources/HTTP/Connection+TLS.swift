// TLS between a connection's socket and what it reads.

extension Connection {
  /// Encrypted bytes have come: the handshake goes on with them, or what they hold is read.
  func decrypt(_ bytes: Span<UInt8>, by tls: TLSSession) {
    tls.take(bytes)
    if phase == .handshake, !goOn(with: tls) { return }
    while phase != .closed {
      switch tls.read(into: &shard.plainBuffer) {
      case .bytes(let count):
        let plain = shard.plainBuffer
        take(plain.span.extracting(0..<count))
      case .needsMoreBytes: return
      case .end:
        isInputAtEnd = true
        return inputEnded()
      case .failed:
        // The alert that says why is all that can still be sent.
        _ = tls.sendPending()
        return abort()
      }
    }
  }

  /// Returns whether the handshake is done.
  private func goOn(with tls: TLSSession) -> Bool {
    switch tls.handshake() {
    case .needsMoreBytes: return false
    case .done:
      endHandshake()
      return true
    case .plainRequest:
      endHandshake()
      self.tls = nil
      refuse(HTTPFault(.badRequest, "this port speaks TLS: ask it by https"))
      return false
    case .failed:
      _ = tls.sendPending()
      close()
      return false
    }
  }

  private func endHandshake() {
    context.handshakeCount.decrement()
    phase = .head
  }
}
