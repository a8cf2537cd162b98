import Foundation
import HTTP
import Synchronization

/// Makes the bodies of `/stream`, and lets a test write to the one that was made last.
///
/// `?parts=3&bytes=10` writes so many parts of so many bytes, each when there is room, and ends; `beat=0.1` has a heartbeat.
final class TestStreams: Sendable {
  /// Signalled when a stream has room; the test's own writes are by then all sent.
  let hasRoom = DispatchSemaphore(value: 0)
  /// Signalled when a stream has ended, however.
  let ended = DispatchSemaphore(value: 0)
  private let current = Mutex<ResponseStream?>(nil)
  private let partsWritten = Mutex(0)

  var latest: ResponseStream? { current.withLock { $0 } }
  /// Of the stream that was made last.
  var written: Int { partsWritten.withLock { $0 } }

  func answer(to request: Request) -> Response {
    let query = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
    let parts = query["parts"].flatMap { Int($0) }
    let part = [UInt8](repeating: UInt8(ascii: "x"), count: query["bytes"].flatMap { Int($0) } ?? 1)
    partsWritten.withLock { $0 = 0 }
    let stream = ResponseStream(
      bytesMax: 1 << 20,
      heartbeat: query["beat"].flatMap { Double($0) }.map { .init(bytes: Array(":\n\n".utf8), seconds: $0) },
      onRoom: { [weak self] _ in self?.room(parts, part) }, onEnd: { [ended] in ended.signal() })
    current.withLock { $0 = stream }
    return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: .stream(stream))
  }

  private func room(_ parts: Int?, _ part: [UInt8]) {
    hasRoom.signal()
    guard let parts, let stream = latest else { return }
    let number = partsWritten.withLock { written in
      written += 1
      return written
    }
    if number > parts { stream.finish() } else { stream.write(part) }
  }
}
