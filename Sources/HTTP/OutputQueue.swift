/// Where the bytes of an `OutputQueue` go: a socket, or TLS before one.
protocol OutputTransport {
  /// Takes `bytes` from `start` on, and perhaps `following` with them; returns how many it took.
  func send(_ bytes: [UInt8], from start: Int, following: [UInt8]?) -> Transfer
  func sendFile(_ file: Descriptor, from offset: Int, count: Int) -> Transfer
}

extension Descriptor: OutputTransport {}

/// What a connection has still to send: bytes and files, in order.
///
/// Small answers of a pipeline run together into one run of bytes, so that one send takes them all; a large body stays its own
/// run and goes with its head in one sendmsg.
struct OutputQueue {
  private enum Piece {
    case bytes([UInt8])
    case file(ServedFile, offset: Int, count: Int)
  }

  enum Progress: Equatable {
    case sentAll
    case blocked
    /// More could be sent, but others should have their turn.
    case paused
    case broken
  }

  /// A body up to this long is copied behind its head rather than sent by a second vector.
  private static let copiedBytesMax = 16 << 10
  /// What one connection may send in one turn.
  private static let turnBytesMax = 1 << 20

  private var pieces: [Piece] = []
  private var first = 0
  /// How much of the first piece, when it is bytes, is sent.
  private var sent = 0
  private(set) var byteCount = 0

  var isEmpty: Bool { first == pieces.count }

  /// Appends by letting `write` add to the last run of bytes.
  mutating func append(_ write: (inout [UInt8]) -> Void) {
    var run: [UInt8] = []
    if !isEmpty, case .bytes(let last) = pieces[pieces.count - 1], last.count < Self.copiedBytesMax {
      run = last
      pieces.removeLast()
    }
    let before = run.count
    write(&run)
    byteCount += run.count - before
    pieces.append(.bytes(run))
  }

  /// A body that is there; a stream is not, and adds nothing.
  mutating func append(_ body: ResponseBody) {
    switch body {
    case .empty, .stream: return
    case .bytes(let bytes): append(body: bytes)
    case .file(let file, let range): append(file, range)
    case .parts(let parts): for part in parts { append(part) }
    }
  }

  mutating func append(body: [UInt8]) {
    if body.isEmpty { return }
    if body.count <= Self.copiedBytesMax { return append { $0 += body } }
    pieces.append(.bytes(body))
    byteCount += body.count
  }

  mutating func append(_ file: ServedFile, _ range: Range<Int>) {
    if range.isEmpty { return }
    pieces.append(.file(file, offset: range.lowerBound, count: range.count))
    byteCount += range.count
  }

  /// Sends as much as is taken in one turn.
  mutating func flush(to transport: some OutputTransport) -> Progress {
    var budget = Self.turnBytesMax
    while !isEmpty {
      guard budget > 0 else { return .paused }
      let transfer = sendFirst(to: transport)
      switch transfer {
      case .bytes(0): return .broken  // A file that is shorter than its answer said.
      case .bytes(let count):
        budget -= count
        advance(by: count)
      case .wouldBlock: return .blocked
      case .failed: return .broken
      }
    }
    pieces.removeAll()
    first = 0
    return .sentAll
  }

  private func sendFirst(to transport: some OutputTransport) -> Transfer {
    switch pieces[first] {
    case .bytes(let run):
      var following: [UInt8]?
      if first + 1 < pieces.count, case .bytes(let next) = pieces[first + 1] { following = next }
      return transport.send(run, from: sent, following: following)
    case .file(let file, let offset, let count):
      return transport.sendFile(file.descriptor, from: offset, count: min(count, Self.turnBytesMax))
    }
  }

  private mutating func advance(by count: Int) {
    byteCount -= count
    var count = count
    while count > 0 {
      switch pieces[first] {
      case .bytes(let run):
        let rest = run.count - sent
        guard count >= rest else {
          sent += count
          return
        }
        count -= rest
        sent = 0
        removeFirst()
      case .file(let file, let offset, let remaining):
        if count == remaining { removeFirst() } else { pieces[first] = .file(file, offset: offset + count, count: remaining - count) }
        count = 0
      }
    }
  }

  private mutating func removeFirst() {
    pieces[first] = .bytes([])
    first += 1
  }
}
