import Foundation
import HTTP
import Service
import Testing

/// A server in this process, so that it can be looked at between its parts' beginnings.
@Suite struct `A server that starts` {
  @Test func `is alive at once, and ready when it has taken up what waits`() throws {
    let folder = try TemporaryFolder()
    var configuration = ServiceConfiguration()
    (configuration.data, configuration.database, configuration.workers) = (folder.path, folder.path, 0)
    let service = try FountService(configuration, executable: FountProcess.executable, logger: .init(label: "test"))
    var listening = configuration.server
    listening.port = 0
    let server = try Server(
      configuration: listening, routes: service.routes, problem: FountService.response, admit: service.admit, logger: .init(label: "test"))
    try server.start()
    defer { server.drain(seconds: 0) {} }
    func ask(_ path: String) throws -> Answer { try KeptConnection(port: server.port).ask("GET", path) }
    let starting = try ask("/readyz")
    #expect(starting.status == 503 && starting.headers["retry-after"] != nil && starting.text.contains("starting"))
    #expect(try ask("/livez").status == 200)
    try service.start()
    #expect(try ask("/readyz").status == 200)
  }
}
