import Synchronization

/// How many connections all shards hold together. A class because it is one number for them all.
final class ConnectionCount: Sendable {
  private let count = Atomic<Int>(0)

  func increment() -> Int { count.add(1, ordering: .relaxed).newValue }
  var value: Int { count.load(ordering: .relaxed) }
  func decrement() { count.subtract(1, ordering: .relaxed) }
}

/// How many connections each client's network holds, in all shards together. A class because it has a lock.
final class NetworkCount: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func increment(_ network: String) -> Int {
    counts.withLock { counts in
      counts[network, default: 0] += 1
      return counts[network] ?? 0
    }
  }

  /// What holds none is forgotten.
  func decrement(_ network: String) {
    counts.withLock { counts in
      guard let count = counts[network], count > 1 else { return counts[network] = nil }
      counts[network] = count - 1
    }
  }
}
