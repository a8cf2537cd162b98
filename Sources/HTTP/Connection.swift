/// One connection: its place in reading a request, the one request being answered, and what is still to be sent.
///
/// Requests of a connection are handled one after the other, so answers are in order by construction, and a pipelining client is
/// held back by not being read. Answers given while the handler is called go out together, in one send.
///
/// A class because it has identity. It lives on its shard's queue alone. The parts: reading (`Connection+Reading`), answering and
/// closing (`Connection+Writing`), answers that go on (`Connection+Streaming`), and how long it may all take (`Connection+Deadlines`).
final class Connection {
  enum Phase {
    /// TLS is being agreed on.
    case handshake
    /// Between requests, or within a head.
    case head
    case body
    /// A handler works on the request; nothing is read.
    case handling
    /// The head of an answer is sent, and its body is sent as it is written; nothing is read.
    case streaming
    /// The last answer is on its way out.
    case closing
    /// All is sent and our side is shut; what still comes is read and dropped, because a reset would take the answer with it.
    case lingering
    case closed
  }

  let token: ConnectionToken
  let socket: Descriptor
  let remoteAddress: String
  /// By which its client's connections are counted.
  let network: String
  /// Nil on a connection of plain text.
  var tls: TLSSession?
  /// The shard's slot lets the connection go when it closes: until then they hold each other.
  let shard: Shard

  var phase: Phase
  /// Of a head that came in part.
  var parser: HeadParser?
  var input = InputBuffer()
  var body: BodyReader?
  /// The request from its head to its answer.
  var exchange: Exchange?
  var output = OutputQueue()
  /// Nil until the set knows the connection.
  private var interest: EventInterest?
  private var isInputHeldBack = false
  /// The peer has shut its sending side: all it will send has come, but it may wait for its answer.
  private(set) var hasPeerHalfClosed = false
  /// The last of it has been read.
  var isInputAtEnd = false
  /// Whether `closing` must go on to `lingering`.
  var mustLinger = false
  var clock: ConnectionClock

  init(_ token: ConnectionToken, _ socket: Descriptor, from remoteAddress: String, _ network: String, _ tls: TLSSession?, on shard: Shard) {
    self.token = token
    self.socket = socket
    self.remoteAddress = remoteAddress
    self.network = network
    self.tls = tls
    phase = tls == nil ? .head : .handshake
    self.shard = shard
    clock = ConnectionClock(openedAt: shard.now)
  }

  var context: ServerContext { shard.context }

  func handle(_ what: EventInterest) {
    if !what.isDisjoint(with: .gone) { return close() }
    if what.contains(.halfClose) { hasPeerHalfClosed = true }
    if what.contains(.input) || what.contains(.halfClose) {
      switch phase {
      case .head where isAllSent, .body where isAllSent: read()
      case .handshake: if shard.takeHandshakeStep() { read() }
      case .lingering: discard()
      case .head, .body, .handling, .streaming, .closing: isInputHeldBack = true
      case .closed: return
      }
    }
    settle()
  }

  /// Something has come through the inbox.
  func receive(_ message: Inbox.Message) {
    guard exchange?.serial.number == message.exchange else { return }
    switch (phase, message.news) {
    case (.handling, .answer(let response?)): answer(response)
    case (.handling, .answer(nil)):
      context.logger.error("a handler let its request drop", metadata: ["request_id": "\(exchange?.serial.text ?? "")"])
      refuse(HTTPFault(.internalServerError, "the request was not answered", closes: false))
    case (.streaming, .stream): if exchange?.stream?.hasOverflown == true { cutOff() }  // Else settling looks into it.
    default: return
    }
    settle()
  }

  /// Sends what is queued and goes on with kept input until nothing moves, then tells the shard what to wake for.
  func settle() {
    repeat {
      guard flush() else { break }
      if phase == .streaming { takeFromStream() }
      if phase == .closing, isAllSent { finishClosing() }
      if phase == .head, !input.isEmpty { consumeInput() }
      // What TLS calls an end comes with no event of its own.
      if phase == .head, isInputAtEnd { inputEnded() }
    } while !isAllSent
    guard phase != .closed else { return }
    let wanted = wantedInterest()
    if wanted != interest {
      guard shard.watch(self, wanted, isNew: interest == nil) else { return abort() }
      interest = wanted
    }
    armDeadline()
  }

  /// While a request is handled or an answer is stuck nothing is read. Input is given up only once it has come: most clients
  /// send nothing meanwhile, and so cost no call.
  private func wantedInterest() -> EventInterest {
    if !isAllSent { return .output }
    let halfClose: EventInterest = hasPeerHalfClosed ? [] : .halfClose
    switch phase {
    case .handling, .streaming: return isInputHeldBack ? halfClose : halfClose.union(.input)
    case .lingering: return .input
    case .handshake, .head, .body, .closing, .closed:
      isInputHeldBack = false
      return halfClose.union(.input)
    }
  }

  /// The server is draining: an idle connection closes, unless a request is on its way in; an answer without an end is given one.
  func drain() {
    if phase == .streaming {
      endStream(closes: true)
      return settle()
    }
    if phase == .handshake { return close() }
    if phase == .head, isAllSent { handle(.input) }
    guard phase == .head, isAllSent, parser == nil, input.isEmpty else { return }
    mustLinger = true
    finishClosing()
    settle()
  }

  /// Ends the connection at once. A handler at work is told that its client is gone.
  func close() {
    guard phase != .closed else { return }
    if phase == .handshake { context.handshakeCount.decrement() }
    phase = .closed
    body = nil
    tls = nil
    if let exchange { observe(exchange, isCutOff: true) }
    let (responder, stream) = (exchange?.responder, exchange?.stream)
    exchange = nil
    socket.close()
    shard.remove(self)
    responder?.abandon()
    stream?.end()
  }

  /// Ends it by a reset: the client sees that something was cut.
  func abort() {
    guard phase != .closed else { return }
    socket.resetOnClose()
    close()
  }
}

/// A request from its head to its answer.
struct Exchange {
  let serial: RequestSerial
  /// Empty until the head is understood.
  var path = ""
  /// Kept for those who ask for it: the server's decoration and observation.
  var head: RequestHead?
  /// Of the route; nil where there is none.
  var pattern: String?
  var beganAt: UInt64 = 0
  /// 0 until there is an answer.
  var status = 0
  var sentBodyBytes = 0
  var isHead = false
  var keepsAlive = false
  /// What stands between the head and the next request is a body that nobody has read: only closing gets past it.
  var hasUnreadBody = false
  var minorVersion = 1
  /// Whether the client waits for leave to send its body.
  var expectsContinue = false
  /// Held weakly, so that a handler that drops it is noticed.
  weak var responder: Responder?
  /// Kept until the answer is on its way.
  var uploads: [UploadFile] = []
  /// The answer's body, where it comes into being while it is sent.
  var stream: ResponseStream?
}
