import Evaluation
import Foundation
import Tensors
import Testing

/// Normal numbers about a mean.
private func normals(_ count: Int, dims: Int, mean: Float = 0, deviation: Float = 1, step: Int = 0, seed: UInt64 = 3) -> Tensor {
  let x = Tensor(normal: dims, .data, step: step, examples: Array(0..<count), using: Philox(seed: seed))
  return Tensor(shape: x.shape, scalars: x.scalars.map { mean + deviation * $0 })
}

private func square(_ x: Tensor, _ i: Int, _ y: Tensor, _ j: Int) -> Double {
  zip(x.row(i), y.row(j)).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
}

@Suite struct `Whitened components` {
  @Test func `have the variances and directions that the examples have`() {
    // Along (3, 4)/5 some ±5, across it ±1: variances 25 and 1 over n, and n/(n − 1) of it.
    let corners: [(Float, Float)] = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    var x = Tensor(repeating: 0, shape: [4, 2])
    for (row, corner) in corners.enumerated() {
      x[row, 0] = 2 + corner.0 * 3 - corner.1 * 0.8
      x[row, 1] = -1 + corner.0 * 4 + corner.1 * 0.6
    }
    let components = WhitenedComponents(of: x, .alone)
    #expect(components.count == 2)
    let expected: [Double] = [100.0 / 3, 4.0 / 3]
    for (found, variance) in zip(components.variances, expected) { #expect(abs(found - variance) < 1e-4) }
    let features = components.features(of: x, .alone)
    for row in 0..<4 {
      for (column, expected) in [corners[row].0, corners[row].1].enumerated() {
        #expect(abs(abs(features[row, column]) - abs(expected) * Float(0.75).squareRoot()) < 1e-4)
      }
    }
  }

  @Test func `are 64 uncorrelated columns of variance 1, the widest first`() {
    let (n, dims) = (400, 90)
    var x = normals(n, dims: dims)
    for row in 0..<n { for d in 0..<dims { x[row, d] = x[row, d] * (1 + Float(dims - d) / 10) + 0.5 * x[row, max(d - 1, 0)] } }
    let components = WhitenedComponents(of: x, ThreadTeam(count: 2))
    let features = components.features(of: x, .alone)
    #expect(components.count == 64 && components.variances == components.variances.sorted(by: >))
    for i in stride(from: 0, to: 64, by: 7) {
      for j in stride(from: 0, to: 64, by: 5) {
        let products = (0..<n).reduce(0.0) { $0 + Double(features[$1, i]) * Double(features[$1, j]) }
        #expect(abs(products / Double(n - 1) - (i == j ? 1 : 0)) < 1e-3, "\(i), \(j)")
      }
    }
    let one = WhitenedComponents(of: x, .alone)
    #expect(one.features(of: x, .alone) == features)
  }

  @Test func `leave out what never changes`() {
    let x = normals(50, dims: 3)
    let doubled = Tensor(shape: [50, 7], scalars: (0..<50).flatMap { Array(x.row($0)) + Array(x.row($0)) + [4] })
    #expect(WhitenedComponents(of: doubled, .alone).count == 3)
    #expect(WhitenedComponents(of: Tensor(repeating: 2, shape: [5, 3]), .alone).features(of: x, .alone).scalars.allSatisfy { $0 == 0 })
  }
}

@Suite struct `The maximum mean discrepancy` {
  /// Equation 3, written down pair by pair.
  private static func exactly(_ x: Tensor, _ y: Tensor, _ k: (Tensor, Int, Tensor, Int) -> Double) -> Double {
    let (n, m) = (x.rows, y.rows)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for i in 0..<n { for j in 0..<n where i != j { xx += k(x, i, x, j) } }
    for i in 0..<m { for j in 0..<m where i != j { yy += k(y, i, y, j) } }
    for i in 0..<n { for j in 0..<m { xy += k(x, i, y, j) } }
    return xx / Double(n * (n - 1)) + yy / Double(m * (m - 1)) - 2 * xy / Double(n * m)
  }

  @Test func `is that of its definition, with either kernel`() throws {
    let (x, y) = (normals(37, dims: 5), normals(29, dims: 5, mean: 0.4, step: 1))
    let randomness = Philox(seed: 1)
    let polynomial = MaximumMeanDiscrepancy(x, y, .polynomial, .alone).estimate(permutations: 9, resamples: 10, using: randomness)
    let cubes = Self.exactly(x, y) { a, i, b, j in
      pow(zip(a.row(i), b.row(j)).reduce(0) { $0 + Double($1.0) * Double($1.1) } / 5 + 1, 3)
    }
    #expect(abs(polynomial.value - cubes) < 1e-4)

    let gaussians = MaximumMeanDiscrepancy(x, y, .gaussians, ThreadTeam(count: 2)).estimate(
      permutations: 9, resamples: 10, using: randomness)
    let all = Tensor(shape: [66, 5], scalars: x.scalars + y.scalars)
    let distances = (0..<66).flatMap { i in (0..<i).map { square(all, i, all, $0).squareRoot() } }.sorted()
    let median = try #require(gaussians.medianDistance)
    #expect(abs(median - distances[distances.count / 2]) < 1e-4)
    let mean = Self.exactly(x, y) { a, i, b, j in
      var sum = 0.0
      for width in [0.25, 0.5, 1, 2, 4] {
        let deviation = width * median
        sum += exp(-square(a, i, b, j) / (2 * deviation * deviation))
      }
      return sum / 5
    }
    #expect(abs(gaussians.value - mean) < 1e-5)
    #expect(gaussians.interval.contains(gaussians.value))
  }

  /// Kolmogorov & Smirnov's distance from the uniform distribution is beyond 0.163 for one of a hundred sets of 100.
  @Test(arguments: [MaximumMeanDiscrepancy.Kernel.gaussians, .polynomial])
  func `has p-values that are uniform where there is no difference`(kernel: MaximumMeanDiscrepancy.Kernel) {
    let all = normals(4000, dims: 4)
    let values = (0..<100).map { number in
      let order = Philox(seed: 5).permutation(of: 4000, .structure, step: number)
      let test = MaximumMeanDiscrepancy(all.rows(Array(order.prefix(60))), all.rows(Array(order.suffix(60))), kernel, .alone)
      return test.estimate(permutations: 99, resamples: 2, using: Philox(seed: UInt64(number))).pValue
    }.sorted()
    let distance = values.enumerated().map { max(abs($1 - Double($0) / 100), abs($1 - Double($0 + 1) / 100)) }.max() ?? 1
    #expect(distance < 0.163, "\(values)")
  }

  @Test func `has the least p-value where there is a difference`() {
    let (x, wider) = (normals(200, dims: 4), normals(200, dims: 4, deviation: 1.5, step: 1))
    for kernel in [MaximumMeanDiscrepancy.Kernel.gaussians, .polynomial] {
      let estimate = MaximumMeanDiscrepancy(x, wider, kernel, .alone).estimate(permutations: 99, resamples: 100, using: Philox(seed: 1))
      #expect(estimate.pValue == 0.01 && estimate.interval.lowerBound > 0)
    }
  }

  @Test func `is the same at any thread count`() {
    let (x, y) = (normals(90, dims: 7), normals(80, dims: 7, step: 1))
    func estimate(_ threads: Int) -> MaximumMeanDiscrepancy.Estimate {
      MaximumMeanDiscrepancy(x, y, .gaussians, ThreadTeam(count: threads)).estimate(
        permutations: 200, resamples: 50, using: Philox(seed: 2))
    }
    #expect(estimate(1) == estimate(2) && estimate(1) == estimate(4))
  }
}

@Suite struct `Precision, recall, density and coverage` {
  private static func reach(_ x: Tensor, _ i: Int, _ k: Int) -> Double {
    (0..<x.rows).filter { $0 != i }.map { square(x, i, x, $0) }.sorted()[k - 1]
  }

  @Test func `are those of their definitions`() {
    let (data, samples) = (normals(41, dims: 3), normals(33, dims: 3, mean: 0.8, step: 1))
    let found = SampleManifolds(data: data, samples: samples, .alone)
    let (rows, columns) = (0..<41, 0..<33)
    let precision = columns.count { j in rows.contains { square(samples, j, data, $0) <= Self.reach(data, $0, 3) } }
    let recall = rows.count { i in columns.contains { square(data, i, samples, $0) <= Self.reach(samples, $0, 3) } }
    let balls = columns.map { j in rows.count { square(samples, j, data, $0) <= Self.reach(data, $0, 5) } }
    let coverage = rows.count { i in columns.contains { square(data, i, samples, $0) <= Self.reach(data, i, 5) } }
    #expect(found.precision == Share(precision, of: 33) && found.recall == Share(recall, of: 41))
    #expect(abs(found.density.mean - Double(balls.reduce(0, +)) / 5 / 33) < 1e-12)
    #expect(found.coverage == Share(coverage, of: 41))
    #expect((1...40).contains(coverage) && (1...32).contains(precision), "a case that tells nothing")
  }

  @Test func `tell a model that drops modes from one that makes noise`() {
    func modes(_ count: Int, among modes: Int, noise: Float = 0.1, step: Int) -> Tensor {
      var x = normals(count, dims: 2, deviation: noise, step: step)
      for row in 0..<count { x[row, 0] += 3 * Float(row % modes) }
      return x
    }
    let data = modes(600, among: 4, step: 0)
    let sound = SampleManifolds(data: data, samples: modes(600, among: 4, step: 1), .alone)
    let dropped = SampleManifolds(data: data, samples: modes(600, among: 2, step: 2), .alone)
    let noisy = SampleManifolds(data: data, samples: modes(600, among: 4, noise: 0.8, step: 3), .alone)
    #expect(sound.precision.value > 0.9 && sound.recall.value > 0.9 && sound.coverage.value > 0.9)
    #expect(dropped.precision.value > 0.9 && dropped.coverage.value < 0.55 && dropped.recall.value < 0.55)
    #expect(noisy.precision.value < 0.3 && noisy.density.mean < 0.3)
  }

  @Test func `of a share have Wilson's interval`() {
    let interval = Share(8, of: 10).interval
    #expect(abs(interval.lowerBound - 0.4902) < 5e-5 && abs(interval.upperBound - 0.9433) < 5e-5)
    #expect(Share(0, of: 5).interval.lowerBound == 0 && Share(5, of: 5).interval.upperBound == 1)
  }
}

@Suite struct `The classifier two-sample test` {
  private static func test(_ data: Tensor, _ samples: Tensor, picture: (height: Int, width: Int, channels: Int)? = nil, threads: Int = 1)
    -> ClassifierTwoSampleTest
  {
    let team = ThreadTeam(count: threads)
    let components = WhitenedComponents(of: data, team)
    return ClassifierTwoSampleTest(
      data: data, samples: samples, features: (components.features(of: data, team), components.features(of: samples, team)),
      picture: picture, using: Philox(seed: 1), team)
  }

  @Test func `is right half of the time where there is nothing to tell`() {
    let test = Self.test(normals(2000, dims: 6), normals(2000, dims: 6, step: 1))
    #expect(test.network.total == 2000 && test.nearestNeighbours.total == 2000)
    #expect(abs(test.network.value - 0.5) < 0.04 && abs(test.nearestNeighbours.value - 0.5) < 0.04)
  }

  @Test func `is right where there is, and the better judge counts`() {
    // As wide in every direction, but not of one shape: ±1 against normal.
    let normal = normals(2000, dims: 6)
    let signs = Tensor(shape: normal.shape, scalars: normals(2000, dims: 6, step: 1).scalars.map { $0 < 0 ? -1 : 1 })
    let test = Self.test(normal, signs)
    #expect(test.better.value > 0.95 && test.better.value == max(test.network.value, test.nearestNeighbours.value))
  }

  @Test func `sees in pictures what lies beside what, the same at any thread count`() {
    // Stripes across against stripes down: each pixel by itself is the same.
    func stripes(_ count: Int, down: Bool, step: Int) -> Tensor {
      var x = normals(count, dims: 64, deviation: 0.3, step: step)
      for row in 0..<count {
        for pixel in 0..<64 { x[row, pixel] += ((down ? pixel % 8 : pixel / 8) + row) % 2 == 0 ? 1 : 0 }
      }
      return x
    }
    let (across, down) = (stripes(400, down: false, step: 0), stripes(400, down: true, step: 1))
    let test = Self.test(across, down, picture: (8, 8, 1))
    #expect(test.network.value > 0.95)
    #expect(Self.test(across, down, picture: (8, 8, 1), threads: 2) == test)
    let same = Self.test(across, stripes(400, down: false, step: 2), picture: (8, 8, 1))
    #expect(same.network.value < 0.6)
  }
}

@Suite struct `The memorization ratio` {
  @Test func `is 0 for copies and 1 for what is new`() {
    let (training, heldOut, fresh) = (normals(800, dims: 5), normals(400, dims: 5, step: 1), normals(400, dims: 5, step: 2))
    let copies = Memorization(samples: training.rows(0..<400), heldOut: heldOut, training: training, .alone)
    let new = Memorization(samples: fresh, heldOut: heldOut, training: training, .alone)
    #expect(copies.ratio < 0.01)
    #expect(new.interval.contains(1) && new.ratio > 0.9 && new.ratio < 1.1)
    // Half of them copies, which halves the mean distance.
    let half = fresh.rows(Array(0..<200))
    let mixed = Tensor(shape: [400, 5], scalars: half.scalars + training.rows(0..<200).scalars)
    #expect(abs(Memorization(samples: mixed, heldOut: heldOut, training: training, .alone).ratio - 0.5) < 0.06)
  }
}

@Suite struct `A Parzen window` {
  @Test func `is the mean of Gaussians about the samples`() {
    let (samples, x) = (normals(7, dims: 3), normals(5, dims: 3, step: 1))
    let window = ParzenWindow(samples: samples, choosing: x, x: x, .alone)
    let deviation = window.deviation
    let expected = (0..<5).map { i in
      let densities = (0..<7).map { j in
        exp(-square(x, i, samples, j) / (2 * deviation * deviation)) / pow(deviation * (2 * Double.pi).squareRoot(), 3)
      }
      return -log(densities.reduce(0, +) / 7)
    }
    #expect(abs(window.nats.mean - expected.reduce(0, +) / 5) < 1e-4)
    // Another width tells these examples no better.
    let narrower = ParzenWindow(samples: samples, choosing: samples, x: x, .alone)
    #expect(narrower.deviation < deviation && narrower.nats.mean > window.nats.mean)
  }
}
