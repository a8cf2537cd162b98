import Foundation
import Tensors

/// A tensor in double precision.
struct Doubles {
  let shape: [Int]
  var scalars: [Double]

  init(shape: [Int], scalars: [Double]) { (self.shape, self.scalars) = (shape, scalars) }

  init(_ tensor: Tensor) { (shape, scalars) = (tensor.shape, tensor.scalars.map(Double.init)) }

  /// The number at these indices, row-major.
  subscript(_ indices: Int...) -> Double { scalars[zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }] }

  /// All but the last axis, and the last.
  var rows: Int { scalars.count / columns }
  var columns: Int { shape.last ?? 1 }
}

/// What a primitive computes, written a second time: from its documentation, in double precision, with nothing skipped and nothing fused.
protocol DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double]
}

private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

extension Activation {
  func exactly(_ x: Double) -> Double {
    switch self {
    case .identity: x
    case .relu: Swift.max(x, 0)
    case .leakyRelu: x < 0 ? 0.2 * x : x
    case .sigmoid: logistic(x)
    case .tanh: Foundation.tanh(x)
    }
  }
}

extension Dense: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (x, w) = (inputs[0], inputs[1])
    return (0..<x.rows).flatMap { r in
      (0..<w.columns).map { c in
        let live = mask?.live[c] ?? x.columns
        return activation.exactly((0..<live).reduce(inputs.count > 2 ? inputs[2][c] : 0) { $0 + x[r, $1] * w[$1, c] })
      }
    }
  }
}

extension Taps {
  /// Every product of a convolution: calls with an image's pixel and a result's pixel, and the tap between them.
  func forEach(image: [Int], result: [Int], _ body: (_ pixel: (y: Int, x: Int), _ at: (y: Int, x: Int), _ tap: Int) -> Void) {
    for row in 0..<result[1] {
      for column in 0..<result[2] {
        for tap in 0..<count {
          let (y, x) = (row * stride + Int(self.y[tap]) - border.top, column * stride + Int(self.x[tap]) - border.left)
          if (0..<image[1]).contains(y), (0..<image[2]).contains(x) { body((y, x), (row, column), tap) }
        }
      }
    }
  }
}

extension Convolution: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (x, w) = (inputs[0], inputs[1])
    let (result, filters) = (shape(of: inputs.map(\.shape)), w.columns)
    var y = (0..<result.reduce(1, *)).map { inputs.count > 2 ? inputs[2][$0 % filters] : 0 }
    for image in 0..<result[0] {
      taps.forEach(image: x.shape, result: result) { pixel, at, tap in
        for f in 0..<filters {
          let place = ((image * result[1] + at.y) * result[2] + at.x) * filters + f
          for channel in 0..<x.columns { y[place] += x[image, pixel.y, pixel.x, channel] * w[tap, channel, f] }
        }
      }
    }
    return y.map(activation.exactly)
  }
}

extension ConvolutionStack: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    var (h, sums) = (inputs[0], [Doubles]())
    for (index, layer) in layers.enumerated() {
      let operands = [h, inputs[1 + 2 * index], inputs[2 + 2 * index]]
      let convolution = Convolution(layer.taps)
      var sum = Doubles(shape: convolution.shape(of: operands.map(\.shape)), scalars: convolution.exactly(operands))
      if let joined = layer.joins { sum.scalars = zip(sum.scalars, sums[joined].scalars).map(+) }
      sums.append(sum)
      h = Doubles(shape: sum.shape, scalars: sum.scalars.map(layer.activation.exactly))
    }
    return h.scalars
  }
}

extension TransposedConvolution: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (x, w) = (inputs[0], inputs[1])
    let (image, channels) = (shape(of: inputs.map(\.shape)), w.shape[1])
    var y = (0..<image.reduce(1, *)).map { inputs.count > 2 ? inputs[2][$0 % channels] : 0 }
    for index in 0..<image[0] {
      taps.forEach(image: image, result: x.shape) { pixel, at, tap in
        for channel in 0..<channels {
          let place = ((index * image[1] + pixel.y) * image[2] + pixel.x) * channels + channel
          for f in 0..<x.columns { y[place] += x[index, at.y, at.x, f] * w[tap, channel, f] }
        }
      }
    }
    return y.map(activation.exactly)
  }
}

extension Add: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] { zip(inputs[0].scalars, inputs[1].scalars).map(+) }
}

extension Multiply: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] { zip(inputs[0].scalars, inputs[1].scalars).map(*) }
}

extension Map: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    inputs[0].scalars.map { x in
      switch function {
      case .exp: exp(x)
      case .log: log(x)
      case .sigmoid: logistic(x)
      case .softplus: softplus(x)
      case .tanh: Foundation.tanh(x)
      }
    }
  }
}

extension Activate: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] { inputs[0].scalars.map(activation.exactly) }
}

extension Reshape: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] { inputs[0].scalars }
}

extension Gather: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let x = inputs[0]
    let width = x.shape.count > 1 ? x.shape[1] : 1
    let (rows, columns) = (rows?.indices ?? (0..<Int32(x.shape[0])).map { $0 }, columns?.indices ?? (0..<Int32(width)).map { $0 })
    return rows.flatMap { r in columns.map { c in x.scalars[Int(r) * width + Int(c)] } }
  }
}

extension Dropout: DoublePrecision {
  /// What is dropped is taken from the kernel itself; its shares and addresses have tests of their own.
  func exactly(_ inputs: [Doubles]) -> [Double] {
    var kept = Tensor(repeating: .nan, shape: inputs[0].shape)
    forward([Tensor(repeating: 1, shape: inputs[0].shape)], into: &kept, .alone)
    return zip(inputs[0].scalars, kept.scalars).map { $0 * Double($1) }
  }
}

extension LayerNorm: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let x = inputs[0]
    return (0..<x.rows).flatMap { r in
      normalized(Array(x.scalars[r * x.columns..<(r + 1) * x.columns]), epsilon).enumerated().map { c, z in
        z * inputs[1][c] + inputs[2][c]
      }
    }
  }
}

extension BatchNorm: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let x = inputs[0]
    var y = x.scalars
    for c in 0..<x.columns {
      let column = normalized((0..<x.rows).map { x.scalars[$0 * x.columns + c] }, epsilon)
      for (r, z) in column.enumerated() { y[r * x.columns + c] = z * inputs[1][c] + inputs[2][c] }
    }
    return y
  }
}

private func normalized(_ x: [Double], _ epsilon: Float) -> [Double] {
  let mean = x.reduce(0, +) / Double(x.count)
  let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
  return x.map { ($0 - mean) / (variance + Double(epsilon)).squareRoot() }
}

extension SpectralNorm: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let w = inputs[0]
    var sigma = 0.0
    for r in 0..<w.rows {
      for c in 0..<w.columns { sigma += Double(u.scalars[r]) * w.scalars[r * w.columns + c] * Double(v.scalars[c]) }
    }
    return w.scalars.map { $0 / sigma }
  }
}

extension LSTMCell: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (gates, before) = (inputs[0], inputs[1])
    let units = before.columns / 2
    return (0..<before.rows).flatMap { r in
      let state = (0..<units).map { u in
        let (enter, forget) = (logistic(gates[r, u]), logistic(gates[r, units + u]))
        return forget * before[r, units + u] + enter * tanh(gates[r, 2 * units + u])
      }
      return (0..<units).map { logistic(gates[r, 3 * units + $0]) * tanh(state[$0]) } + state
    }
  }
}

extension BernoulliNats: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (logits, x) = (inputs[0], inputs[1])
    return (0..<x.rows).map { r in (0..<x.columns).reduce(0) { $0 + softplus(logits[r, $1]) - x[r, $1] * logits[r, $1] } }
  }
}

extension SoftmaxNats: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let logits = inputs[0]
    return (0..<logits.rows).map { r in
      log((0..<logits.columns).reduce(0) { $0 + exp(logits[r, $1]) }) - logits[r, Int(inputs[1][r])]
    }
  }
}

extension LogisticsNats: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (parameters, levels) = (inputs[0], inputs[1])
    let (components, sites) = (parameters.columns / 3, levels.scalars.count / levels.shape[0])
    return (0..<levels.shape[0]).map { r in
      (0..<sites).reduce(0) { nats, site in
        let at = (r * sites + site) * 3 * components
        let shares = (0..<components).map { exp(parameters.scalars[at + $0]) }
        let masses = (0..<components).map {
          binMass(
            levels.scalars[r * sites + site], mean: parameters.scalars[at + components + $0],
            scale: exp(parameters.scalars[at + 2 * components + $0]))
        }
        return nats - log(zip(shares, masses).reduce(0) { $0 + $1.0 * $1.1 } / shares.reduce(0, +))
      }
    }
  }

  /// The mass of a logistic on −1…1 in the bin of a level of 0…1; the outermost bins reach to infinity.
  private func binMass(_ level: Double, mean: Double, scale: Double) -> Double {
    let whole = (level * 255).rounded()
    let upper = whole == 255 ? 1 : logistic(((2 * whole + 1) / 255 - 1 - mean) / scale)
    let lower = whole == 0 ? 0 : logistic(((2 * whole - 1) / 255 - 1 - mean) / scale)
    return upper - lower
  }
}

extension GaussianDraw: DoublePrecision {
  /// The normal numbers are the kernel's own, by its means alone; what they are has tests of its own.
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (parameters, dims) = (inputs[0], inputs[0].columns / 2)
    var normals = Tensor(repeating: .nan, shape: [parameters.rows, dims])
    forward([Tensor(repeating: 0, shape: parameters.shape)], into: &normals, .alone)
    return (0..<parameters.rows).flatMap { r in
      (0..<dims).map { parameters[r, $0] + exp(parameters[r, dims + $0] / 2) * Double(normals.scalars[r * dims + $0]) }
    }
  }
}

extension GaussianDivergence: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (parameters, dims) = (inputs[0], inputs[0].columns / 2)
    return (0..<parameters.rows).map { r in
      (0..<dims).reduce(0) { nats, d in
        let (mean, logVariance) = (parameters[r, d], parameters[r, dims + d])
        return nats + (mean * mean + exp(logVariance) - 1 - logVariance) / 2
      }
    }
  }
}

extension GaussiansNats: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (parameters, x) = (inputs[0].scalars, inputs[1])
    let sites = x.scalars.count / x.shape[0]
    return (0..<x.shape[0]).map { r in
      (r * sites..<(r + 1) * sites).reduce(0) { nats, site in
        let at = site * 3 * components
        let shares = (at..<at + components).map { exp(parameters[$0]) }
        let densities = (at..<at + components).map { k in
          let deviation = exp(max(parameters[k + 2 * components], -7))
          return exp(-pow((x.scalars[site] - parameters[k + components]) / deviation, 2) / 2) / (deviation * (2 * Double.pi).squareRoot())
        }
        return nats - log(zip(shares, densities).reduce(0) { $0 + $1.0 * $1.1 } / shares.reduce(0, +))
      }
    }
  }
}

extension Mean: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] { [inputs[0].scalars.reduce(0, +) / Double(inputs[0].scalars.count)] }
}

extension RunningSum: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (x, W, c, V, b) = (inputs[0], inputs[1], inputs[2], inputs[3], inputs[4])
    let (dims, hidden) = (x.columns, c.columns)
    let places = order?.indices.map { Int($0) } ?? Array(0..<dims)
    return (0..<x.rows).flatMap { r in
      var z = [Double](repeating: 0, count: dims * outputs)
      for (place, d) in places.enumerated() {
        let h = (0..<hidden).map { k in logistic(places[..<place].reduce(c[k]) { $0 + x[r, $1] * W[$1, k] }) }
        for output in d * outputs..<(d + 1) * outputs { z[output] = (0..<hidden).reduce(b[output]) { $0 + V[output, $1] * h[$1] } }
      }
      return z
    }
  }
}

extension LogMeanExp: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    inputs[0].scalars.indices.map { index in log(inputs.reduce(0) { $0 + exp($1.scalars[index]) } / Double(inputs.count)) }
  }
}
