import Synchronization

/// The body of an answer that comes into being while it is sent, written from any thread: events as they happen.
///
/// It is made to be filled by demand. `onRoom` says that all that was written is on its way, and whoever writes then writes a bounded part
/// more; a client that reads slowly so is written for slowly, and one that stops reading is cut off by the deadline of any answer. More
/// than `bytesMax` at once is never kept: the connection ends instead.
///
/// A class because it has identity: one answer's body, shared by its writer and its connection.
package final class ResponseStream: Sendable {
  /// What is sent when nothing else was for so long, so that both sides and all between know that the other still is there.
  package struct Heartbeat: Sendable {
    package var bytes: [UInt8]
    package var seconds: Double

    package init(bytes: [UInt8], seconds: Double) {
      self.bytes = bytes
      self.seconds = seconds
    }
  }

  /// What the connection finds when all that it had is sent.
  enum Part: Equatable {
    case nothing
    case bytes([UInt8])
    case end
    /// More was written than is kept.
    case overflow
  }

  private struct Contents {
    var waiting: [UInt8] = []
    var isFinished = false
    var hasOverflown = false
    /// The body is sent, or nobody is there to send it to.
    var isOver = false
    var isRoomTold = false
    /// The shard has been told that something waits, and has not looked yet.
    var isShardAwake = false
    var wakeShard: (@Sendable () -> Void)?
  }

  let heartbeat: Heartbeat?
  private let bytesMax: Int
  private let onRoom: @Sendable (ResponseStream) -> Void
  private let onEnd: @Sendable () -> Void
  private let contents = Mutex(Contents())

  /// - Parameters:
  ///   - bytesMax: what may wait to be sent, beside what the connection is sending.
  ///   - onRoom: called on the shard when all that was written is sent, first after the answer's head; it must return at once. It is
  ///     given the stream, so that it need not hold it: an answer whose client left before the head takes all of this with it, unheard.
  ///   - onEnd: called once, on the shard, when nothing written from then on would reach anyone, if `onRoom` ever was; it must return
  ///     at once.
  package init(
    bytesMax: Int = 256 << 10, heartbeat: Heartbeat? = nil, onRoom: @escaping @Sendable (ResponseStream) -> Void,
    onEnd: @escaping @Sendable () -> Void = {}
  ) {
    self.bytesMax = bytesMax
    self.heartbeat = heartbeat
    self.onRoom = onRoom
    self.onEnd = onEnd
  }

  /// Writes what comes next; false where nobody is there to read it.
  @discardableResult
  package func write(_ bytes: [UInt8]) -> Bool {
    change { contents in
      guard !contents.isOver, !contents.isFinished, !contents.hasOverflown else { return false }
      if bytes.isEmpty { return true }
      contents.isRoomTold = false
      if bytes.count > bytesMax - contents.waiting.count {
        contents.hasOverflown = true
        contents.waiting = []
        // A shard whose client is stuck has heard of what waits, and does not look before there is room.
        contents.isShardAwake = false
        return false
      }
      contents.waiting += bytes
      return true
    }
  }

  /// The body is whole.
  package func finish() { change { $0.isFinished = true } }

  private func change<Result>(_ change: (inout Contents) -> Result) -> Result {
    let (result, wake) = contents.withLock { contents in
      let result = change(&contents)
      if contents.isShardAwake || contents.isOver { return (result, nil as (@Sendable () -> Void)?) }
      contents.isShardAwake = contents.wakeShard != nil
      return (result, contents.wakeShard)
    }
    wake?()
    return result
  }

  // MARK: The connection's side, on its shard

  /// The answer's head is on its way; from now on the shard hears of what is written.
  func attach(wakingShard wake: @escaping @Sendable () -> Void) { contents.withLock { $0.wakeShard = wake } }

  /// What has been written since, all at once; where there is nothing, the writer is told that there is room.
  func take() -> Part {
    let (part, tellsRoom) = contents.withLock { contents in
      contents.isShardAwake = false
      if contents.hasOverflown { return (Part.overflow, false) }
      if !contents.waiting.isEmpty {
        defer { contents.waiting = [] }
        return (.bytes(contents.waiting), false)
      }
      if contents.isFinished { return (.end, false) }
      defer { contents.isRoomTold = true }
      return (.nothing, !contents.isRoomTold)
    }
    if tellsRoom { onRoom(self) }
    return part
  }

  var hasOverflown: Bool { contents.withLock { $0.hasOverflown } }

  /// Sent to its end, or cut off.
  func end() {
    let wasOver = contents.withLock { contents in
      defer {
        contents.isOver = true
        contents.waiting = []
        contents.wakeShard = nil
      }
      return contents.isOver
    }
    if !wasOver { onEnd() }
  }
}

extension ResponseStream: Equatable {
  package static func == (a: ResponseStream, b: ResponseStream) -> Bool { a === b }
}
