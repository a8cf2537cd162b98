/// An LSTM that goes through images line by line (van den Oord, Kalchbrenner & Kavukcuoglu 2016, §3.1 and §3.2), with the cell of
/// `LSTMCell`.
///
/// Inputs: the gates' sums as far as the input makes them, x `[batch, height, width, 4 · units]`, in the order in, forget, candidate, out;
/// and the weights of what a cell sees of the line before, `[taps, units, 4 · units]`. y is h, `[batch, height, width, units]`.
package struct ImageLSTM: Primitive {
  package enum Path: Sendable, Hashable, CaseIterable {
    /// A line is a row; a cell sees those above it: to the left, straight, to the right.
    case rows
    /// A line is a diagonal, from the upper left corner on; a cell sees the pixel above it and the one to its left.
    case diagonals
    /// The same from the upper right corner on; a cell sees the pixel above it and the one to its right.
    case mirroredDiagonals

    /// The places that a cell sees, in the order of their weights.
    package var tapCount: Int { self == .rows ? 3 : 2 }
  }

  package let path: Path

  package init(_ path: Path) { self.path = path }

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0].dropLast() + [inputs[1][1]] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.imageLSTM(path, inputs[0], inputs[1], into: &y, team)
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    guard var dw = dInputs[1] else { preconditionFailure("weights without a gradient have nothing to learn") }
    var dx = dInputs[0]
    for position in dInputs.indices { dInputs[position] = nil }
    Kernels.imageLSTMGradients(path, inputs[0], inputs[1], dy: dy, dx: &dx, dw: &dw, team)
    dInputs[0] = dx
    dInputs[1] = dw
  }

  package static var examples: [PrimitiveExample] {
    Path.allCases.flatMap { path in
      // Higher than wide and wider than high; more images than blocks and fewer; units that fill no panel, and more than one.
      [(9, 2, 3, 2), (2, 4, 2, 5), (1, 3, 1, 17)].map { (batch, height, width, units) in
        PrimitiveExample(
          ImageLSTM(path),
          [
            .example(batch, height, width, 4 * units, in: -2..<2), .example(path.tapCount, units, 4 * units, index: 1, in: -0.5..<0.5),
          ])
      }
    }
  }
}
