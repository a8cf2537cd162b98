/// Eigenvalues and eigenvectors of small symmetric matrices, by Jacobi's rotations (Golub & Van Loan, Matrix Computations, §8.5).
enum SymmetricEigen {
  /// - Parameter matrix: `[n, n]`, symmetric; n up to some hundreds.
  /// - Returns: the values `[n]`, in no order, and the vectors as the columns of `[n, n]`.
  static func decompose(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let n = matrix.count
    precondition(matrix.allSatisfy { $0.count == n }, "a square matrix, not \(matrix.map(\.count))")
    var (a, v) = (matrix, (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0.0 } })
    let scale = a.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
    // Each sweep squares what is off the diagonal, roughly: ten are more than any matrix needed.
    for _ in 0..<30 {
      var off = 0.0
      for i in 0..<n { for j in 0..<i { off += a[i][j] * a[i][j] } }
      guard off > 1e-28 * scale else { break }
      for p in 0..<n {
        for q in p + 1..<max(n, p + 1) where a[p][q] != 0 {
          let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
          let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          rotate(&a, &v, p, q, c: c, s: t * c)
        }
      }
    }
    return ((0..<n).map { a[$0][$0] }, v)
  }

  private static func rotate(_ a: inout [[Double]], _ v: inout [[Double]], _ p: Int, _ q: Int, c: Double, s: Double) {
    for k in a.indices {
      let (kp, kq) = (a[k][p], a[k][q])
      a[k][p] = c * kp - s * kq
      a[k][q] = s * kp + c * kq
      let (vp, vq) = (v[k][p], v[k][q])
      v[k][p] = c * vp - s * vq
      v[k][q] = s * vp + c * vq
    }
    for k in a.indices {
      let (pk, qk) = (a[p][k], a[q][k])
      a[p][k] = c * pk - s * qk
      a[q][k] = s * pk + c * qk
    }
  }
}
