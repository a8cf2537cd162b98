import Tensors

/// The features in which samples and data are compared: the first principal components, each scaled to variance 1.
///
/// They depend on the real examples alone and on nothing that was learnt elsewhere, so that anyone can compute them again; a change to
/// how is another `version`.
package struct WhitenedComponents: Sendable {
  package static let version = "whitened_pca_64_v1"
  package static let countMax = 64

  /// `[dims]`
  private let mean: [Float]
  /// `[dims, components]`, each over the root of its variance.
  private let axes: Tensor
  /// Of each component before it is scaled, the greatest first.
  package let variances: [Double]

  package var count: Int { variances.count }
  /// Of features' columns: as many, and one that is 0 where there are no components at all.
  var axisCount: Int { axes.columns }

  /// More axes than are wanted are turned, which makes the last wanted ones come out sooner (Halko, Martinsson & Tropp 2011, §4.5); and how
  /// often: where variances fall slowly, axes are still mixed with their neighbours then, and whitening makes that a mere rotation.
  private static let (axesMore, turns) = (16, 12)
  /// Components of less than this share of the first one's variance are left out: whitening would make the least noise of a sample in them
  /// larger than all else. Chosen: in 64 numbers a digit, corners that hardly ever change made every other distance vanish.
  private static let leastShare = 1e-4

  /// - Parameter x: two or more real examples, `[n, dims]`.
  package init(of x: Tensor, _ team: ThreadTeam) {
    precondition(x.rows >= 2, "components of \(x.rows) examples")
    let (n, dims) = (x.rows, x.columns)
    var sums = [Double](repeating: 0, count: dims)
    for row in 0..<n { for (d, value) in x.row(row).enumerated() { sums[d] += Double(value) } }
    let mean = sums.map { Float($0 / Double(n)) }
    let centred = Self.centred(x, mean)
    let across = centred.transposed
    let width = min(Self.countMax + Self.axesMore, dims, n - 1)
    var axes = Tensor(normal: width, .structure, examples: Array(0..<dims), using: Philox(seed: 0))
    Self.orthonormalize(&axes)
    for _ in 0..<Self.turns {
      axes = across.product(centred.product(axes, team), team)
      Self.orthonormalize(&axes)
    }
    let projected = centred.product(axes, team)
    let (values, vectors) = SymmetricEigen.decompose(Self.covariance(projected))
    let order = values.indices.sorted { values[$0] > values[$1] }
    let greatest = max(values[order[0]], 0)
    let kept = order.prefix(Self.countMax).filter { values[$0] > Self.leastShare * greatest && values[$0] > 0 }
    var scaled = Tensor(repeating: 0, shape: [width, max(kept.count, 1)])
    for (place, axis) in kept.enumerated() {
      for row in 0..<width { scaled[row, place] = Float(vectors[row][axis] / values[axis].squareRoot()) }
    }
    self.mean = mean
    self.axes = axes.product(scaled, team)
    variances = kept.map { values[$0] }
  }

  /// - Parameter x: `[n, dims]`
  /// - Returns: `[n, count]`; over the examples that it was made of, each column has mean 0 and variance 1.
  package func features(of x: Tensor, _ team: ThreadTeam) -> Tensor { Self.centred(x, mean).product(axes, team) }

  private static func centred(_ x: Tensor, _ mean: [Float]) -> Tensor {
    var scalars = x.scalars
    let dims = mean.count
    for index in scalars.indices { scalars[index] -= mean[index % dims] }
    return Tensor(shape: [x.rows, dims], scalars: scalars)
  }

  /// `[columns, columns]`, in double.
  private static func covariance(_ x: Tensor) -> [[Double]] {
    let (columns, scalars) = (x.columns, x.scalars)
    var sums = [[Double]](repeating: [Double](repeating: 0, count: columns), count: columns)
    for row in 0..<x.rows {
      for i in 0..<columns {
        let value = Double(scalars[row * columns + i])
        for j in i..<columns { sums[i][j] += value * Double(scalars[row * columns + j]) }
      }
    }
    for i in 0..<columns {
      for j in i..<columns {
        sums[i][j] /= Double(x.rows - 1)
        sums[j][i] = sums[i][j]
      }
    }
    return sums
  }

  /// Modified Gram & Schmidt over columns, twice, in double. A column that the others make up becomes 0.
  private static func orthonormalize(_ axes: inout Tensor) {
    let (rows, columns) = (axes.rows, axes.columns)
    var vectors = (0..<columns).map { column in (0..<rows).map { Double(axes[$0, column]) } }
    for column in 0..<columns {
      let before = dot(vectors[column], vectors[column])
      for _ in 0..<2 {
        for other in 0..<column {
          let along = dot(vectors[column], vectors[other])
          for row in 0..<rows { vectors[column][row] -= along * vectors[other][row] }
        }
      }
      let square = dot(vectors[column], vectors[column])
      let scale = square > 1e-20 * before ? 1 / square.squareRoot() : 0
      for row in 0..<rows { vectors[column][row] *= scale }
    }
    var scalars = [Float](repeating: 0, count: rows * columns)
    for column in 0..<columns { for row in 0..<rows { scalars[row * columns + column] = Float(vectors[column][row]) } }
    axes = Tensor(shape: [rows, columns], scalars: scalars)
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }
}
