import Foundation

/// The way from one point to another about the origin: its angle goes evenly, and so does its distance. Between draws of many normal
/// numbers, which lie near a sphere, a straight way would lead through where no draw is (Shoemake 1985 for the formula).
package struct SphericalWay: Sendable {
  private let from: [Double]
  private let to: [Double]
  private let angle: Double

  /// - Parameter to: as many numbers as the other.
  package init(from: [Float], to: [Float]) {
    precondition(from.count == to.count, "points of \(from.count) and \(to.count) numbers")
    (self.from, self.to) = (from.map { Double($0) }, to.map { Double($0) })
    let product = zip(self.from, self.to).reduce(0) { $0 + $1.0 * $1.1 }
    let lengths = Self.length(self.from) * Self.length(self.to)
    angle = lengths > 0 ? acos(min(max(product / lengths, -1), 1)) : 0
  }

  private static func length(_ point: [Double]) -> Double { point.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// - Parameter share: of the way, 0…1.
  package func point(_ share: Double) -> [Float] {
    // Points in one direction, or in opposite ones, have no arc between them that were the shorter.
    let isStraight = sin(angle) < 1e-6
    let (a, b) = isStraight ? (1 - share, share) : (sin((1 - share) * angle) / sin(angle), sin(share * angle) / sin(angle))
    return zip(from, to).map { Float(a * $0 + b * $1) }
  }
}
