import Tensors

/// The cells of an LSTM over images, computed at one pixel after another: what each gives is, to the bit, what `ImageLSTM` gives for whole
/// images.
struct CellSteps: Sendable {
  private let path: ImageLSTM.Path
  private let units: Int
  private let width: Int
  /// What a cell's gates see of the cells before it; columns are counted from the right where the LSTM comes from there.
  private var seen: PixelwiseConvolution
  private var sums: Tensor
  /// The states h and c, `[images, 2 · units]`, of the row above and of this one as far as it has come, by column.
  private var above: [Tensor]
  private var row: [Tensor]
  private let zero: Tensor

  /// - Parameter V: `[taps, units, 4 · units]`
  init(_ path: ImageLSTM.Path, _ V: Tensor, images: Int, width: Int) {
    (self.path, self.width, units) = (path, width, V.shape[1])
    let taps =
      path == .rows
      ? Taps(height: 2, width: 3, border: .init(top: 1, left: 1, right: 1), live: [(0, 0), (0, 1), (0, 2)])
      : Taps(height: 2, width: 2, border: .init(top: 1, left: 1), live: [(0, 1), (1, 0)])
    seen = PixelwiseConvolution(taps, w: V, bias: nil, images: images, width: width)
    sums = Tensor(repeating: 0, shape: [images, V.shape[2]])
    zero = Tensor(repeating: 0, shape: [images, 2 * V.shape[1]])
    above = [Tensor](repeating: zero, count: width)
    row = above
  }

  /// Called before the first cell of a row.
  mutating func begin() { above = row }

  /// h of the cell at this pixel, `[images, units]`, once those that it sees are there.
  /// - Parameter input: the gates' sums as far as the input makes them, `[images, 4 · units]`.
  mutating func next(_ input: Tensor, row number: Int, column: Int) -> Tensor {
    let place = path == .mirroredDiagonals ? width - 1 - column : column
    seen.result(row: number, column: place, into: &sums)
    var gates = input
    Add().forward([input, sums], into: &gates, .alone)
    let beside = path == .mirroredDiagonals ? column + 1 : column - 1
    let before = path == .rows ? above[column] : row.indices.contains(beside) ? row[beside] : zero
    LSTMCell().forward([gates, before], into: &row[column], .alone)
    let h = h(column)
    seen.put(h, row: number, column: place)
    return h
  }

  /// h of a cell of this row, `[images, units]`.
  func h(_ column: Int) -> Tensor {
    let state = row[column]
    return Tensor(shape: [state.rows, units], scalars: (0..<state.rows).flatMap { state.row($0).prefix(units) })
  }
}
