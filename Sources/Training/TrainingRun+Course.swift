import Evaluation
import Models
import Tensors

/// How the training of a model goes that has no likelihood to validate by: its own curves, and how much of the data its samples meet.
extension TrainingRun {
  /// Coverage below this share of the best so far is told of; chosen.
  private static let coverageShareLeast = 0.5
  /// Examples and samples that are compared after an epoch; chosen, some tenths of a second.
  private static let (comparedMax, timesItsCost) = (500, 5.0)

  /// Compares samples with what validates, and tells of what has gone wrong since the last epoch.
  func watchCourse() {
    if validationName == nil { watchCoverage() }
    tell((model as? any TellsCourse)?.complaint, as: .model)
  }

  private func watchCoverage() {
    let start = ContinuousClock.now
    // Epochs of small data are short: most of the time is training's.
    if let last = course.last, last.ended.secondsSince < Self.timesItsCost * last.seconds { return }
    course.validation = course.validation ?? validationFeatures()
    guard let (components, features) = course.validation else { return }
    let samples = model.sample(Array(0..<features.rows), temperature: 1, using: randomness)
    guard samples.scalars.allSatisfy({ $0.isFinite }) else { return }
    let found = SampleManifolds(data: features, samples: components.features(of: samples, team), team)
    course.found = found
    course.coverageMost = max(course.coverageMost, found.coverage.value)
    tell(
      found.coverage.value < Self.coverageShareLeast * course.coverageMost
        ? "the samples meet \(percent(found.coverage.value)) of the data, where they met \(percent(course.coverageMost)): lost modes"
        : nil, as: .coverage)
    course.last = (.now, start.secondsSince)
  }

  private func validationFeatures() -> (components: WhitenedComponents, features: Tensor)? {
    guard let data = data.validationExamples(atMost: Self.comparedMax, using: randomness) else { return nil }
    let components = WhitenedComponents(of: data, team)
    return (components, components.features(of: data, team))
  }

  /// Each complaint once, until it has ceased.
  private func tell(_ complaint: String?, as kind: TrainingCourse.Kind) {
    if let complaint, !course.told.contains(kind) { log.warning("epoch \(progress.epoch): \(complaint)") }
    if complaint == nil { course.told.remove(kind) } else { course.told.insert(kind) }
  }

  var courseMetrics: [(name: String, value: Double)] {
    let curves = (model as? any TellsCourse)?.curves.map { (name: $0.name, value: $0.value) } ?? []
    guard let found = course.found else { return curves }
    return curves + [
      ("validation_precision", found.precision.value), ("validation_recall", found.recall.value),
      ("validation_density", found.density.mean), ("validation_coverage", found.coverage.value),
    ]
  }

  private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}

/// What is remembered from epoch to epoch; nothing that is trained depends on it.
struct TrainingCourse {
  enum Kind: Hashable { case coverage, model }

  /// What samples are compared with, once it is known.
  var validation: (components: WhitenedComponents, features: Tensor)?
  var found: SampleManifolds?
  var coverageMost = 0.0
  var last: (ended: ContinuousClock.Instant, seconds: Double)?
  var told: Set<Kind> = []
}
