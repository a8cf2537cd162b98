import Dispatch
import Foundation
import Synchronization

/// Whether a run has been told to stop. A class: several threads share its one flag, an atomic.
///
/// A run asks once a batch, so that it ends at a border between two steps with a checkpoint of just that moment.
package final class StopRequest: Sendable {
  private let hasBeenMade = Atomic<Bool>(false)
  private let checksLeft: Atomic<Int>

  /// - Parameter checks: makes the request by itself when it has been asked for so many times, as a drill that stops a run at a known
  ///   step.
  package init(afterChecks checks: Int = .max) { checksLeft = Atomic(checks) }

  package var isMade: Bool {
    if checksLeft.subtract(1, ordering: .relaxed).newValue < 0 { make() }
    return hasBeenMade.load(ordering: .relaxed)
  }

  package func make() { hasBeenMade.store(true, ordering: .relaxed) }
}

/// Turns SIGTERM and the end of a lifeline into a request to stop, as long as it lives. A class: it owns the two sources.
package final class StopListener {
  private let signals: any DispatchSourceSignal
  private var lifeline: (any DispatchSourceRead)?

  /// - Parameter lifelineDescriptor: a pipe or socket whose other end the server holds, so that it ends with the server. Anything else,
  ///   such as a terminal or the null device of a batch system, is left alone.
  package init(for request: StopRequest, lifelineDescriptor: Int32) {
    let queue = DispatchQueue(label: "stop")
    signals = DispatchSource.makeSignalSource(signal: SIGTERM, queue: queue)
    signals.setEventHandler { request.make() }
    // A source listens only some time after `resume`. Ignoring the signal, without which its default action would end the process, is
    // left until then: one that comes earlier ends a process that has not begun, rather than being lost.
    let listens = DispatchSemaphore(value: 0)
    signals.setRegistrationHandler { listens.signal() }
    signals.resume()
    listens.wait()
    signal(SIGTERM, SIG_IGN)
    if Self.canEnd(lifelineDescriptor) { lifeline = Self.watch(lifelineDescriptor, for: request, on: queue) }
  }

  deinit {
    signals.cancel()
    lifeline?.cancel()
  }

  private static func canEnd(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFIFO || status.st_mode & S_IFMT == S_IFSOCK
  }

  private static func watch(_ descriptor: Int32, for request: StopRequest, on queue: DispatchQueue) -> any DispatchSourceRead {
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setEventHandler {
      // Nothing is ever written on it; a failing read is the end as well.
      var bytes = [UInt8](repeating: 0, count: 256)
      let count = read(descriptor, &bytes, 256)
      if count == 0 || count < 0 && errno != EINTR && errno != EAGAIN {
        request.make()
        source.cancel()
      }
    }
    source.resume()
    return source
  }
}
