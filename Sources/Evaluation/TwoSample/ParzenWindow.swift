import Foundation
import Tensors

/// −ln p(x) under Gaussians about a model's samples, as implicit models were once compared (Breuleux, Bengio & Vincent 2011; Goodfellow et
/// al. 2014). It says little of a model (Theis, van den Oord & Bethge, ICLR 2016, §3.3), and is here so that old tables can be read.
package struct ParzenWindow: Sendable, Equatable {
  package let nats: MeanEstimate
  /// Of each Gaussian, in the units of the numbers.
  package let deviation: Double

  /// Chosen: from narrower to wider than any that was published, each some 1.3 times the one before.
  private static let deviations = (0..<16).map { 0.05 * exp(0.2 * Double($0)) }

  /// - Parameters:
  ///   - samples: the Gaussians' middles, `[m, dims]`.
  ///   - choosing: examples by which the deviation is chosen, `[n, dims]`.
  ///   - x: examples that are told of, `[n, dims]`.
  package init(samples: Tensor, choosing: Tensor, x: Tensor, _ team: ThreadTeam) {
    let means = Self.means(of: choosing, about: samples, Self.deviations, team)
    let chosen = means.indices.min { means[$0].mean < means[$1].mean } ?? 0
    deviation = Self.deviations[chosen]
    nats = Self.means(of: x, about: samples, [deviation], team)[0]
  }

  /// The mean nats for each deviation.
  private static func means(of x: Tensor, about samples: Tensor, _ deviations: [Double], _ team: ThreadTeam) -> [MeanEstimate] {
    var nats = [[Double]](repeating: [], count: deviations.count)
    Distances.forEachRow(x, to: samples, team) { _, squares in
      let least = squares.indices.reduce(Float.infinity) { min($0, squares[$1]) }
      for (place, deviation) in deviations.enumerated() {
        let factor = 1 / (2 * deviation * deviation)
        var sum = 0.0
        for index in squares.indices { sum += exp(-Double(squares[index] - least) * factor) }
        let volume = Double(x.columns) * log(deviation * (2 * Double.pi).squareRoot())
        nats[place].append(Double(least) * factor + volume - log(sum / Double(squares.count)))
      }
    }
    return nats.map { MeanEstimate(of: $0) }
  }
}
