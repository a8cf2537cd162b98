import Dispatch
import Foundation
import Logging
import Synchronization

/// What systemd is told of this service: that it is ready, that it reloads, that it leaves, and, as often as it wants to hear it, that it
/// lives (sd_notify(3), sd_watchdog_enabled(3)). Where nobody listens, nothing is said.
///
/// A class because it owns the watchdog's timer. A manager that can't be told is a warning in the log and no reason to stop.
package final class ServiceState: Sendable {
  private let socket: NotifySocket?
  /// How often systemd wants to hear from us at least; nil where it does not count.
  private let watchdogSeconds: Double?
  private let logger: Logger
  private let isLeaving = Mutex(false)

  /// Takes its variables out of the environment: what children say is not ours.
  package convenience init(logger: Logger) {
    self.init(environment: ProcessInfo.processInfo.environment, logger: logger)
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { forgetVariable(name) }
  }

  private init(environment: [String: String], logger: Logger) {
    self.logger = logger
    do throws(NotifyError) {
      socket = try environment["NOTIFY_SOCKET"].map { address throws(NotifyError) in try NotifySocket(address) }
    } catch {
      logger.warning("systemd is told nothing: \(error)")
      socket = nil
    }
    // A process that has inherited the variables from the one that is watched is not the one.
    let isWatched = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    let microseconds = isWatched ? environment["WATCHDOG_USEC"].flatMap { UInt64($0) } ?? 0 : 0
    watchdogSeconds = microseconds > 0 ? Double(microseconds) / 1e6 : nil
  }

  /// The start is over, or the reload. `systemctl status` shows `status`.
  package func isReady(_ status: String) { tell(["READY=1", "STATUS=\(status)"]) }

  /// What is loaded anew is not in force yet; `isReady` follows.
  package func reloads() {
    // By the clock that systemd asks for: CLOCK_MONOTONIC.
    tell(["RELOADING=1", "MONOTONIC_USEC=\(monotonicMicroseconds())"])
  }

  /// From now on nothing but signs of life is told. The leaving may take so long, whatever the unit says of it.
  package func leaves(withinSeconds seconds: Double) {
    tell(["STOPPING=1", "STATUS=Jobs write their checkpoints", "EXTEND_TIMEOUT_USEC=\(UInt64(seconds * 1e6))"])
    isLeaving.withLock { $0 = true }
  }

  /// Says that the service lives, twice in the time that systemd gives it, each time that `proof` has called back.
  package func keepTelling(after proof: @escaping @Sendable (_ completion: @escaping @Sendable () -> Void) -> Void) {
    guard let socket, let watchdogSeconds else { return }
    // On the queue of the signals' handlers, so that it is seen to turn, too.
    let timer = DispatchSource.makeTimerSource(queue: .main)
    timer.schedule(deadline: .now(), repeating: watchdogSeconds / 2)
    // The handler holds its source, which would end with the last reference.
    timer.setEventHandler { [logger] in withExtendedLifetime(timer) { proof { Self.tell(["WATCHDOG=1"], socket, logger) } } }
    timer.activate()
  }

  private func tell(_ lines: [String]) {
    guard let socket, !isLeaving.withLock({ $0 }) else { return }
    Self.tell(lines, socket, logger)
  }

  private static func tell(_ lines: [String], _ socket: NotifySocket, _ logger: Logger) {
    do throws(NotifyError) {
      try socket.send(lines)
    } catch {
      logger.warning("systemd was not told \(lines[0]): \(error)")
    }
  }
}
