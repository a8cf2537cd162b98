import Foundation

/// The value of `Date`, spelt once a second (RFC 9110 §5.6.7, §6.6.1).
struct DateField {
  private var second = -1
  private var text = ""

  mutating func value() -> String {
    let now = Int(time(nil))
    if now != second {
      second = now
      text = Self.spelt(now)
    }
    return text
  }

  /// IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`, whatever the locale.
  static func spelt(_ secondsSince1970: Int) -> String {
    var seconds = time_t(secondsSince1970)
    var parts = unsafe tm()
    _ = unsafe gmtime_r(&seconds, &parts)
    let day = unsafe days[Int(parts.tm_wday)]
    let month = unsafe months[Int(parts.tm_mon)]
    let date = unsafe "\(day), \(padded(parts.tm_mday)) \(month) \(parts.tm_year + 1900)"
    let time = unsafe "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
    return "\(date) \(time) GMT"
  }

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
