import Foundation
import HTTPTypes
import Synchronization

/// How many requests each key has made, and may still make: so many a second on average, so many a day.
///
/// A class because it has a lock; every shard asks it.
final class RequestMeter: Sendable {
  /// What a key has left, as the `RateLimit` fields tell it.
  struct Allowance: Sendable, Equatable {
    /// Nil where a request may be made.
    var waitSeconds: Int?
    /// The limit that is nearer to its end.
    var policy: String
    var remaining: Int
    var resetSeconds: Int
  }

  private struct Use {
    /// Requests that may be made at once: one second's worth at most.
    var tokens: Double
    var filledAt: Double
    var day: Int
    var today = 0
  }

  private let perSecondMax: Int
  private let perDayMax: Int
  private let uses = Mutex<[String: Use]>([:])
  private static let daySeconds = 86_400

  init(perSecondMax: Int, perDayMax: Int) {
    self.perSecondMax = perSecondMax
    self.perDayMax = perDayMax
  }

  /// Counts a request of the key, if it may be made.
  /// - Parameter now: seconds since 1970; days are those of UTC.
  func take(_ key: String, now: Double = Date().timeIntervalSince1970) -> Allowance {
    uses.withLock { uses in
      var use = current(uses[key], now)
      let allowance: Allowance
      if use.today >= perDayMax {
        allowance = left(use, now, waitSeconds: secondsLeft(of: use.day, now))
      } else if use.tokens < 1 {
        allowance = left(use, now, waitSeconds: 1)
      } else {
        use.tokens -= 1
        use.today += 1
        allowance = left(use, now, waitSeconds: nil)
      }
      uses[key] = use
      return allowance
    }
  }

  /// What is left, without counting anything.
  func allowance(of key: String, now: Double = Date().timeIntervalSince1970) -> Allowance {
    left(uses.withLock { current($0[key], now) }, now, waitSeconds: nil)
  }

  private func current(_ use: Use?, _ now: Double) -> Use {
    let day = Int(max(0, min(now, 1e12))) / Self.daySeconds
    guard var use else { return Use(tokens: Double(perSecondMax), filledAt: now, day: day) }
    // A clock that was set back gives nothing.
    use.tokens = min(Double(perSecondMax), use.tokens + max(0, now - use.filledAt) * Double(perSecondMax))
    use.filledAt = now
    if use.day != day { (use.day, use.today) = (day, 0) }
    return use
  }

  private func left(_ use: Use, _ now: Double, waitSeconds: Int?) -> Allowance {
    let (atOnce, today) = (Int(use.tokens), max(0, perDayMax - use.today))
    if today < atOnce {
      return Allowance(waitSeconds: waitSeconds, policy: "day", remaining: today, resetSeconds: secondsLeft(of: use.day, now))
    }
    return Allowance(waitSeconds: waitSeconds, policy: "second", remaining: atOnce, resetSeconds: 1)
  }

  private func secondsLeft(of day: Int, _ now: Double) -> Int { max(1, (day + 1) * Self.daySeconds - Int(max(0, min(now, 1e12)))) }

  /// `RateLimit` and `RateLimit-Policy`, as the IETF's draft of RateLimit header fields for HTTP has them.
  func addFields(_ allowance: Allowance, to headers: inout HTTPFields) {
    headers[.rateLimitPolicy] = "\"second\";q=\(perSecondMax);w=1, \"day\";q=\(perDayMax);w=\(Self.daySeconds)"
    headers[.rateLimit] = "\"\(allowance.policy)\";r=\(allowance.remaining);t=\(allowance.resetSeconds)"
  }
}

extension HTTPField.Name {
  static let rateLimit = constant("RateLimit")
  static let rateLimitPolicy = constant("RateLimit-Policy")
}
