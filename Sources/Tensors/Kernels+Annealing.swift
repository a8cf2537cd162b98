import CKernels

/// Boltzmann machines on their way from a simple one.
extension Kernels {
  /// `fount_annealed_units`: bits of σ(to · sums), told as 0 and `to`, and for each row Σ ln(1 + e^(to·s)) − ln(1 + e^(from·s)). With a
  /// base the sums begin there at β = 0.
  /// - Parameters:
  ///   - sums: `[batch, units]`
  ///   - base: `[units]`
  ///   - from: the inverse temperature before; that of now makes the ratios 0.
  ///   - bits: of the same shape.
  package static func annealedUnits(
    _ sums: Tensor, base: Tensor? = nil, from: Float = 1, to: Float = 1, _ draw: Draw, bits: inout Tensor, _ team: ThreadTeam
  ) -> [Double] {
    let (rows, columns) = (sums.rows, sums.columns)
    precondition(bits.shape == sums.shape && draw.examples.count == rows, "\(bits.shape) bits for \(sums.shape), \(draw.examples.count)")
    precondition(base.map { $0.count == columns } ?? true, "a base of \(columns), not \(String(describing: base?.shape))")
    var ratios = [Double](repeating: 0, count: rows)
    unsafe ratios.withUnsafeMutableBufferPointer { ratios in
      unsafe read(sums) { sums in
        unsafe readIfAny(base) { base in
          unsafe write(&bits) { bits in
            let lent = unsafe Lent((sums: sums, base: base, bits: bits, ratios: ratios))
            inStretches(of: rows, by: rowsAStretch(8 * columns), team) { stretch in
              let (sums, base, bits, ratios) = unsafe lent.value
              for row in stretch {
                unsafe ratios[row] = fount_annealed_units(
                  bits + row * columns, sums + row * columns, base, columns, from, to, draw.examples[row], UInt32(draw.step),
                  draw.stream.number, draw.randomness.seed)
              }
            }
          }
        }
      }
    }
    return ratios
  }

  /// `fount_normal` and `fount_add`: x with a standard normal number added to each of its own.
  /// - Parameter x: `[batch, units]`
  package static func shifted(_ x: Tensor, byNormals draw: Draw, _ team: ThreadTeam) -> Tensor {
    let (rows, columns) = (x.rows, x.columns)
    precondition(draw.examples.count == rows, "\(rows) rows for \(draw.examples.count) examples")
    var y = Tensor(repeating: 0, shape: x.shape)
    unsafe read(x) { x in
      unsafe write(&y) { y in
        let lent = unsafe Lent((x: x, y: y))
        inStretches(of: rows, by: rowsAStretch(8 * columns), team) { stretch in
          let (x, y) = unsafe lent.value
          for row in stretch {
            let at = row * columns
            unsafe fount_normal(y + at, columns, draw.examples[row], UInt32(draw.step), draw.stream.number, draw.randomness.seed)
            unsafe fount_add(y + at, x + at, columns, 1, 1)
          }
        }
      }
    }
    return y
  }

  /// x·w + bias, where what is 0 in x costs nothing: the sums of `units`.
  /// - Parameters:
  ///   - x: `[batch, inputs]`
  ///   - w: `[inputs, outputs]`, or `[outputs, inputs]` where it is transposed.
  /// - Returns: `[batch, outputs]`
  package static func sums(_ x: Tensor, _ w: Tensor, transposed: Bool = false, bias: Tensor? = nil, _ team: ThreadTeam) -> Tensor {
    var (y, none) = (Tensor(repeating: 0, shape: [x.rows, w.shape[transposed ? 0 : 1]]), Tensor.empty)
    sparseLayer(x, w, transposed: transposed, bias: bias, .identity, nil, into: &y, bits: &none, team)
    return y
  }

  /// The mean of each column, `[columns]`.
  package static func meanOfRows(_ x: Tensor, _ team: ThreadTeam) -> Tensor {
    var mean = Tensor(repeating: 0, shape: [x.columns])
    sumOfRows(x, into: &mean, adds: false, team)
    let share = 1 / Float(x.rows)
    update(&mean) { $1 * share }
    return mean
  }
}
