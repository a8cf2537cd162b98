import HTTP
import Synchronization

/// How many requests each route has answered, how, and how long they took.
///
/// A class because it has a lock; every shard counts into it. Its size is bounded: routes, methods and statuses are few.
final class RequestMetrics: Sendable {
  struct Series: Hashable {
    let method: String
    /// The route's pattern; empty for what no route answered.
    let route: String
    let status: Int
  }

  struct Histogram: Sendable {
    /// Of each bound alone, not of those below it.
    var counts = [Int](repeating: 0, count: boundsSeconds.count + 1)
    var sumSeconds = 0.0

    var count: Int { counts.reduce(0, +) }
  }

  /// From an answer out of memory to an upload; chosen, so that a factor of three to five lies between two.
  static let boundsSeconds = [0.0005, 0.0025, 0.01, 0.05, 0.25, 1, 5, 30, 120]

  private struct Contents {
    var histograms: [Series: Histogram] = [:]
    var cutOff = 0
  }

  private let contents = Mutex(Contents())

  func count(_ answered: AnsweredRequest) {
    let series = Series(method: answered.head?.method.rawValue ?? "", route: answered.pattern ?? "", status: answered.status)
    let index = Self.boundsSeconds.firstIndex { answered.seconds <= $0 } ?? Self.boundsSeconds.count
    contents.withLock { contents in
      contents.histograms[series, default: Histogram()].counts[index] += 1
      contents.histograms[series, default: Histogram()].sumSeconds += answered.seconds
      if answered.isCutOff { contents.cutOff += 1 }
    }
  }

  /// All series, in an order of their own, and how many answers were cut off.
  func taken() -> (series: [(Series, Histogram)], cutOff: Int) {
    let contents = contents.withLock { $0 }
    let sorted = contents.histograms.sorted { a, b in
      (a.key.route, a.key.method, a.key.status) < (b.key.route, b.key.method, b.key.status)
    }
    return (sorted.map { ($0.key, $0.value) }, contents.cutOff)
  }
}
