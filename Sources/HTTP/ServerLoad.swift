import Synchronization

/// How busy a server is.
package struct ServerLoad: Sendable {
  package struct Shard: Sendable {
    /// Of all rounds since the start.
    package let busySeconds: Double
    /// The longest round since the last look: what an event may have waited.
    package let longestRoundSeconds: Double
  }

  package let connections: Int
  /// Of the connections, those that have not ended their TLS handshake.
  package let handshakes: Int
  package let shards: [Shard]
}

/// How long a shard's rounds take. A class because one thread counts and another looks.
final class ShardLoad: Sendable {
  private let busyNanoseconds = Atomic<UInt64>(0)
  private let longestNanoseconds = Atomic<UInt64>(0)

  func count(round nanoseconds: UInt64) {
    busyNanoseconds.add(nanoseconds, ordering: .relaxed)
    longestNanoseconds.max(nanoseconds, ordering: .relaxed)
  }

  func take() -> ServerLoad.Shard {
    ServerLoad.Shard(
      busySeconds: Double(busyNanoseconds.load(ordering: .relaxed)) / 1e9,
      longestRoundSeconds: Double(longestNanoseconds.exchange(0, ordering: .relaxed)) / 1e9)
  }
}
