import Logging

/// An HTTP/1.1 server. A class because it owns its sockets.
package final class Server: Sendable {
  /// Builds the answer to a fault of the protocol; told the request's id.
  package typealias Problem = @Sendable (HTTPFault, String) -> Response
  /// Sees every head before the route and the body, and may answer in their place.
  package typealias Admission = @Sendable (RequestHead) -> Response?

  package init(
    configuration: ServerConfiguration, routes: [Route], problem: @escaping Problem = HTTPFault.plainText, admit: Admission? = nil,
    logger: Logger
  ) throws {
  }

  /// Binds and listens; when it returns, connections are accepted.
  package func start() throws {}

  /// The port that is listened on; 0 before the start.
  package var port: Int { 0 }

  /// Stops accepting, lets requests in flight finish with `Connection: close`, cuts what is left after `seconds`, then calls `completion`.
  package func drain(seconds: Double, completion: @escaping @Sendable () -> Void) { completion() }
}
