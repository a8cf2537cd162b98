import Dispatch
import Logging
import Synchronization

/// An HTTP/1.1 server: some shards on one port. A class because it owns its sockets.
///
/// Once started it lives until it is drained. Handlers run on the shards' queues and must return at once. The server ignores
/// SIGPIPE for the whole process, which child processes inherit.
package final class Server: Sendable {
  /// Builds the answer to a fault of the protocol; told the request's path, empty where its head was not understood, and its id.
  package typealias Problem = @Sendable (_ fault: HTTPFault, _ path: String, _ requestID: String) -> Response
  /// Sees every head before the route and the body, and may answer in their place.
  ///
  /// It may set the head's principal, for those who come after.
  package typealias Admission = @Sendable (inout RequestHead) -> Response?
  /// Sees every answer before its head is sent, and may add to its fields; told the request's head where it was understood.
  package typealias Decoration = @Sendable (inout Response, RequestHead?) -> Void

  /// Told of every answer once it is whole, or cut off; called on a shard, it must return at once.
  package typealias Observation = @Sendable (AnsweredRequest) -> Void

  private let context: ServerContext
  private let address: SocketAddress
  private let state = Mutex(State())

  private struct State {
    var shards: [Shard] = []
    var port = 0
  }

  package init(
    configuration: ServerConfiguration, routes: [Route], problem: @escaping Problem = HTTPFault.plainText, admit: Admission? = nil,
    decorate: Decoration? = nil, observe: Observation? = nil, logger: Logger
  ) throws {
    guard let port = UInt16(exactly: configuration.port) else {
      throw ServerConfigurationError("the port \(configuration.port) is not in 0…65535")
    }
    guard let address = SocketAddress(host: configuration.host, port: port) else {
      throw ServerConfigurationError("the host \(configuration.host) is neither a numeric address nor localhost")
    }
    guard (1...1024).contains(configuration.shards) else {
      throw ServerConfigurationError("the shards are not 1…1024 but \(configuration.shards)")
    }
    self.address = address
    context = try ServerContext(
      configuration: configuration, router: Router(routes), problem: problem, admit: admit, decorate: decorate, observe: observe,
      logger: logger)
  }

  /// Binds and listens; when it returns, connections are accepted.
  package func start() throws {
    ignoreBrokenPipes()
    let listeners = try listeners()
    do {
      for listener in listeners { try listener.listen() }
      // Only now: a second server, started by mistake, must not sweep the folders of the first.
      for folder in context.router.bodyFolders { try UploadFile.prepare(folder) }
      var shards: [Shard] = []
      for (index, listener) in listeners.enumerated() { shards.append(try Shard(index, context: context, listener: listener)) }
      let port = try SocketAddress(boundTo: listeners[0].descriptor).port
      state.withLock { state in
        precondition(state.shards.isEmpty, "a server starts once")
        state = State(shards: shards, port: Int(port))
      }
      for shard in shards { shard.start() }
    } catch {
      for listener in listeners { listener.descriptor.close() }
      throw error
    }
  }

  /// A shared port can be shared with another process of the same user, which would then get some of our connections. So the port is
  /// first bound alone, which fails when anyone listens there.
  private func listeners() throws(SystemCallError) -> [Listener] {
    let count = context.configuration.shards
    let alone = try Listener(address: address, sharing: false)
    if count == 1 { return [alone] }
    var listeners = [alone]
    do throws(SystemCallError) {
      let bound = try SocketAddress(boundTo: alone.descriptor)
      listeners.removeFirst().descriptor.close()
      for _ in 0..<count { listeners.append(try Listener(address: bound, sharing: true)) }
      return listeners
    } catch {
      for listener in listeners { listener.descriptor.close() }
      throw error
    }
  }

  /// The port that is listened on; 0 before the start.
  package var port: Int { state.withLock { $0.port } }

  /// How busy it is.
  package var load: ServerLoad {
    ServerLoad(
      connections: context.connectionCount.value, handshakes: context.handshakeCount.value,
      shards: state.withLock { $0.shards }.map { $0.load.take() })
  }

  /// Calls back once every shard has come round: it has waited for its set's events and got to ours, so that it answers requests, too.
  package func comeRound(completion: @escaping @Sendable () -> Void) {
    let group = DispatchGroup()
    for shard in state.withLock({ $0.shards }) {
      group.enter()
      shard.inbox.post { group.leave() }
    }
    group.notify(queue: .global()) { completion() }
  }

  /// Loads certificates and keys anew, for the connections to come; where one can't be used, the ones before stay.
  package func reloadCertificates() throws { try context.certificates?.reload() }

  /// Stops accepting, lets requests in flight finish with `Connection: close`, cuts what is left after `seconds`, then calls `completion`.
  ///
  /// May be called again, with less time.
  package func drain(seconds: Double, completion: @escaping @Sendable () -> Void) {
    let group = DispatchGroup()
    for shard in state.withLock({ $0.shards }) {
      group.enter()
      shard.queue.async { shard.drain(seconds: seconds) { group.leave() } }
    }
    group.notify(queue: .global()) { completion() }
  }
}

/// A configuration that no server can have.
package struct ServerConfigurationError: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
