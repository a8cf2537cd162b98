import Foundation
import Tensors

/// The squared maximum mean discrepancy of two samples, unbiased, and how often chance alone gives as much.
/// Gretton, Borgwardt, Rasch, Schölkopf & Smola, JMLR 2012, eq. 3 and §5; the polynomial kernel is that of Bińkowski, Sutherland, Arbel &
/// Gretton, ICLR 2018 (KID), here on features of our own.
package struct MaximumMeanDiscrepancy: Sendable {
  package enum Kernel: Sendable, Hashable {
    /// The mean of five Gaussians whose widths are 1/4, 1/2, 1, 2 and 4 times the median distance.
    case gaussians
    /// (x · y / dims + 1)³
    case polynomial
  }

  package struct Estimate: Sendable, Equatable {
    /// MMD², which is 0 in the mean where the two are one distribution, and may be below it.
    package let value: Double
    /// 95 % of the values that resampling both samples gives.
    package let interval: ClosedRange<Double>
    /// The share of random divisions of all examples in two that are at least as far apart, this one counted in; uniform over 0…1 where
    /// the two are one distribution.
    package let pValue: Double
    /// Gaussians alone: the median distance.
    package let medianDistance: Double?
  }

  private let kernel: Kernel
  private let n: Int
  private let m: Int
  /// k of each two examples, x first; 0 of an example and itself. `[n + m, n + m]`
  private let k: Tensor
  private let medianDistance: Double?
  private let team: ThreadTeam

  /// - Parameters:
  ///   - x: `[n, dims]`, two or more; the matrix of all pairs is held, 64 MiB for 2 000 and 2 000.
  ///   - y: `[m, dims]`, likewise.
  package init(_ x: Tensor, _ y: Tensor, _ kernel: Kernel, _ team: ThreadTeam) {
    precondition(x.rows >= 2 && y.rows >= 2, "\(x.rows) and \(y.rows) examples")
    (self.kernel, n, m, self.team) = (kernel, x.rows, y.rows, team)
    let all = x.stacked(on: y)
    let count = all.rows
    var scalars: [Float]
    switch kernel {
    case .polynomial:
      scalars = all.product(all.transposed, team).scalars
      let scale = 1 / Float(all.columns)
      for index in scalars.indices {
        let base = scalars[index] * scale + 1
        scalars[index] = base * base * base
      }
      medianDistance = nil
    case .gaussians:
      scalars = []
      scalars.reserveCapacity(count * count)
      Distances.forEachRow(all, to: all, team) { _, squares in for index in squares.indices { scalars.append(squares[index]) } }
      let median = Self.median(ofPairsIn: scalars, count)
      medianDistance = median.squareRoot()
      // The widest is 4 medians wide. A Gaussian half as wide is its fourth power.
      let factor = median > 0 ? Float(-1 / (32 * median)) : 0
      for index in scalars.indices { scalars[index] *= factor }
      var widest = Tensor(repeating: 0, shape: [count, count])
      Kernels.map(.exp, Tensor(shape: [count, count], scalars: scalars), into: &widest, team)
      scalars = widest.scalars
      for index in scalars.indices {
        var (power, sum) = (scalars[index], scalars[index])
        for _ in 0..<4 {
          power *= power
          power *= power
          sum += power
        }
        scalars[index] = sum * 0.2
      }
    }
    for index in 0..<count { scalars[index * count + index] = 0 }
    k = Tensor(shape: [count, count], scalars: scalars)
  }

  /// Of the squared distances between two different examples.
  private static func median(ofPairsIn squares: [Float], _ count: Int) -> Double {
    // Every pair of neighbouring numbers modulo some thousand: as good as all of them, and sorted at once.
    let step = max(1, count * (count - 1) / 2 / 100_000)
    var some: [Float] = []
    var number = 0
    for i in 0..<count {
      for j in 0..<i {
        if number % step == 0 { some.append(squares[i * count + j]) }
        number += 1
      }
    }
    some.sort()
    return some.isEmpty ? 0 : Double(some[some.count / 2])
  }

  /// - Parameters:
  ///   - permutations: random divisions in two; the least p is 1 / (permutations + 1).
  ///   - resamples: for the interval.
  package func estimate(permutations: Int, resamples: Int, using randomness: Philox) -> Estimate {
    precondition(permutations >= 1 && resamples >= 2, "\(permutations) permutations and \(resamples) resamples")
    let value = values(weights: [(x: [Int](repeating: 1, count: n), y: [Int](repeating: 1, count: m))])[0]
    let divided = (0..<permutations).map { number -> (x: [Int], y: [Int]) in
      let order = randomness.permutation(of: n + m, .structure, step: number)
      var x = [Int](repeating: 0, count: n + m)
      for index in order.prefix(n) { x[index] = 1 }
      return (x, x.map { 1 - $0 })
    }
    let reached = values(weights: divided).count { $0 >= value }
    let resampled = (0..<resamples).map { number -> (x: [Int], y: [Int]) in
      (resample(n, step: 2 * number, using: randomness), resample(m, step: 2 * number + 1, using: randomness))
    }
    let sorted = values(weights: resampled).sorted()
    let tail = Int(0.025 * Double(resamples))
    return Estimate(
      value: value, interval: sorted[tail]...sorted[resamples - 1 - tail], pValue: Double(reached + 1) / Double(permutations + 1),
      medianDistance: medianDistance)
  }

  /// How often each of so many is drawn in as many draws.
  private func resample(_ count: Int, step: Int, using randomness: Philox) -> [Int] {
    var drawn = [Int](repeating: 0, count: count)
    for site in 0..<count { drawn[randomness.integer(below: count, .noise, step: step, site: site)] += 1 }
    return drawn
  }

  /// MMD² where each example counts as often as a weight says: eq. 3 over pairs of different examples. Weights are of x and of y, or, where
  /// both have n + m, of all examples.
  private func values(weights: [(x: [Int], y: [Int])]) -> [Double] {
    let count = n + m
    var values: [Double] = []
    let padded = weights.map { weights in
      weights.x.count == count
        ? weights
        : (x: weights.x + [Int](repeating: 0, count: m), y: [Int](repeating: 0, count: n) + weights.y)
    }
    // So many columns at once; nothing depends on it.
    for start in stride(from: 0, to: padded.count, by: 128) {
      let some = padded[start..<min(start + 128, padded.count)]
      let columns = 2 * some.count
      var scalars = [Float](repeating: 0, count: count * columns)
      for (place, weights) in some.enumerated() {
        for index in 0..<count {
          scalars[index * columns + 2 * place] = Float(weights.x[index])
          scalars[index * columns + 2 * place + 1] = Float(weights.y[index])
        }
      }
      let products = k.product(Tensor(shape: [count, columns], scalars: scalars), team).scalars
      for (place, weights) in some.enumerated() {
        var (xx, xy, yy) = (0.0, 0.0, 0.0)
        for index in 0..<count {
          let (kx, ky) = (Double(products[index * columns + 2 * place]), Double(products[index * columns + 2 * place + 1]))
          let (a, b) = (Double(weights.x[index]), Double(weights.y[index]))
          xx += a * kx
          xy += a * ky
          yy += b * ky
        }
        let (x, y) = (Self.sums(weights.x), Self.sums(weights.y))
        values.append(xx / x.pairs + yy / y.pairs - 2 * xy / (x.sum * y.sum))
      }
    }
    return values
  }

  /// How many there are, and how many ordered pairs of different examples.
  private static func sums(_ weights: [Int]) -> (sum: Double, pairs: Double) {
    let (sum, squares) = (weights.reduce(0, +), weights.reduce(0) { $0 + $1 * $1 })
    return (Double(sum), Double(sum * sum - squares))
  }
}
