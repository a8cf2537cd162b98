import Dispatch
import Foundation
import Synchronization

/// Whether a run has been told to stop. A class: several threads share its flag, an atomic.
///
/// A run asks once a batch, so that it ends at a border between two steps with a checkpoint of just that moment.
package final class StopRequest: Sendable {
  private let hasBeenMade = Atomic<Bool>(false)
  private let checksLeft: Atomic<Int>
  private let heedsTermination: Bool

  /// - Parameters:
  ///   - checks: makes the request by itself when it has been asked for so many times, as a drill that stops a run at a known step.
  ///   - heedsTermination: takes SIGTERM for a request, once `Termination.heed()` was called.
  package init(afterChecks checks: Int = .max, heedsTermination: Bool = false) {
    checksLeft = Atomic(checks)
    self.heedsTermination = heedsTermination
  }

  package var isMade: Bool {
    if checksLeft.subtract(1, ordering: .relaxed).newValue < 0 { make() }
    return hasBeenMade.load(ordering: .relaxed) || heedsTermination && Termination.isAsked
  }

  package func make() { hasBeenMade.store(true, ordering: .relaxed) }
}

/// SIGTERM as a flag rather than an end.
///
/// A handler and not a source of Dispatch: such a source begins to listen some time after it was resumed, and a signal that is ignored
/// until then is lost.
package enum Termination {
  private static let flag = Atomic<Bool>(false)

  package static var isAsked: Bool { flag.load(ordering: .relaxed) }

  /// From now on SIGTERM ends nothing by itself.
  package static func heed() {
    _ = isAsked  // The flag is there before a handler, which may not allocate, can touch it.
    signal(SIGTERM) { _ in Termination.flag.store(true, ordering: .relaxed) }
  }
}

/// Turns the end of a lifeline into a request to stop, as long as it lives. A class: it owns a source.
package final class Lifeline {
  private let source: (any DispatchSourceRead)?

  /// - Parameter descriptor: a pipe or socket whose other end the server holds, so that it ends with the server. Anything else, such as a
  ///   terminal or the null device of a batch system, is left alone.
  package init(_ descriptor: Int32, for request: StopRequest) {
    source = Self.canEnd(descriptor) ? Self.watch(descriptor, for: request) : nil
  }

  deinit { source?.cancel() }

  /// Ends this process as soon as the lifeline does, whatever it is at: for children that have nothing to keep. A thread of its own, for
  /// the others may be deep in work.
  package static func exitAtEnd(of descriptor: Int32) {
    guard canEnd(descriptor) else { return }
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while true {
        let count = read(descriptor, &byte, 1)
        if count == 0 || count < 0 && errno != EINTR && errno != EAGAIN { _exit(EX_TEMPFAIL) }
      }
    }
  }

  /// sysexits.h
  private static let EX_TEMPFAIL: Int32 = 75

  private static func canEnd(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFIFO || status.st_mode & S_IFMT == S_IFSOCK
  }

  private static func watch(_ descriptor: Int32, for request: StopRequest) -> any DispatchSourceRead {
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "lifeline"))
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
