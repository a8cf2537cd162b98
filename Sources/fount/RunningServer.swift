import Dispatch
import Foundation
import HTTP
import Logging
import Service
import Synchronization

/// The service with its HTTP server, and how both leave. A class because the signals' handlers share it.
final class RunningServer: Sendable {
  private let service: FountService
  private let server: Server
  private let configuration: ServiceConfiguration
  private let logger: Logger
  private let signalsSeen = Atomic(0)

  var port: Int { server.port }

  init(_ configuration: ServiceConfiguration) throws {
    self.configuration = configuration
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    var logger = Logger(label: "fount")
    logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
    self.logger = logger
    // The program's own file, whatever name it was started by, also after an upgrade has replaced it on disk.
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let service = try FountService(configuration, executable: executable, logger: logger)
    self.service = service
    server = try Server(
      configuration: configuration.server, routes: service.routes, problem: FountService.response, admit: service.admit, logger: logger)
    try server.start()
    try service.start()
  }

  /// SIGTERM and SIGINT drain. A later SIGINT leaves at once; a later SIGTERM changes nothing, for a script that is ended by Ctrl-C tells
  /// us so after the terminal has.
  func leaveOnSignals() {
    for number in [SIGTERM, SIGINT] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
      // The handler holds its source, which would end with the last reference.
      source.setEventHandler { withExtendedLifetime(source) { self.leave(on: number) } }
      source.activate()
    }
  }

  /// Workers are asked for their checkpoints first, for that takes longest, while the last requests are answered.
  private func leave(on number: Int32) {
    guard signalsSeen.add(1, ordering: .relaxed).oldValue == 0 else {
      if number == SIGINT { exit(130) }
      return
    }
    logger.notice("leaving: jobs write their checkpoints and wait for the next start")
    let left = DispatchGroup()
    left.enter()
    left.enter()
    service.drain { left.leave() }
    server.drain(seconds: Double(configuration.drainSecondsMax)) { left.leave() }
    let deadline = DispatchTime.now() + .seconds(configuration.drainSecondsMax + 5)
    Thread.detachNewThread { exit(left.wait(timeout: deadline) == .success ? 0 : 1) }
  }
}
