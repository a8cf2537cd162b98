/// A request whose body is being read: the framing is taken off and the bytes go to the route's sink.
struct BodyReader {
  private enum Rest {
    case bytes(Int)
    case chunked(ChunkedDecoder)
    case nothing
  }

  let route: Route
  let request: Request
  private(set) var sink: BodySink
  private var rest: Rest
  private let storage: (@Sendable () -> HTTPFault?)?
  private var countAsked = 0

  /// Chosen: a disk is not filled by what comes between two looks.
  private static let bytesBetweenLooks = 1 << 20

  init(_ route: Route, _ request: Request, _ length: MessageFraming.BodyLength, _ sink: BodySink, limits: ServerConfiguration.Limits) {
    self.route = route
    self.request = request
    self.sink = sink
    storage = limits.storage
    switch length {
    case .bytes(let count): rest = count == 0 ? .nothing : .bytes(count)
    case .chunked: rest = .chunked(ChunkedDecoder(limits: limits))
    }
  }

  var isWhole: Bool {
    if case .nothing = rest { return true }
    return false
  }

  /// Takes from `start` on what belongs to the body; returns where it stopped.
  mutating func feed(_ bytes: Span<UInt8>, from start: Int) throws(HTTPFault) -> Int {
    if let storage, sink.count - countAsked >= Self.bytesBetweenLooks {
      countAsked = sink.count
      if let fault = storage() { throw fault }
    }
    switch rest {
    case .nothing: return start
    case .bytes(let remaining):
      let end = start + min(remaining, bytes.count - start)
      try sink.append(bytes.extracting(start..<end))
      rest = end - start == remaining ? .nothing : .bytes(remaining - (end - start))
      return end
    case .chunked(var decoder):
      let end = try feed(bytes, from: start, through: &decoder)
      return end
    }
  }

  private mutating func feed(_ bytes: Span<UInt8>, from start: Int, through decoder: inout ChunkedDecoder) throws(HTTPFault) -> Int {
    var index = start
    while true {
      switch try decoder.next(bytes, from: index) {
      case .data(let range):
        try sink.append(bytes.extracting(range))
        index = range.upperBound
      case .needsMoreBytes:
        rest = .chunked(decoder)
        return bytes.count
      case .finished(let end):
        rest = .nothing
        return end
      }
    }
  }
}
