/// Where a server listens, and every bound it keeps.
package struct ServerConfiguration: Sendable {
  /// A numeric address, or `localhost`.
  package var host = "127.0.0.1"
  /// 0 lets the system choose; `Server.port` tells.
  package var port = 8080
  package var shards = 1
  /// Certificates with their keys; the first is shown to clients that name none of the others' hosts. Without any, TLS is not spoken.
  package var tls: [TLSFiles] = []
  package var limits = Limits()
  package var timeouts = Timeouts()

  package init() {}

  /// What a client may send, and how many may.
  package struct Limits: Sendable {
    /// Asked after every megabyte of a body: why no more is taken now, or nil. Called on a connection's shard: it must return at once.
    package var storage: (@Sendable () -> HTTPFault?)?
    /// In all shards together; those beyond get a 503.
    package var connectionsMax = 4096
    /// Of one IPv4 address, or of one IPv6 network of 64 bits, whose owner has as many addresses as it likes; those beyond get a 503.
    package var connectionsPerAddressMax = 4096
    /// Connections that have not ended their TLS handshake, in all shards together; those beyond are cut.
    package var handshakesMax = 256
    package var lineBytesMax = 16 << 10
    package var headBytesMax = 32 << 10
    package var fieldsMax = 100
    /// In one body together.
    package var chunkExtensionBytesMax = 4 << 10
    package var trailerBytesMax = 8 << 10
    package var formPartsMax = 64
    package var formPartHeadBytesMax = 8 << 10

    package init() {}
  }

  /// How long a client may take.
  package struct Timeouts: Sendable {
    /// From a connection's first moment to the end of its TLS handshake.
    package var handshakeSeconds = 10.0
    /// From a head's first byte to its last.
    package var headSeconds = 10.0
    /// Between requests on one connection.
    package var idleSeconds = 60.0
    /// What a body may take beside its bytes at the least rate; also the longest pause within one.
    package var bodySeconds = 30.0
    /// The same for an answer on its way out.
    package var writeSeconds = 30.0
    /// The least rate of a body in either direction.
    package var bytesPerSecondMin = 1024.0
    /// How long a connection that was refused is still read, so that the refusal is not lost to a reset.
    package var lingerSeconds = 2.0

    package init() {}
  }
}
