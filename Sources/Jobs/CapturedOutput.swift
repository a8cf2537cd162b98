import CSystem
import Dispatch
import Foundation

/// Reads one pipe of a child, as far as its limit, on the owner's queue.
///
/// `@unchecked Sendable`: everything in it is touched on `queue` alone, by its source's handler and by `finish`.
final class CapturedOutput: @unchecked Sendable {
  private let descriptor: Int32
  private let bytesMax: Int
  private let source: any DispatchSourceRead
  private var captured = CapturedBytes()
  /// The descriptor is closed, or about to be, and its number may be another's.
  private var isOver = false

  /// - Parameter descriptor: non-blocking, and this object's from now on.
  init(_ descriptor: Int32, bytesMax: Int, queue: DispatchQueue) {
    self.descriptor = descriptor
    self.bytesMax = bytesMax
    source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setEventHandler { [weak self] in self?.drain() }
    source.setCancelHandler { close(descriptor) }
    source.activate()
  }

  /// What there is, after the child has ended. A grandchild that still holds the pipe is not waited for.
  func finish() -> CapturedBytes {
    drain()
    end()
    return captured
  }

  private func end() {
    isOver = true
    source.cancel()
  }

  /// Reads what is there, in a bounded number of rounds, so that a chatty child can't hold the queue.
  private func drain() {
    guard !isOver else { return }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    for _ in 0..<64 {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 {
        // At the end of the file the source would fire for ever.
        if count == 0 { end() }
        return
      }
      let room = bytesMax - captured.bytes.count
      captured.bytes += buffer.prefix(min(count, room))
      if count > room { captured.isCut = true }
    }
  }
}
