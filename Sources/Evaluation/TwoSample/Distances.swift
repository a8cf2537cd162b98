import Tensors

/// Euclidean distances between the rows of two sets, some rows at a time: 5 000 against 5 000 are never all in memory.
package enum Distances {
  /// Rows at once; chosen so that a block of 5 000 columns stays in the cache. Nothing depends on it.
  private static let rowsAtOnce = 128

  /// Calls `body` for each row of x, in order.
  /// - Parameters:
  ///   - x: `[n, dims]`
  ///   - y: `[m, dims]`
  ///   - body: a row's number, and its squared distances to every row of y, `[m]`.
  package static func forEachRow(_ x: Tensor, to y: Tensor, _ team: ThreadTeam, _ body: (_ row: Int, _ squares: Span<Float>) -> Void) {
    precondition(x.columns == y.columns, "no distances between \(x.shape) and \(y.shape)")
    let (across, norms) = (y.transposed, y.squaredNorms)
    for start in stride(from: 0, to: x.rows, by: rowsAtOnce) {
      let rows = x.rows(start..<min(start + rowsAtOnce, x.rows))
      var products = Tensor(repeating: 0, shape: [rows.rows, y.rows])
      Dense().forward([rows, across], into: &products, team)
      let own = rows.squaredNorms
      var squares = products.scalars
      let m = y.rows
      for row in 0..<rows.rows {
        for column in 0..<m {
          // What rounding takes below 0 is 0.
          let square = own[row] + norms[column] - 2 * squares[row * m + column]
          squares[row * m + column] = square > 0 ? square : 0
        }
      }
      for row in 0..<rows.rows { body(start + row, squares.span.extracting(row * m..<(row + 1) * m)) }
    }
  }

  /// The squared distance of each row of x to its k-th nearest row of y, k from 1.
  /// - Parameter besidesItself: whether x and y are one set, where the row itself does not count.
  static func kthNearestSquares(_ x: Tensor, to y: Tensor, k: Int, besidesItself: Bool = false, _ team: ThreadTeam) -> [Float] {
    precondition(k >= 1 && y.rows >= k + (besidesItself ? 1 : 0), "neighbour \(k) of \(y.rows) rows")
    var result: [Float] = []
    result.reserveCapacity(x.rows)
    forEachRow(x, to: y, team) { row, squares in
      result.append(nearest(k, in: squares, leavingOut: besidesItself ? row : nil).last?.square ?? 0)
    }
    return result
  }

  package struct Neighbour: Equatable {
    package var index: Int
    package var square: Float
  }

  /// The k nearest, nearest first; of those as near as each other the first.
  package static func nearest(_ k: Int, in squares: Span<Float>, leavingOut own: Int? = nil) -> [Neighbour] {
    var nearest: [Neighbour] = []
    var bound = Float.infinity
    for index in squares.indices where squares[index] < bound || nearest.count < k {
      guard index != own else { continue }
      var place = nearest.count
      while place > 0, nearest[place - 1].square > squares[index] { place -= 1 }
      nearest.insert(Neighbour(index: index, square: squares[index]), at: place)
      if nearest.count > k { nearest.removeLast() }
      if nearest.count == k { bound = nearest[k - 1].square }
    }
    return nearest
  }
}

extension Tensor {
  /// `[columns, rows]`
  var transposed: Tensor {
    let (rows, columns, from) = (rows, columns, scalars)
    var to = [Float](repeating: 0, count: from.count)
    for row in 0..<rows {
      for column in 0..<columns { to[column * rows + row] = from[row * columns + column] }
    }
    return Tensor(shape: [columns, rows], scalars: to)
  }

  /// Of each row.
  var squaredNorms: [Float] {
    (0..<rows).map { Float(row($0).reduce(0.0) { $0 + Double($1) * Double($1) }) }
  }

  /// The rows of these numbers, in their order.
  package func rows(_ indices: [Int]) -> Tensor {
    Tensor(shape: [indices.count] + shape.dropFirst(), scalars: indices.flatMap { row($0) })
  }

  /// The rows of both, these first.
  func stacked(on other: Tensor) -> Tensor {
    precondition(columns == other.columns, "rows of \(shape) on those of \(other.shape)")
    return Tensor(shape: [rows + other.rows, columns], scalars: scalars + other.scalars)
  }

  func product(_ other: Tensor, _ team: ThreadTeam) -> Tensor {
    var y = Tensor(repeating: 0, shape: [rows, other.columns])
    Dense().forward([self, other], into: &y, team)
    return y
  }
}
