import Foundation

/// What random tests go by: `FOUNT_ROUNDS` multiplies their rounds, `FOUNT_SEED` repeats one.
enum Seeds {
  static let rounds = ProcessInfo.processInfo.environment["FOUNT_ROUNDS"].flatMap(Int.init) ?? 1

  /// The seed that is asked for, or the test's own; printed, so that it can be asked for.
  static func seed(of test: String, otherwise seed: UInt64) -> UInt64 {
    let seed = ProcessInfo.processInfo.environment["FOUNT_SEED"].flatMap(UInt64.init) ?? seed
    print("\(test): FOUNT_SEED=\(seed)")
    return seed
  }
}
