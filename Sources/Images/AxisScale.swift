/// The marks of an axis: at multiples of 1, 2 or 5 times a power of ten, as people read scales.
struct AxisScale {
  let low: Double
  let high: Double
  private let step: Double

  /// - Parameters:
  ///   - low: within `LineChart.coordinateMax`, as `high`, which is not below it; where both are the same, some room is made around them.
  ///   - marks: about how many there should be; 1 or more.
  init(from low: Double, to high: Double, marks: Int) {
    var (low, high) = (low, high)
    // A difference must not vanish beside the numbers themselves.
    if !(high - low > max(abs(low), abs(high), 1e-300) * 1e-12) {
      let room = max(abs(low) * 0.01, 1e-9)
      (low, high) = (low - room, high + room)
    }
    self.low = low
    self.high = high
    step = Self.roundStep(atLeast: (high - low) / Double(marks))
  }

  /// Where a value lies between the ends: 0 at `low`, 1 at `high`.
  func place(of value: Double) -> Double { (value - low) / (high - low) }

  /// The marks with their texts, from the low end on.
  var marks: [(value: Double, text: String)] {
    let first = (low / step).rounded(.up)
    return (0..<50).lazy.map { (first + Double($0)) * step }.prefix { $0 <= high * (1 + 1e-12) || $0 <= high }.map { ($0, text(of: $0)) }
  }

  private static func roundStep(atLeast least: Double) -> Double {
    var power = 1.0
    while power * 10 <= least { power *= 10 }
    while power > least { power /= 10 }
    return [1, 2, 5].map { power * $0 }.first { $0 >= least } ?? power * 10
  }

  /// As many digits as tell the marks apart.
  private func text(of value: Double) -> String {
    // A mark at nothing is the sum of rounded steps.
    if abs(value) < step / 1000 { return "0" }
    guard step >= 1e5 || step < 1e-4 else { return Self.decimal(value, step: step) }
    var (power, exponent) = (1.0, 0)
    let largest = max(abs(low), abs(high))
    while power * 10 <= largest { (power, exponent) = (power * 10, exponent + 1) }
    while power > largest { (power, exponent) = (power / 10, exponent - 1) }
    return "\(Self.decimal(value / power, step: step / power))e\(exponent)"
  }

  private static func decimal(_ value: Double, step: Double) -> String {
    var decimals = 0
    var factor = 1.0
    // A step is 1, 2 or 5 times a power of ten.
    while (step * factor) < 1 - 1e-9, decimals < 12 {
      decimals += 1
      factor *= 10
    }
    guard abs(value) * factor < 1e18 else { return value.description }
    let digits = String(Int((abs(value) * factor).rounded()))
    let sign = value < 0 ? "-" : ""
    guard decimals > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
  }
}
