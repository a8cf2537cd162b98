/// Brings pictures from one pair of sides to another, by a triangle as wide as a pixel of the coarser of the two grids: bilinear where a
/// picture grows, and where it shrinks every pixel counts.
///
/// Rows are stretched first and then columns. Bytes are rounded after each, with weights of 22 bits, so that they come out the same
/// everywhere, and the same as from Pillow's `resize(…, BILINEAR)`.
package struct Resampling: Sendable {
  private let source: (height: Int, width: Int)
  private let destination: (height: Int, width: Int)
  private let channels: Int
  private let columns: [Taps]
  private let rows: [Taps]

  /// The pixels that one pixel of the result is made of, and how much each counts; the weights' sum is 1.
  private struct Taps {
    let first: Int
    let weights: [Double]
    let fixed: [Int]

    static let fixedBits = 22

    /// For each place along a side of `count` pixels that was one of `source`.
    static func all(_ count: Int, from source: Int) -> [Taps] {
      let scale = Double(source) / Double(count)
      let reach = max(scale, 1)
      return (0..<count).map { place in
        let centre = (Double(place) + 0.5) * scale
        // Truncated, not rounded down: the least may be below 0 by less than 1.
        let first = max(0, Int(centre - reach + 0.5))
        let end = min(source, Int(centre + reach + 0.5))
        let heights = (first..<end).map { max(0, 1 - abs((Double($0) - centre + 0.5) / reach)) }
        let sum = heights.reduce(0, +)
        let weights = heights.map { $0 / sum }
        return Taps(first: first, weights: weights, fixed: weights.map { Int($0 * Double(1 << fixedBits) + 0.5) })
      }
    }
  }

  /// Each side at least 1; `channels` values a pixel.
  package init(
    from source: (height: Int, width: Int), to destination: (height: Int, width: Int), channels: Int
  ) {
    precondition(min(source.height, source.width, destination.height, destination.width, channels) >= 1)
    self.source = source
    self.destination = destination
    self.channels = channels
    columns = Taps.all(destination.width, from: source.width)
    rows = Taps.all(destination.height, from: source.height)
  }

  /// - Parameter pixels: `[height, width, channels]` of the source.
  /// - Returns: the same of the destination.
  package func resize(_ pixels: [UInt8]) -> [UInt8] {
    precondition(pixels.count == source.height * source.width * channels, "\(pixels.count) bytes of \(source), \(channels) channels")
    func weigh(_ input: Span<UInt8>, _ taps: Taps, _ start: Int, _ step: Int) -> UInt8 {
      var sum = 1 << (Taps.fixedBits - 1)
      for (tap, weight) in taps.fixed.enumerated() { sum &+= weight &* Int(input[start &+ tap &* step]) }
      return UInt8(clamping: sum >> Taps.fixedBits)
    }
    return resize(pixels, zero: 0, weigh)
  }

  /// The same of numbers that are not rounded.
  package func resize(_ pixels: [Float]) -> [Float] {
    precondition(pixels.count == source.height * source.width * channels, "\(pixels.count) numbers of \(source), \(channels) channels")
    func weigh(_ input: Span<Float>, _ taps: Taps, _ start: Int, _ step: Int) -> Float {
      var sum = 0.0
      for (tap, weight) in taps.weights.enumerated() { sum += weight * Double(input[start &+ tap &* step]) }
      return Float(sum)
    }
    return resize(pixels, zero: 0, weigh)
  }

  @inline(__always) private func resize<Value>(
    _ pixels: [Value], zero: Value, _ weigh: (Span<Value>, Taps, _ start: Int, _ step: Int) -> Value
  ) -> [Value] {
    var pixels = pixels
    if source.width != destination.width {
      var stretched = [Value](repeating: zero, count: source.height * destination.width * channels)
      for row in 0..<source.height {
        for (column, taps) in columns.enumerated() {
          for channel in 0..<channels {
            let start = (row * source.width + taps.first) * channels + channel
            stretched[(row * destination.width + column) * channels + channel] = weigh(pixels.span, taps, start, channels)
          }
        }
      }
      pixels = stretched
    }
    guard source.height != destination.height else { return pixels }
    let rowValues = destination.width * channels
    var stretched = [Value](repeating: zero, count: destination.height * rowValues)
    for (row, taps) in rows.enumerated() {
      for place in 0..<rowValues {
        stretched[row * rowValues + place] = weigh(pixels.span, taps, taps.first * rowValues + place, rowValues)
      }
    }
    return stretched
  }
}
