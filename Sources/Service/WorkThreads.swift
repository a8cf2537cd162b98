import Foundation
import Synchronization

/// A few threads for the endpoints' short blocking work: reading the record, writing it, hashing an upload.
///
/// Not Dispatch's: blocking its threads starves the shards' queues. Nothing that may take long runs here; training, drawing and decoding
/// are done by child processes. A class because it owns the threads.
final class WorkThreads: Sendable {
  private let waiting = Mutex<[@Sendable () -> Void]>([])
  private let ready = DispatchSemaphore(value: 0)
  private let waitingMax: Int

  /// - Parameter waitingMax: what may wait for a thread; beyond that `submit` refuses.
  init(count: Int, waitingMax: Int) {
    self.waitingMax = waitingMax
    for index in 0..<count {
      let thread = Thread { [weak self] in self?.run() }
      thread.name = "fount-work-\(index)"
      thread.start()
    }
  }

  /// Runs `work` on one of the threads; false where too much waits already.
  func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
    let isTaken = waiting.withLock { waiting in
      guard waiting.count < waitingMax else { return false }
      waiting.append(work)
      return true
    }
    if isTaken { ready.signal() }
    return isTaken
  }

  /// How many wait.
  var depth: Int { waiting.withLock { $0.count } }

  private func run() {
    while true {
      ready.wait()
      waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }?()
    }
  }
}
