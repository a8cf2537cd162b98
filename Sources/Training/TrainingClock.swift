/// The seconds that a run has spent in training, over all its attempts.
struct TrainingClock {
  private let start = ContinuousClock.now
  private let secondsBefore: Double

  init(secondsBefore: Double) { self.secondsBefore = secondsBefore }

  var seconds: Double { secondsBefore + start.secondsSince }
}

extension ContinuousClock.Instant {
  var secondsSince: Double { duration(to: .now) / .seconds(1) }
}
