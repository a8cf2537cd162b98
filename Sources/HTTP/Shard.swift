import CSystem
import Dispatch
import Logging
import Synchronization

/// What all shards of a server share, and nobody changes. A class so that lending it costs one count and not one for each member.
final class ServerContext: Sendable {
  let configuration: ServerConfiguration
  let router: Router
  let problem: Server.Problem
  let admit: Server.Admission?
  let decorate: Server.Decoration?
  let observe: Server.Observation?
  let logger: Logger
  /// Nil where TLS is not spoken.
  let certificates: TLSCertificates?
  let connectionCount = ConnectionCount()
  let networkCount = NetworkCount()
  /// Of the connections, those that have not ended their TLS handshake.
  let handshakeCount = ConnectionCount()

  init(
    configuration: ServerConfiguration, router: Router, problem: @escaping Server.Problem, admit: Server.Admission?,
    decorate: Server.Decoration?, observe: Server.Observation?, logger: Logger
  ) throws(ServerConfigurationError) {
    certificates = try TLSCertificates(configuration.tls)
    self.configuration = configuration
    self.router = router
    self.problem = problem
    self.admit = admit
    self.decorate = decorate
    self.observe = observe
    self.logger = logger
  }
}

/// A serial queue with a listener, its connections, and one epoll set for them all.
///
/// One long-lived Dispatch source watches the set; a source for each connection would cost twice the processor time. The handler
/// drains the set and lingers for a millisecond, so that a busy shard seldom goes back to Dispatch. Nothing slow may run here.
///
/// `@unchecked Sendable`: all of it belongs to `queue`, but for the inbox, which has a lock, and what `init` sets once.
final class Shard: @unchecked Sendable {
  let queue: DispatchQueue
  let context: ServerContext
  let inbox: Inbox
  let load = ShardLoad()
  /// The time of this round, in nanoseconds; read once a round rather than once an event.
  private(set) var now = monotonicNanoseconds()
  private(set) var isDraining = false
  /// What was read last. One for all connections: nothing of it is kept but unfinished heads.
  var readBuffer = [UInt8](repeating: 0, count: 256 << 10)
  /// What was decrypted last; empty before the first TLS connection.
  var plainBuffer: [UInt8] = []
  var date = DateField()

  private let events: EventSet
  private var listener: Listener?
  /// Made on start: Dispatch does not forgive sources that are let go before they were ever active.
  private var source: (any DispatchSourceRead)?
  private var timer: (any DispatchSourceTimer)?
  private var timerAt = UInt64.max
  private var slots: [(generation: UInt32, connection: Connection?)] = []
  private var freeSlots: [Int] = []
  private var openCount = 0
  private var deadlines = DeadlineQueue()
  private var spareParser: HeadParser?
  private var spareDescriptor: Descriptor?
  private var nextSerial = UInt64.random(in: 0 ... .max)
  private var drainCompletions: [@Sendable () -> Void] = []
  private var hasEnded = false
  private var handshakeStepsLeft = 0

  private static let roundsMax = 64
  private static let acceptsMax = 64
  private static let acceptPauseMilliseconds = 100
  /// A step of a handshake may cost a millisecond: after so many in a round the others have their turn.
  private static let handshakeStepsMax = 4

  init(_ index: Int, context: ServerContext, listener: Listener) throws(SystemCallError) {
    self.context = context
    self.listener = listener
    queue = DispatchQueue(label: "http.shard.\(index)")
    events = try EventSet()
    inbox = try Inbox()
    spareDescriptor = try Descriptor.open("/dev/null", O_RDONLY)
    try events.add(inbox.descriptor, .input, as: .inbox)
    try events.add(listener.descriptor, .input, as: .listener)
  }

  func start() {
    let source = DispatchSource.makeReadSource(fileDescriptor: events.descriptor.number, queue: queue)
    let timer = DispatchSource.makeTimerSource(queue: queue)
    source.setEventHandler { [self] in run() }
    // The set is open as long as the source watches it: the handler holds this shard until it is cancelled.
    source.setCancelHandler { [events] in _ = events }
    timer.setEventHandler { [self] in
      timerAt = .max
      now = monotonicNanoseconds()
      expireDue()
    }
    timer.schedule(deadline: .distantFuture)
    queue.sync { (self.source, self.timer) = (source, timer) }
    source.activate()
    timer.activate()
  }

  /// Drains the set, then waits a millisecond for more, until one wait comes back empty.
  private func run() {
    var isLingering = false
    for _ in 0..<Self.roundsMax where !hasEnded {
      let count = events.wait(milliseconds: isLingering ? 1 : 0)
      if count == 0 {
        if isLingering { return }
        isLingering = true
        continue
      }
      isLingering = false
      now = monotonicNanoseconds()
      handshakeStepsLeft = Self.handshakeStepsMax
      for index in 0..<count {
        let (token, what) = events.event(index)
        handle(what, of: token)
      }
      expireDue()
      load.count(round: monotonicNanoseconds() - now)
    }
  }

  private func handle(_ what: EventInterest, of token: ConnectionToken) {
    switch token {
    case .listener: acceptWaiting()
    case .inbox:
      let (messages, calls) = inbox.takeAll()
      for message in messages { connection(message.token)?.receive(message) }
      for call in calls { call() }
    default: connection(token)?.handle(what)
    }
  }

  func connection(_ token: ConnectionToken) -> Connection? {
    guard token.slot < slots.count, slots[token.slot].generation == token.generation else { return nil }
    return slots[token.slot].connection
  }

  /// Whether a handshake may go on in this round; if not, the set tells of its input again in the next.
  func takeHandshakeStep() -> Bool {
    guard handshakeStepsLeft > 0 else { return false }
    handshakeStepsLeft -= 1
    return true
  }

  func makeSerial() -> RequestSerial {
    nextSerial &+= 1
    return RequestSerial(nextSerial)
  }

  /// One parser serves all connections whose heads come whole; it goes with a connection only while a head is unfinished.
  func takeParser() -> HeadParser {
    defer { spareParser = nil }
    return spareParser ?? HeadParser(limits: context.configuration.limits)
  }

  func giveBack(_ parser: HeadParser) {
    spareParser = parser
    spareParser?.reset()
  }

  // MARK: What connections ask of their shard

  func watch(_ connection: Connection, _ interest: EventInterest, isNew: Bool) -> Bool {
    do throws(SystemCallError) {
      if isNew {
        try events.add(connection.socket, interest, as: connection.token)
      } else {
        try events.change(connection.socket, to: interest, as: connection.token)
      }
      return true
    } catch {
      context.logger.error("a connection could not be watched", metadata: ["error": "\(error)"])
      return false
    }
  }

  func queueDeadline(_ nanoseconds: UInt64, of connection: Connection) {
    deadlines.insert(.init(nanoseconds: nanoseconds, token: connection.token))
    armTimer()
  }

  /// Forgets a connection whose socket is about to close.
  func remove(_ connection: Connection) {
    let slot = connection.token.slot
    slots[slot].connection = nil
    slots[slot].generation = (slots[slot].generation + 1) % (.max - 1)
    freeSlots.append(slot)
    openCount -= 1
    context.connectionCount.decrement()
    context.networkCount.decrement(connection.network)
    if isDraining, openCount == 0 { end() }
  }

  private func expireDue() {
    while let entry = deadlines.takeDue(at: now) { connection(entry.token)?.deadlineCame(entry.nanoseconds) }
    armTimer()
  }

  private func armTimer() {
    guard !hasEnded, let next = deadlines.next, next < timerAt else { return }
    timerAt = next
    let wait = next > now ? next - now : 0
    timer?.schedule(deadline: .now() + .nanoseconds(Int(clamping: wait)), leeway: .milliseconds(5))
  }

  // MARK: Accepting

  private func acceptWaiting(atMost count: Int = acceptsMax) {
    for _ in 0..<count {
      guard let listener else { return }
      switch listener.accept() {
      case .connection(let socket, let address): open(socket, address)
      case .none: return
      case .exhausted: return survive(on: listener)
      }
    }
  }

  private func open(_ socket: Descriptor, _ address: SocketAddress) {
    let limit = context.configuration.limits.connectionsMax
    let total = context.connectionCount.increment()
    // Some beyond the limit are told so; when even those are many, the rest is cut.
    guard total <= limit + 64 else {
      context.connectionCount.decrement()
      return socket.close()
    }
    let network = address.network
    let isWelcome = context.networkCount.increment(network) <= context.configuration.limits.connectionsPerAddressMax && total <= limit
    var tls: TLSSession?
    if let certificates = context.certificates {
      tls = isWelcome ? beginHandshake(socket, certificates) : nil
      guard tls != nil else {
        context.connectionCount.decrement()
        context.networkCount.decrement(network)
        return socket.close()
      }
    }
    let slot = freeSlots.popLast() ?? slots.count
    if slot == slots.count { slots.append((generation: 0, connection: nil)) }
    let token = ConnectionToken(slot: slot, generation: slots[slot].generation)
    let connection = Connection(token, socket, from: address.host, network, tls, on: self)
    slots[slot].connection = connection
    openCount += 1
    if isWelcome { connection.handle(.input) } else { connection.turnAway() }
  }

  /// Nil where too many shake hands already, or memory is short.
  private func beginHandshake(_ socket: Descriptor, _ certificates: TLSCertificates) -> TLSSession? {
    let count = context.handshakeCount.increment()
    if count <= context.configuration.limits.handshakesMax, let session = TLSSession(certificates.context, on: socket) {
      if plainBuffer.isEmpty { plainBuffer = [UInt8](repeating: 0, count: readBuffer.count) }
      return session
    }
    context.handshakeCount.decrement()
    return nil
  }

  /// Out of descriptors: the spare one lets us take a connection and drop it, so that its client isn't left hanging; then a pause,
  /// because the listener would otherwise report itself without end.
  private func survive(on listener: Listener) {
    context.logger.warning("no descriptor is left for a connection")
    spareDescriptor?.close()
    if case .connection(let socket, _) = listener.accept() { socket.close() }
    spareDescriptor = try? Descriptor.open("/dev/null", O_RDONLY)  // None now: the next time there is none to spare.
    events.remove(listener.descriptor)
    queue.asyncAfter(deadline: .now() + .milliseconds(Self.acceptPauseMilliseconds)) { [self] in
      guard let listener = self.listener else { return }
      do throws(SystemCallError) { try events.add(listener.descriptor, .input, as: .listener) } catch { survive(on: listener) }
    }
  }

  // MARK: Draining

  /// Takes what waits in the backlog, stops listening, lets every request in flight finish, and cuts the rest after `seconds`.
  func drain(seconds: Double, completion: @escaping @Sendable () -> Void) {
    if hasEnded { return completion() }
    drainCompletions.append(completion)
    now = monotonicNanoseconds()
    if !isDraining {
      acceptWaiting(atMost: 4096)
      isDraining = true
      listener?.descriptor.close()
      listener = nil
      for connection in slots.compactMap(\.connection) { connection.drain() }
    }
    if openCount == 0 { return end() }
    queue.asyncAfter(deadline: .now() + max(0, seconds)) { [self] in
      for connection in slots.compactMap(\.connection) { connection.abort() }
    }
  }

  private func end() {
    guard !hasEnded else { return }
    hasEnded = true
    inbox.close()
    source?.cancel()
    timer?.cancel()
    spareDescriptor?.close()
    for completion in drainCompletions { completion() }
    drainCompletions = []
  }
}
