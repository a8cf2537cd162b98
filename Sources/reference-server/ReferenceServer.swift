import ArgumentParser
import Dispatch
import Foundation
import HTTP
import HTTPTypes
import Logging

/// The `HTTP` target alone, with a few routes: to be measured beside other servers, and held against their test suites.
@main struct ReferenceServer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference-server", abstract: "Serves a few fixed answers by Fount's HTTP server, without Fount.")

  @Option(help: "The TCP port on the loopback address; 0 takes any free one.") var port = 8080
  @Option(help: "Event loops that serve connections.") var shards = 1

  func run() throws {
    var configuration = ServerConfiguration()
    configuration.port = port
    configuration.shards = shards
    configuration.limits.connectionsMax = 65_536
    let uploads = FileManager.default.temporaryDirectory.path + "/reference-server-\(ProcessInfo.processInfo.processIdentifier)"
    let server = try Server(configuration: configuration, routes: Self.routes(uploads: uploads), logger: Logger(label: "reference-server"))
    try server.start()
    Self.leaveOnSignals(server, uploads: uploads)
    print("http://127.0.0.1:\(server.port)")
    fflush(nil)
    dispatchMain()
  }

  /// SIGTERM and SIGINT let requests in flight finish.
  private static func leaveOnSignals(_ server: Server, uploads: String) {
    for number in [SIGTERM, SIGINT] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
      // The handler holds its source, which would end with the last reference.
      source.setEventHandler {
        withExtendedLifetime(source) {
          server.drain(seconds: 5) {
            try? FileManager.default.removeItem(atPath: uploads)  // A leftover in the temporary folder harms nobody.
            Foundation.exit(0)
          }
        }
      }
      source.activate()
    }
  }
}
