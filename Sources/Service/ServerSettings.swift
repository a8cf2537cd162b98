import HTTP

extension ServiceConfiguration {
  /// Where the server is found, once it has its port. RFC 3986 §3.2.2: an IPv6 address stands in brackets.
  package func address(port: Int) -> String {
    "\(tlsCertificates.isEmpty ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  /// Whether only programs of this machine can reach it.
  var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" }

  /// What each worker is told of its limits.
  var workerLimits: [String] {
    let processor = workerProcessorSecondsMax == 0 ? [] : ["--processor-seconds", String(workerProcessorSecondsMax)]
    return ["--memory-bytes", String(workerMemoryBytesMax)] + processor
  }

  /// What the HTTP server is told of it.
  package var server: ServerConfiguration {
    var server = ServerConfiguration()
    server.host = host
    server.port = port
    server.shards = shards
    server.tls = zip(tlsCertificates, tlsKeys).map { TLSFiles(certificate: $0, key: $1) }
    server.limits.connectionsMax = connectionsMax
    server.limits.connectionsPerAddressMax = connectionsPerAddressMax
    server.limits.headBytesMax = headBytesMax
    server.timeouts.headSeconds = Double(headSecondsMax)
    server.timeouts.idleSeconds = Double(idleSecondsMax)
    return server
  }
}
