import CKernels

/// Levels of 0…255 and their mixtures, and gated units.
extension Kernels {
  /// `fount_level_nats`: −ln p of each row of x.
  /// - Parameters:
  ///   - logits: `[batch, …, 256 · channels]`
  ///   - x: `[batch, …, channels]`, levels of 0…255 over 255
  static func levelNats(logits: Tensor, of x: Tensor, into nats: inout Tensor, _ team: ThreadTeam) {
    precondition(logits.count == 256 * x.count && logits.rows == x.rows, "logits of shape \(logits.shape) for \(x.shape)")
    let sites = x.columns
    unsafe rows(logits, x, into: &nats, team) { logits, x in unsafe fount_level_nats(logits, x, sites) }
  }

  /// `fount_level_gradient`: dlogits[r] = the gradient of row r's nats times dnats[r].
  static func levelGradient(logits: Tensor, of x: Tensor, dnats: Tensor, into dlogits: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    precondition(logits.count == 256 * x.count && logits.rows == x.rows, "logits of shape \(logits.shape) for \(x.shape)")
    let sites = x.columns
    unsafe rows(logits, x, dnats, into: &dlogits, team) { d, logits, x, dnats in
      unsafe fount_level_gradient(d, logits, x, dnats, sites, adds ? 1 : 0)
    }
  }

  /// `fount_colour_logistics_nats`: −ln p of each row of x.
  /// - Parameters:
  ///   - parameters: `[batch, …, 10 · components]`
  ///   - x: `[batch, …, 3]`, levels of 0…255 over 255
  static func colourLogisticsNats(parameters: Tensor, of x: Tensor, into nats: inout Tensor, _ team: ThreadTeam) {
    let (pixels, components) = colours(parameters, x)
    unsafe rows(parameters, x, into: &nats, team) { parameters, x in unsafe fount_colour_logistics_nats(parameters, x, pixels, components) }
  }

  /// `fount_colour_logistics_gradient`: dparameters[r] = the gradient of row r's nats times dnats[r].
  static func colourLogisticsGradient(
    parameters: Tensor, of x: Tensor, dnats: Tensor, into gradient: inout Tensor, adds: Bool, _ team: ThreadTeam
  ) {
    let (pixels, components) = colours(parameters, x)
    unsafe rows(parameters, x, dnats, into: &gradient, team) { d, parameters, x, dnats in
      unsafe fount_colour_logistics_gradient(d, parameters, x, dnats, pixels, components, adds ? 1 : 0)
    }
  }

  private static func colours(_ parameters: Tensor, _ x: Tensor) -> (pixels: Int, components: Int) {
    let components = (parameters.shape.last ?? 0) / 10
    precondition((1...Int(fount_logistics_max)).contains(components), "a mixture of \(components) logistics")
    precondition(x.shape.last == 3 && parameters.rows == x.rows, "parameters of shape \(parameters.shape) for \(x.shape)")
    precondition(parameters.count * 3 == x.count * 10 * components, "parameters of shape \(parameters.shape) for \(x.shape)")
    return (x.columns / 3, components)
  }

  /// `fount_logistics_draw`: levels over 255.
  /// - Parameters:
  ///   - parameters: `[rows, 3 · components]` for a depth of 1, `[rows, 10 · components]` for one of 3
  ///   - uniforms: `[rows, 1 + depth]`, of [0, 1)
  /// - Returns: `[rows, depth]`
  package static func drawLogistics(parameters: Tensor, uniforms: Tensor, depth: Int, temperature: Float) -> Tensor {
    precondition(depth == 1 || depth == 3, "a depth of 1 or 3, not \(depth)")
    let (rows, components) = (parameters.rows, parameters.columns / (depth == 1 ? 3 : 10))
    precondition((1...Int(fount_logistics_max)).contains(components), "a mixture of \(components) logistics")
    precondition(parameters.columns == components * (depth == 1 ? 3 : 10), "parameters of shape \(parameters.shape)")
    precondition(uniforms.shape == [rows, 1 + depth], "uniforms of shape \(uniforms.shape), not \([rows, 1 + depth])")
    var levels = Tensor(repeating: 0, shape: [rows, depth])
    unsafe read(parameters) { parameters in
      unsafe read(uniforms) { uniforms in
        unsafe write(&levels) { levels in
          unsafe fount_logistics_draw(levels, parameters, uniforms, rows, depth, components, temperature)
        }
      }
    }
    return levels
  }

  /// A number for each row of two tensors, rounded.
  private static func rows(
    _ parameters: Tensor, _ x: Tensor, into nats: inout Tensor, _ team: ThreadTeam,
    _ one: @Sendable (UnsafePointer<Float>, UnsafePointer<Float>) -> Double
  ) {
    let (count, width, columns) = (x.rows, parameters.columns, x.columns)
    precondition(nats.count == count, "\(nats.count) numbers for \(count) rows")
    unsafe read(parameters) { parameters in
      unsafe read(x) { x in
        unsafe write(&nats) { nats in
          let lent = unsafe Lent((parameters: parameters, x: x, nats: nats))
          team.forEachBlock(of: count) { row in
            let (parameters, x, nats) = unsafe lent.value
            unsafe nats[row] = Float(one(parameters + row * width, x + row * columns))
          }
        }
      }
    }
  }

  /// A row of the gradient for each row of two tensors.
  private static func rows(
    _ parameters: Tensor, _ x: Tensor, _ dnats: Tensor, into gradient: inout Tensor, _ team: ThreadTeam,
    _ one: @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Float) -> Void
  ) {
    let (count, width, columns) = (x.rows, parameters.columns, x.columns)
    precondition(dnats.count == count && gradient.count == parameters.count, "shapes that do not meet")
    unsafe read(parameters) { parameters in
      unsafe read(x) { x in
        unsafe read(dnats) { dnats in
          unsafe write(&gradient) { gradient in
            let lent = unsafe Lent((parameters: parameters, x: x, dnats: dnats, gradient: gradient))
            team.forEachBlock(of: count) { row in
              let (parameters, x, dnats, gradient) = unsafe lent.value
              unsafe one(gradient + row * width, parameters + row * width, x + row * columns, dnats[row])
            }
          }
        }
      }
    }
  }

  // MARK: Gates

  /// `fount_gate`.
  /// - Parameters:
  ///   - x: `[…, 2 · units]`
  ///   - y: `[…, units]`
  static func gate(_ x: Tensor, into y: inout Tensor, _ team: ThreadTeam) {
    let (rows, units) = gates(x, y)
    unsafe read(x) { x in
      unsafe write(&y) { y in
        let lent = unsafe Lent((x: x, y: y))
        inStretches(of: rows, by: rowsAStretch(units), team) { stretch in
          let (x, y) = unsafe lent.value
          let at = stretch.lowerBound * units
          unsafe fount_gate(y + at, x + 2 * at, stretch.count, units)
        }
      }
    }
  }

  /// `fount_gate_gradient`.
  static func gateGradient(_ x: Tensor, dy: Tensor, into dx: inout Tensor, adds: Bool, _ team: ThreadTeam) {
    let (rows, units) = gates(x, dy)
    precondition(dx.count == x.count, "shapes that do not meet: \(dx.shape), \(x.shape)")
    unsafe read(x) { x in
      unsafe read(dy) { dy in
        unsafe write(&dx) { dx in
          let lent = unsafe Lent((x: x, dy: dy, dx: dx))
          inStretches(of: rows, by: rowsAStretch(units), team) { stretch in
            let (x, dy, dx) = unsafe lent.value
            let at = stretch.lowerBound * units
            unsafe fount_gate_gradient(dx + 2 * at, dy + at, x + 2 * at, stretch.count, units, adds ? 1 : 0)
          }
        }
      }
    }
  }

  private static func gates(_ x: Tensor, _ y: Tensor) -> (rows: Int, units: Int) {
    let units = y.shape.last ?? 0
    precondition(units > 0 && x.shape.last == 2 * units && x.count == 2 * y.count, "shapes that do not meet: \(x.shape), \(y.shape)")
    return (y.count / units, units)
  }
}
