import CKernels

/// Mixtures of Gaussians.
extension Kernels {
  package static let gaussiansMax = Int(fount_gaussians_max)

  /// `fount_gaussians_nats`: −ln of the density of each row of x.
  /// - Parameters:
  ///   - parameters: 3 · components for each number of x.
  ///   - x: `[batch, …]`
  package static func gaussiansNats(_ parameters: Tensor, components: Int, of x: Tensor, _ team: ThreadTeam) -> [Double] {
    let (rows, sites) = extents(parameters, components, x)
    var nats = [Double](repeating: 0, count: rows)
    unsafe nats.withUnsafeMutableBufferPointer { nats in
      unsafe read(parameters) { parameters in
        unsafe read(x) { x in
          let lent = unsafe Lent((parameters: parameters, x: x, nats: nats))
          inStretches(of: rows, by: rowsAStretch(sites * components), team) { stretch in
            let (parameters, x, nats) = unsafe lent.value
            for row in stretch {
              let at = row * sites
              unsafe nats[row] = fount_gaussians_nats(parameters + at * 3 * components, x + at, sites, components)
            }
          }
        }
      }
    }
    return nats
  }

  /// `fount_gaussians_gradient`: the gradient of row r's nats by its parameters, times dnats[r].
  static func gaussiansGradient(
    _ parameters: Tensor, components: Int, of x: Tensor, dnats: Tensor, into gradient: inout Gradient, _ team: ThreadTeam
  ) {
    let (rows, sites) = extents(parameters, components, x)
    let adds = gradient.adds
    precondition(dnats.count == rows && gradient.tensor.count == parameters.count, "shapes that do not meet")
    unsafe read(parameters) { parameters in
      unsafe read(x) { x in
        unsafe read(dnats) { dnats in
          unsafe write(&gradient.tensor) { gradient in
            let lent = unsafe Lent((parameters: parameters, x: x, dnats: dnats, gradient: gradient))
            inStretches(of: rows, by: rowsAStretch(sites * components), team) { stretch in
              let (parameters, x, dnats, gradient) = unsafe lent.value
              for row in stretch {
                let at = row * sites * 3 * components
                unsafe fount_gaussians_gradient(
                  gradient + at, parameters + at, x + row * sites, dnats[row], sites, components, adds ? 1 : 0)
              }
            }
          }
        }
      }
    }
  }

  /// `fount_gaussians_draw`: a number for each site.
  /// - Parameters:
  ///   - parameters: `[sites, 3 · components]`
  ///   - uniforms: `[sites]`, in [0, 1), for the component.
  ///   - normals: `[sites]`, for the number itself.
  ///   - temperature: what logits are divided by; a Gaussian is wider by its root.
  package static func drawGaussians(
    _ parameters: Tensor, components: Int, uniforms: Tensor, normals: Tensor, temperature: Float
  ) -> [Float] {
    let sites = uniforms.count
    _ = extents(parameters, components, uniforms)
    precondition(normals.count == sites && temperature > 0, "\(normals.count) normal numbers for \(sites), temperature \(temperature)")
    var drawn = Tensor(repeating: 0, shape: [sites])
    unsafe read(parameters) { parameters in
      unsafe read(uniforms) { uniforms in
        unsafe read(normals) { normals in
          unsafe write(&drawn) { drawn in
            unsafe fount_gaussians_draw(drawn, parameters, uniforms, normals, sites, components, temperature)
          }
        }
      }
    }
    return drawn.scalars
  }

  private static func extents(_ parameters: Tensor, _ components: Int, _ x: Tensor) -> (rows: Int, sites: Int) {
    precondition((1...gaussiansMax).contains(components), "a mixture of \(components) Gaussians")
    precondition(parameters.count == x.count * 3 * components, "parameters of shape \(parameters.shape) for \(x.shape)")
    return (x.rows, x.columns)
  }
}
