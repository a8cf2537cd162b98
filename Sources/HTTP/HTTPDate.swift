/// A date in a field, in the one form that is written and the two old ones that are read (RFC 9110 §5.6.7).
enum HTTPDate {
  /// Seconds since 1970; nil for what is no date.
  static func seconds(_ text: String) -> Int? {
    let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
    switch words.count {
    // Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 08:49:37 GMT
    case 6 where words[5] == "GMT": return seconds(day: words[1], month: words[2], year: words[3], time: words[4])
    // Sun Nov  6 08:49:37 1994
    case 5: return seconds(day: words[2], month: words[1], year: words[4], time: words[3])
    default: return nil
    }
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func seconds(day: String, month: String, year: String, time: String) -> Int? {
    let parts = time.split(separator: ":", omittingEmptySubsequences: false)
    guard let day = number(day, 1...31), let month = months.firstIndex(of: month), var year = number(year, 0...9999), parts.count == 3,
      let hour = number(parts[0], 0...23), let minute = number(parts[1], 0...59), let second = number(parts[2], 0...60)
    else { return nil }
    // Two digits that seem more than 50 years ahead are of the century before.
    if year < 100 { year += year < 70 ? 2000 : 1900 }
    return daysSince1970(year: year, month: month + 1, day: day) * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func number(_ text: some StringProtocol, _ range: ClosedRange<Int>) -> Int? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ $0.isDigit }) else { return nil }
    return Int(text).flatMap { range.contains($0) ? $0 : nil }
  }

  /// Of the Gregorian calendar, counted in years that begin in March, so that a leap day is a year's last.
  private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
