import Tensors

/// How much of each set lies in the other's reach, where reach is the union of balls about its examples, each as wide as to the k-th
/// neighbour in its own set.
/// Precision and recall: Kynkäänniemi, Karras, Laine, Lehtinen & Aila, NeurIPS 2019, eq. 1, 2. Density and coverage: Naeem, Oh, Uh, Choi &
/// Yoo, ICML 2020, eq. 3, 4.
package struct SampleManifolds: Sendable, Equatable {
  /// The neighbour of precision and recall, and of density and coverage: the papers' choices.
  package static let (neighbourOfPrecision, neighbourOfCoverage) = (3, 5)

  /// The share of samples in the reach of the data: whether samples are good.
  package let precision: Share
  /// The share of data in the reach of the samples: whether all of the data is met.
  package let recall: Share
  /// How many balls of the data a sample lies in, over k: 1 where the two are one distribution, more in the midst of it.
  package let density: MeanEstimate
  /// The share of data in whose ball lies a sample.
  package let coverage: Share

  /// - Parameters:
  ///   - data: features of the real examples, `[n, features]`, more than 5.
  ///   - samples: of the model's, `[m, features]`, likewise.
  package init(data: Tensor, samples: Tensor, _ team: ThreadTeam) {
    let (k, kOfCoverage) = (Self.neighbourOfPrecision, Self.neighbourOfCoverage)
    let reach = Distances.kthNearestSquares(data, to: data, k: k, besidesItself: true, team)
    let reachOfCoverage = Distances.kthNearestSquares(data, to: data, k: kOfCoverage, besidesItself: true, team)
    let reachOfSamples = Distances.kthNearestSquares(samples, to: samples, k: k, besidesItself: true, team)
    var (inReach, met, densities) = (0, [Bool](repeating: false, count: data.rows), [Double]())
    Distances.forEachRow(samples, to: data, team) { _, squares in
      var (isIn, balls) = (false, 0)
      for index in squares.indices {
        if squares[index] <= reach[index] { isIn = true }
        if squares[index] <= reachOfCoverage[index] {
          balls += 1
          met[index] = true
        }
      }
      if isIn { inReach += 1 }
      densities.append(Double(balls) / Double(kOfCoverage))
    }
    var recalled = 0
    Distances.forEachRow(data, to: samples, team) { _, squares in
      if squares.indices.contains(where: { squares[$0] <= reachOfSamples[$0] }) { recalled += 1 }
    }
    precision = Share(inReach, of: samples.rows)
    recall = Share(recalled, of: data.rows)
    density = MeanEstimate(of: densities)
    coverage = Share(met.count { $0 }, of: data.rows)
  }
}

/// So many of so many, and what the share of all may be.
package struct Share: Sendable, Equatable {
  package let count: Int
  package let total: Int

  package init(_ count: Int, of total: Int) {
    precondition(total > 0 && (0...total).contains(count), "\(count) of \(total)")
    (self.count, self.total) = (count, total)
  }

  package var value: Double { Double(count) / Double(total) }

  /// Wilson's interval of 95 % (Wilson 1927), which stays within 0…1.
  package var interval: ClosedRange<Double> {
    let (z, n) = (1.959963984540054, Double(total))
    let middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    let reach = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, middle - reach)...min(1, middle + reach)
  }
}
