/// Random numbers by address: the same seed and address give the same number, whenever, wherever and in whatever order it is asked for.
///
/// Philox 4x32-10 (Salmon et al., SC 2011): the seed is the key; stream, step, example and site are the counter. Nothing is used up, so a
/// result depends on no batch, thread or history.
package struct Philox: Sendable, Hashable {
  package let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// What the numbers are for; streams never meet.
  package struct Stream: Sendable, Hashable {
    package let number: UInt32
    package init(_ number: UInt32) { self.number = number }

    package static let initialization = Stream(0)
    package static let shuffling = Stream(1)
    package static let structure = Stream(2)
    package static let noise = Stream(3)
    package static let sampling = Stream(4)
    package static let data = Stream(5)
    package static let annealing = Stream(6)
    package static let completing = Stream(7)
    package static let weighing = Stream(8)

    /// What is dropped before each layer.
    package static func dropout(layer: Int) -> Stream { Stream(256 + UInt32(layer)) }

    /// Each draw of an example's latents.
    package static func latents(draw: Int) -> Stream { Stream(1 << 17 + UInt32(draw)) }

    /// Each half of each Gibbs step within one step of training.
    package static func gibbs(half: Int) -> Stream { Stream(1 << 16 + UInt32(half)) }
  }

  /// Four numbers that are uniform over all 32-bit ones.
  package func block(_ stream: Stream, step: Int, example: Int, index: Int) -> (UInt32, UInt32, UInt32, UInt32) {
    Kernels.philox(
      counter: (UInt32(index), UInt32(example), UInt32(step), stream.number),
      key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  /// A number uniform over [0, 1), a multiple of 2^-24.
  package func uniform(_ stream: Stream, step: Int = 0, example: Int = 0, site: Int = 0) -> Float {
    let block = block(stream, step: step, example: example, index: site / 4)
    let bits = [block.0, block.1, block.2, block.3][site % 4]
    return Float(bits >> 8) * 0x1p-24
  }

  /// Uniform integers below `bound`, by multiplication (Lemire 2019); the bias is below bound / 2^32.
  package func integer(below bound: Int, _ stream: Stream, step: Int = 0, example: Int = 0, site: Int = 0) -> Int {
    precondition(bound > 0 && bound <= Int(UInt32.max), "a bound of 1 to 2^32-1, not \(bound)")
    let block = block(stream, step: step, example: example, index: site / 4)
    let bits = [block.0, block.1, block.2, block.3][site % 4]
    return Int((UInt64(bits) * UInt64(bound)) >> 32)
  }

  /// The numbers 0..<count in a random order (Fisher–Yates), the one addressed by (stream, step).
  package func permutation(of count: Int, _ stream: Stream, step: Int = 0) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, integer(below: last + 1, stream, step: step, site: last))
    }
    return order
  }
}
