import Foundation

/// ln Σ e^x of numbers that come one by one, in double precision, where the e^x themselves would be past all numbers.
package struct LogSum: Sendable {
  private var most = -Double.infinity
  private var scaled = 0.0

  package init() {}

  package init(_ values: some Sequence<Double>) {
    for value in values { add(value) }
  }

  package mutating func add(_ value: Double) {
    guard value != -.infinity else { return }
    if value > most {
      scaled = scaled * exp(most - value) + 1
      most = value
    } else {
      scaled += exp(value - most)
    }
  }

  /// −∞ of no numbers.
  package var value: Double { most + log(scaled) }
}
