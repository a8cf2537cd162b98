import Foundation
import Tensors

// What the models of pixels add: their units and distributions a second time.

private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension GatedUnit: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let x = inputs[0]
    let units = x.columns / 2
    return (0..<x.rows).flatMap { r in
      (0..<units).map { tanh(x.scalars[r * x.columns + $0]) * logistic(x.scalars[r * x.columns + units + $0]) }
    }
  }
}

extension ImageLSTM: DoublePrecision {
  /// Pixel by pixel, each once those that it sees are there.
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (x, w) = (inputs[0], inputs[1])
    let (batch, height, width, units) = (x.shape[0], x.shape[1], x.shape[2], w.shape[1])
    var h = [Double](repeating: 0, count: batch * height * width * units)
    var c = h
    for image in 0..<batch {
      for row in 0..<height {
        for place in 0..<width {
          let column = path == .mirroredDiagonals ? width - 1 - place : place
          // What the taps see, and where the cell's own memory comes from.
          let seen: [(y: Int, x: Int)] =
            switch path {
            case .rows: [(row - 1, column - 1), (row - 1, column), (row - 1, column + 1)]
            case .diagonals: [(row - 1, column), (row, column - 1)]
            case .mirroredDiagonals: [(row - 1, column), (row, column + 1)]
            }
          let memory = seen[1]
          func at(_ place: (y: Int, x: Int)) -> Int? {
            guard place.y >= 0, (0..<width).contains(place.x) else { return nil }
            return ((image * height + place.y) * width + place.x) * units
          }
          for unit in 0..<units {
            let sums = (0..<4).map { gate in
              seen.enumerated().reduce(x[image, row, column, gate * units + unit]) { sum, tap in
                guard let from = at(tap.element) else { return sum }
                return (0..<units).reduce(sum) { $0 + h[from + $1] * w[tap.offset, $1, gate * units + unit] }
              }
            }
            let here = ((image * height + row) * width + column) * units + unit
            c[here] = logistic(sums[1]) * (at(memory).map { c[$0 + unit] } ?? 0) + logistic(sums[0]) * tanh(sums[2])
            h[here] = logistic(sums[3]) * tanh(c[here])
          }
        }
      }
    }
    return h
  }
}

extension LevelNats: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (logits, levels) = (inputs[0], inputs[1])
    let sites = levels.scalars.count / levels.shape[0]
    return (0..<levels.shape[0]).map { r in
      (0..<sites).reduce(0) { nats, site in
        let at = (r * sites + site) * 256
        let whole = (0..<256).reduce(0) { $0 + exp(logits.scalars[at + $1]) }
        return nats + log(whole) - logits.scalars[at + Int((levels.scalars[r * sites + site] * 255).rounded())]
      }
    }
  }
}

extension ColourLogisticsNats: DoublePrecision {
  func exactly(_ inputs: [Doubles]) -> [Double] {
    let (parameters, levels) = (inputs[0], inputs[1])
    let (components, pixels) = (parameters.columns / 10, levels.scalars.count / levels.shape[0] / 3)
    return (0..<levels.shape[0]).map { r in
      (0..<pixels).reduce(0) { nats, pixel in
        let number = r * pixels + pixel
        func parameter(_ kind: Int, _ k: Int) -> Double { parameters.scalars[(number * 10 + kind) * components + k] }
        let x = (0..<3).map { levels.scalars[number * 3 + $0] }
        let (red, green) = (2 * x[0] - 1, 2 * x[1] - 1)
        var (mass, shares) = (0.0, 0.0)
        for k in 0..<components {
          let means = [
            parameter(1, k), parameter(2, k) + tanh(parameter(7, k)) * red,
            parameter(3, k) + tanh(parameter(8, k)) * red + tanh(parameter(9, k)) * green,
          ]
          let bins = (0..<3).map { binMass(x[$0], mean: means[$0], scale: exp(parameter(4 + $0, k))) }
          mass += exp(parameter(0, k)) * bins[0] * bins[1] * bins[2]
          shares += exp(parameter(0, k))
        }
        return nats - log(mass / shares)
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
