import Dispatch
import Foundation
import HTTP
import Logging
import Service
import Synchronization
import Systemd

/// The service with its HTTP server, and how both leave. A class because the signals' handlers share it.
final class RunningServer: Sendable {
  private let service: FountService
  private let server: Server
  private let configuration: ServiceConfiguration
  private let logger: Logger
  private let state: ServiceState
  private let firstSignal = Mutex<Int32?>(nil)

  var port: Int { server.port }

  init(_ configuration: ServiceConfiguration) throws {
    self.configuration = configuration
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    var logger = Logger(label: "fount")
    logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
    self.logger = logger
    // Before there are children, who get our environment.
    state = ServiceState(logger: logger)
    // The program's own file, whatever name it was started by, also after an upgrade has replaced it on disk.
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let service = try FountService(configuration, executable: executable, logger: logger)
    self.service = service
    var listening = configuration.server
    listening.limits.storage = service.storage
    server = try Server(
      configuration: listening, routes: service.routes, problem: FountService.response, admit: { service.admit(&$0) },
      decorate: { service.decorate(&$0, to: $1) }, observe: service.observe, logger: logger)
    service.ask(server)
    try server.start()
    try service.start()
  }

  /// What systemd waits for, and hears as long as every shard comes round. The last step of a start: signals have their handlers.
  func tellReady() {
    state.isReady(status)
    state.keepTelling { [server] in server.comeRound(completion: $0) }
  }

  private var status: String { "Listens on \(configuration.address(port: port))" }

  /// SIGTERM and SIGINT drain. A second one leaves at once, but for a SIGTERM after a SIGINT: a script that is ended by Ctrl-C tells us so
  /// after the terminal has.
  /// - Parameter status: of the program then, by the signal's number.
  func leaveOnSignals(status: @escaping @Sendable (Int32) -> Int32 = { _ in 0 }) {
    for number in [SIGTERM, SIGINT] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
      // The handler holds its source, which would end with the last reference.
      source.setEventHandler { withExtendedLifetime(source) { self.leave(on: number, status: status(number)) } }
      source.activate()
    }
  }

  /// SIGHUP loads certificates and their keys anew, as an operator's tool does after it has renewed them.
  func reloadOnSignal() {
    signal(SIGHUP, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .main)
    // The handler holds its source, which would end with the last reference.
    source.setEventHandler {
      withExtendedLifetime(source) {
        self.state.reloads()
        defer { self.state.isReady(self.status) }
        do {
          try self.server.reloadCertificates()
          self.logger.notice("certificates and keys are loaded anew")
        } catch {
          self.logger.error("certificates and keys stay as they were: \(error)")
        }
      }
    }
    source.activate()
  }

  /// What of the time is the workers', for their checkpoints; the rest is for what they leave undone and for the last answers. Chosen.
  private static let workersShare = 0.75
  /// What the record has for its last write, beyond the time of the drain. Chosen.
  private static let lastSeconds = 5.0

  /// While workers write their checkpoints the server still answers, `/readyz` with a 503; then it closes.
  private func leave(on number: Int32, status: Int32) {
    let first = firstSignal.withLock { first in
      defer { first = first ?? number }
      return first
    }
    if let first {
      if number == SIGINT || first == SIGTERM { exit(128 + number) }
      return
    }
    end(status: status)
  }

  /// Drains, and ends the program.
  func end(status: Int32) {
    logger.notice("leaving: jobs write their checkpoints and wait for the next start")
    let seconds = Double(configuration.drainSecondsMax)
    let end = ContinuousClock.now + .seconds(seconds)
    state.leaves(withinSeconds: seconds + Self.lastSeconds)
    service.drain(seconds: seconds * Self.workersShare) {
      self.server.drain(seconds: max(0, ContinuousClock.now.duration(to: end) / .seconds(1))) {
        self.service.close()
        exit(status)
      }
    }
    // A thread that sleeps by the uptime: a semaphore's timeout is by the time of day here, which may be set meanwhile.
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: seconds + Self.lastSeconds)
      exit(1)
    }
  }
}
