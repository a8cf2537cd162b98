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
  @Option(help: "A certificate chain, PEM; TLS is spoken with it. May be given again, each with its key.") var cert: [String] = []
  @Option(help: "The key of a certificate, PEM, in the certificates' order. SIGHUP loads all anew.") var key: [String] = []

  func validate() throws {
    guard cert.count == key.count else { throw ValidationError("--cert and --key come in pairs") }
  }

  func run() throws {
    var configuration = ServerConfiguration()
    configuration.port = port
    configuration.shards = shards
    configuration.tls = zip(cert, key).map { TLSFiles(certificate: $0, key: $1) }
    configuration.limits.handshakesMax = 4096
    configuration.limits.connectionsMax = 65_536
    let uploads = FileManager.default.temporaryDirectory.path + "/reference-server-\(ProcessInfo.processInfo.processIdentifier)"
    let logger = Logger(label: "reference-server")
    let server = try Server(configuration: configuration, routes: Self.routes(uploads: uploads), logger: logger)
    try server.start()
    Self.on(SIGHUP) {
      do { try server.reloadCertificates() } catch { logger.error("the certificates stay as they are: \(error)") }
    }
    for number in [SIGTERM, SIGINT] { Self.on(number) { Self.leave(server, uploads: uploads) } }
    print("\(cert.isEmpty ? "http" : "https")://127.0.0.1:\(server.port)")
    fflush(nil)
    dispatchMain()
  }

  private static func on(_ number: Int32, _ action: @escaping @Sendable () -> Void) {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
    // The handler holds its source, which would end with the last reference.
    source.setEventHandler { withExtendedLifetime(source) { action() } }
    source.activate()
  }

  /// Lets requests in flight finish.
  private static func leave(_ server: Server, uploads: String) {
    server.drain(seconds: 5) {
      try? FileManager.default.removeItem(atPath: uploads)  // A leftover in the temporary folder harms nobody.
      Foundation.exit(0)
    }
  }
}
