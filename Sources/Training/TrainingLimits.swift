/// The bounds of a training request. Each is far above any sensible use and keeps every product of them within `Int`.
package enum TrainingLimits {
  package static let epochsMax = 1_000_000
  package static let batchMax = 65_536
  package static let learningRateMax = 100.0
  package static let patienceMax = 1_000_000
  /// A year.
  package static let secondsMax = 366 * 86_400
  package static let threadsMax = 64
  package static let checkpointSecondsMax = 86_400
  /// As large as a JSON number holds exactly.
  package static let seedMax = (1 << 53) - 1
}
