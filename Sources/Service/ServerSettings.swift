import HTTP

extension ServiceConfiguration {
  /// What the HTTP server is told of it.
  package var server: ServerConfiguration {
    var server = ServerConfiguration()
    server.host = host
    server.port = port
    server.shards = shards
    server.limits.connectionsMax = connectionsMax
    server.limits.headBytesMax = headBytesMax
    server.timeouts.headSeconds = Double(headSecondsMax)
    server.timeouts.idleSeconds = Double(idleSecondsMax)
    return server
  }
}
