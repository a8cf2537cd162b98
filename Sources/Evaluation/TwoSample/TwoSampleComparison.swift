import Tensors

/// A comparison of a model's samples with held-out data. It needs no density, so that every family can be measured by it.
package enum TwoSampleMetric: String, Sendable, CaseIterable {
  /// MMD² by Gaussians.
  case mmd
  /// MMD² by a polynomial; on our features, so that it is no KID of another system.
  case polynomialMMD = "polynomial_mmd"
  /// Precision, recall, density and coverage.
  case precisionRecall = "precision_recall"
  /// How often a classifier tells samples from data.
  case c2st
  /// Whether samples are nearer to the training examples than new data is.
  case memorization
  case parzenHistorical = "parzen_historical"
}

/// One number of a comparison.
package struct TwoSampleResult: Sendable, Equatable {
  package enum Detail: Sendable, Hashable {
    case number(Double)
    case text(String)
  }

  package let name: String
  package let value: Double
  /// 95 %.
  package let interval: ClosedRange<Double>
  /// How it was found, and what else was.
  package let details: [(name: String, value: Detail)]

  package static func == (a: TwoSampleResult, b: TwoSampleResult) -> Bool {
    a.name == b.name && a.value == b.value && a.interval == b.interval && a.details.map(\.name) == b.details.map(\.name)
      && a.details.map(\.value) == b.details.map(\.value)
  }
}

package struct TwoSampleSettings: Sendable, Equatable {
  /// Examples and samples that are compared, at most; as many of each. The default is what published two-sample tests of images take.
  package var samples = 5000
  /// Of them those whose every pair is compared, at most: 2 000 and 2 000 make a matrix of 64 MiB.
  package var pairs = 2000
  /// Random divisions for a p-value; the least p is 1 / (permutations + 1).
  package var permutations = 999
  /// For an interval.
  package var resamples = 200

  package static let samplesRange = 20...50_000
  package static let pairsRange = 10...5000
  package static let permutationsRange = 1...100_000
  package static let resamplesRange = 40...10_000

  package init() {}
}

/// Data and samples, and what each comparison makes of them.
package struct TwoSampleComparison: Sendable {
  private let data: Tensor
  private let samples: Tensor
  private let picture: (height: Int, width: Int, channels: Int)?
  private let settings: TwoSampleSettings
  private let components: WhitenedComponents
  private let features: (data: Tensor, samples: Tensor)
  private let randomness: Philox
  private let team: ThreadTeam

  /// - Parameters:
  ///   - data: held-out examples, `[n, dims]`, as models see them; at least as many as the settings' least.
  ///   - samples: as many of the model's.
  ///   - picture: nil for rows of a table.
  package init(
    data: Tensor, samples: Tensor, picture: (height: Int, width: Int, channels: Int)?, _ settings: TwoSampleSettings,
    using randomness: Philox, _ team: ThreadTeam
  ) {
    precondition(data.shape == samples.shape, "\(data.shape) examples and \(samples.shape) samples")
    precondition(data.rows >= TwoSampleSettings.samplesRange.lowerBound, "\(data.rows) examples")
    (self.data, self.samples, self.picture, self.settings, self.randomness, self.team) = (
      data, samples, picture, settings, randomness, team
    )
    components = WhitenedComponents(of: data, team)
    features = (components.features(of: data, team), components.features(of: samples, team))
  }

  /// - Parameter training: the training examples, some at a time, for what asks after them.
  package func results(of metric: TwoSampleMetric, training: (count: Int, examples: (Range<Int>) -> Tensor)) -> [TwoSampleResult] {
    switch metric {
    case .mmd: [discrepancy(.gaussians, metric)]
    case .polynomialMMD: [discrepancy(.polynomial, metric)]
    case .precisionRecall: manifolds
    case .c2st: [classifier]
    case .memorization: [memorization(training)]
    case .parzenHistorical: [parzen]
    }
  }

  private func discrepancy(_ kernel: MaximumMeanDiscrepancy.Kernel, _ metric: TwoSampleMetric) -> TwoSampleResult {
    let count = min(settings.pairs, data.rows)
    let (x, y) = (features.data.rows(Self.strided(count, of: data.rows)), features.samples.rows(0..<count))
    let estimate = MaximumMeanDiscrepancy(x, y, kernel, team).estimate(
      permutations: settings.permutations, resamples: settings.resamples, using: randomness)
    var details =
      featureDetails + [
        ("samples", .number(Double(count))), ("p_value", .number(estimate.pValue)),
        ("permutations", .number(Double(settings.permutations))), ("resamples", .number(Double(settings.resamples))),
      ]
    if let median = estimate.medianDistance { details.append(("median_distance", .number(median))) }
    return TwoSampleResult(name: metric.rawValue, value: estimate.value, interval: estimate.interval, details: details)
  }

  private var manifolds: [TwoSampleResult] {
    let found = SampleManifolds(data: features.data, samples: features.samples, team)
    func result(_ name: String, _ value: Double, _ interval: ClosedRange<Double>, neighbour: Int) -> TwoSampleResult {
      let details = featureDetails + [("samples", .number(Double(data.rows))), ("neighbour", .number(Double(neighbour)))]
      return TwoSampleResult(name: name, value: value, interval: interval, details: details)
    }
    let (k, kOfCoverage) = (SampleManifolds.neighbourOfPrecision, SampleManifolds.neighbourOfCoverage)
    return [
      result("precision", found.precision.value, found.precision.interval, neighbour: k),
      result("recall", found.recall.value, found.recall.interval, neighbour: k),
      result("density", found.density.mean, found.density.interval, neighbour: kOfCoverage),
      result("coverage", found.coverage.value, found.coverage.interval, neighbour: kOfCoverage),
    ]
  }

  private var classifier: TwoSampleResult {
    let test = ClassifierTwoSampleTest(
      data: data, samples: samples, features: features, picture: picture, using: randomness, team)
    let details =
      featureDetails + [
        ("samples", .number(Double(data.rows))), ("classifier", .text(SmallClassifier.version)),
        ("by_network", .number(test.network.value)), ("by_nearest_neighbours", .number(test.nearestNeighbours.value)),
        ("neighbours", .number(Double(ClassifierTwoSampleTest.neighbours))),
      ]
    return TwoSampleResult(name: "c2st", value: test.better.value, interval: test.better.interval, details: details)
  }

  /// Training examples whose features are computed at once; chosen.
  private static let trainingAtOnce = 1000

  private func memorization(_ training: (count: Int, examples: (Range<Int>) -> Tensor)) -> TwoSampleResult {
    var scalars: [Float] = []
    for start in stride(from: 0, to: training.count, by: Self.trainingAtOnce) {
      let some = training.examples(start..<min(start + Self.trainingAtOnce, training.count))
      scalars += components.features(of: some, team).scalars
    }
    let known = Tensor(shape: [training.count, components.axisCount], scalars: scalars)
    let found = Memorization(samples: features.samples, heldOut: features.data, training: known, team)
    let details =
      featureDetails + [
        ("samples", .number(Double(data.rows))), ("training_examples", .number(Double(training.count))),
        ("distance_of_samples", .number(found.samples.mean)), ("distance_of_held_out", .number(found.heldOut.mean)),
      ]
    return TwoSampleResult(name: "memorization", value: found.ratio, interval: found.interval, details: details)
  }

  private var parzen: TwoSampleResult {
    // Every other example chooses the width, and the others are told of.
    let (even, odd) = ((0..<data.rows).filter { $0 % 2 == 0 }, (0..<data.rows).filter { $0 % 2 == 1 })
    let window = ParzenWindow(samples: samples, choosing: data.rows(Array(even.prefix(1000))), x: data.rows(odd), team)
    let details: [(name: String, value: TwoSampleResult.Detail)] = [
      ("samples", .number(Double(samples.rows))), ("deviation", .number(window.deviation)),
    ]
    return TwoSampleResult(name: "parzen_historical", value: window.nats.mean, interval: window.nats.interval, details: details)
  }

  private var featureDetails: [(name: String, value: TwoSampleResult.Detail)] {
    [("features", .text(WhitenedComponents.version)), ("components", .number(Double(components.count)))]
  }

  /// So many of all, evenly strided: files are often sorted by class.
  package static func strided(_ count: Int, of all: Int) -> [Int] { (0..<count).map { $0 * all / count } }
}
