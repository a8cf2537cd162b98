import CKernels

/// Diagonal Gaussians.
extension Kernels {
  /// `fount_gaussian`: a draw for each row.
  /// - Parameters:
  ///   - parameters: `[batch, 2 · dims]`
  ///   - z: `[batch, dims]`
  static func gaussian(_ parameters: Tensor, _ draw: GaussianDraw, into z: inout Tensor, _ team: ThreadTeam) {
    let (rows, dims) = gaussians(parameters)
    check(draw, rows: rows)
    precondition(z.shape == [rows, dims], "z has shape \(z.shape), not \([rows, dims])")
    unsafe read(parameters) { parameters in
      unsafe write(&z) { z in
        let lent = unsafe Lent((parameters: parameters, z: z))
        inStretches(of: rows, by: rowsAStretch(8 * dims), team) { stretch in
          let (parameters, z) = unsafe lent.value
          for row in stretch {
            unsafe fount_gaussian(
              z + row * dims, parameters + 2 * row * dims, dims, UInt32(draw.examples[row]), UInt32(draw.step), draw.stream.number,
              draw.randomness.seed)
          }
        }
      }
    }
  }

  /// `fount_gaussian_gradient`.
  static func gaussianGradient(
    _ parameters: Tensor, _ draw: GaussianDraw, dz: Tensor, into dparameters: inout Tensor, adds: Bool, _ team: ThreadTeam
  ) {
    let (rows, dims) = gaussians(parameters)
    check(draw, rows: rows)
    precondition(dz.shape == [rows, dims] && dparameters.shape == parameters.shape, "shapes that do not meet")
    unsafe read(parameters) { parameters in
      unsafe read(dz) { dz in
        unsafe write(&dparameters) { dparameters in
          let lent = unsafe Lent((parameters: parameters, dz: dz, dparameters: dparameters))
          inStretches(of: rows, by: rowsAStretch(8 * dims), team) { stretch in
            let (parameters, dz, dparameters) = unsafe lent.value
            for row in stretch {
              unsafe fount_gaussian_gradient(
                dparameters + 2 * row * dims, dz + row * dims, parameters + 2 * row * dims, dims, adds ? 1 : 0,
                UInt32(draw.examples[row]), UInt32(draw.step), draw.stream.number, draw.randomness.seed)
            }
          }
        }
      }
    }
  }

  /// `fount_gaussian_divergence` of each row, rounded.
  static func gaussianDivergence(_ parameters: Tensor, into nats: inout Tensor, _ team: ThreadTeam) {
    let (rows, dims) = gaussians(parameters)
    precondition(nats.count == rows, "\(nats.count) numbers for \(rows) rows")
    unsafe read(parameters) { parameters in
      unsafe write(&nats) { nats in
        let lent = unsafe Lent((parameters: parameters, nats: nats))
        inStretches(of: rows, by: rowsAStretch(2 * dims), team) { stretch in
          let (parameters, nats) = unsafe lent.value
          for row in stretch { unsafe nats[row] = Float(fount_gaussian_divergence(parameters + 2 * row * dims, dims)) }
        }
      }
    }
  }

  /// `fount_gaussian_divergence_gradient`.
  static func gaussianDivergenceGradient(
    _ parameters: Tensor, dnats: Tensor, into dparameters: inout Tensor, adds: Bool, _ team: ThreadTeam
  ) {
    let (rows, dims) = gaussians(parameters)
    precondition(dnats.count == rows && dparameters.shape == parameters.shape, "shapes that do not meet")
    unsafe read(parameters) { parameters in
      unsafe read(dnats) { dnats in
        unsafe write(&dparameters) { dparameters in
          let lent = unsafe Lent((parameters: parameters, dnats: dnats, dparameters: dparameters))
          inStretches(of: rows, by: rowsAStretch(2 * dims), team) { stretch in
            let (parameters, dnats, dparameters) = unsafe lent.value
            for row in stretch {
              let at = 2 * row * dims
              unsafe fount_gaussian_divergence_gradient(dparameters + at, parameters + at, dnats[row], dims, adds ? 1 : 0)
            }
          }
        }
      }
    }
  }

  private static func gaussians(_ parameters: Tensor) -> (rows: Int, dims: Int) {
    let dims = parameters.columns / 2
    precondition(parameters.shape.count == 2 && parameters.columns == 2 * dims && dims > 0, "Gaussians of shape \(parameters.shape)")
    return (parameters.rows, dims)
  }

  private static func check(_ draw: GaussianDraw, rows: Int) {
    precondition(draw.examples.count == rows, "\(rows) rows for \(draw.examples.count) examples")
  }
}
