import HTTPTypes

// How long everything may take. Each state of a connection but a handler's work has a deadline, in nanoseconds.

/// The moments that a connection's deadlines are counted from.
struct ConnectionClock {
  var lastAnsweredAt: UInt64?
  var headBeganAt: UInt64 = 0
  var bodyBeganAt: UInt64 = 0
  var lastReadAt: UInt64 = 0
  var lingerBeganAt: UInt64 = 0
  var discardedBytes = 0
  private(set) var writingBeganAt: UInt64?
  private(set) var lastWroteAt: UInt64 = 0
  private(set) var writtenBytes = 0
  /// When a client that only listens is next asked whether it still does, and how often it was.
  var probeAt: UInt64?
  var probeCount = 0
  let openedAt: UInt64
  /// The deadline as it is, and the earliest that the shard has queued for this connection.
  var deadline = UInt64.max
  var queuedDeadline = UInt64.max

  init(openedAt: UInt64) { self.openedAt = openedAt }

  var isWriting: Bool { writingBeganAt != nil }

  mutating func beginWriting(at now: UInt64) {
    (writingBeganAt, lastWroteAt, writtenBytes) = (now, now, 0)
  }

  mutating func wrote(_ bytes: Int, at now: UInt64) {
    if bytes > 0 { lastWroteAt = now }
    writtenBytes += bytes
  }

  mutating func resetProbes() { (probeAt, probeCount) = (nil, 0) }

  mutating func endWriting() { writingBeganAt = nil }
}

extension Connection {
  private var timeouts: ServerConfiguration.Timeouts { context.configuration.timeouts }

  /// A half-closed client is asked after 1, 2, 4, 8 and 16 seconds: no client is known to take more than five interim answers ill.
  private static let probesMax = 5

  func armDeadline() {
    clock.deadline = currentDeadline()
    guard clock.deadline < clock.queuedDeadline else { return }
    clock.queuedDeadline = clock.deadline
    shard.queueDeadline(clock.deadline, of: self)
  }

  /// An entry of the shard's queue has come up; the deadline may have moved since.
  func deadlineCame(_ nanoseconds: UInt64) {
    guard nanoseconds == clock.queuedDeadline else { return }
    clock.queuedDeadline = .max
    if clock.deadline <= shard.now { expire() }
    settle()
  }

  private func currentDeadline() -> UInt64 {
    if let began = clock.writingBeganAt, !isAllSent, phase != .handshake {
      return least(began, clock.writtenBytes, pauseFrom: clock.lastWroteAt, seconds: timeouts.writeSeconds)
    }
    switch phase {
    case .handshake: return clock.openedAt + nanoseconds(timeouts.handshakeSeconds)
    case .head where parser != nil: return clock.headBeganAt + nanoseconds(timeouts.headSeconds)
    case .head:
      // A connection that never sent a byte is given no longer than a head.
      if let answered = clock.lastAnsweredAt { return answered + nanoseconds(timeouts.idleSeconds) }
      return clock.openedAt + nanoseconds(min(timeouts.headSeconds, timeouts.idleSeconds))
    case .body: return least(clock.bodyBeganAt, body?.sink.count ?? 0, pauseFrom: clock.lastReadAt, seconds: timeouts.bodySeconds)
    case .handling: return nextProbe()
    case .streaming:
      guard let heartbeat = exchange?.stream?.heartbeat else { return .max }
      return clock.lastWroteAt + nanoseconds(heartbeat.seconds)
    case .lingering: return clock.lingerBeganAt + nanoseconds(timeouts.lingerSeconds)
    case .closing, .closed: return .max
    }
  }

  /// Bytes buy time at the least rate, but no pause longer than `seconds`: what came early can't pay for a long silence.
  private func least(_ began: UInt64, _ bytes: Int, pauseFrom last: UInt64, seconds: Double) -> UInt64 {
    min(began + nanoseconds(seconds + Double(bytes) / max(timeouts.bytesPerSecondMin, 1)), last + nanoseconds(seconds))
  }

  private func nextProbe() -> UInt64 {
    guard hasPeerHalfClosed, exchange?.minorVersion != 0, clock.probeCount < Self.probesMax else { return .max }
    let at = clock.probeAt ?? shard.now + nanoseconds(Double(1 << clock.probeCount))
    clock.probeAt = at
    return at
  }

  private func expire() {
    if !isAllSent || phase == .handshake { return abort() }
    switch phase {
    case .handshake: return
    case .head where parser == nil: close()
    case .head: refuse(HTTPFault(.requestTimeout, "the head took longer than \(timeouts.headSeconds) seconds"))
    case .body: refuse(HTTPFault(.requestTimeout, "the body came slower than it may"))
    case .handling: probe()
    case .streaming: beat()
    case .lingering: close()
    case .closing, .closed: return
    }
  }

  /// A client that closed and one that only shut its sending side look the same until something is sent: the first answers with a
  /// reset, the second passes over an interim answer (RFC 9110 §15.2), as all clients do with this one.
  private func probe() {
    clock.probeAt = nil
    clock.probeCount += 1
    output.append { $0 += "HTTP/1.1 100 Continue\r\n\r\n".utf8 }
  }

  private func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(max(0, min(seconds, 1e9)) * 1e9) }
}
