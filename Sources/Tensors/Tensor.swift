/// Float32 numbers in row-major order with a shape: what every model computes on.
///
/// A value: a copy shares its numbers until one of the two is written. Borders between modules are crossed by whole tensors; a loop over
/// elements holds `scalars` outside of it.
package struct Tensor: Sendable, Hashable {
  /// The length of each axis, outermost first; empty for a single number.
  package let shape: [Int]
  /// The numbers, the last axis running fastest.
  package internal(set) var scalars: [Float]

  /// - Parameter scalars: as many numbers as the shape's lengths multiply to, row-major.
  package init(shape: [Int], scalars: [Float]) {
    let count = Self.count(of: shape)
    precondition(scalars.count == count, "shape \(shape) holds \(count) numbers; got \(scalars.count)")
    if count > 0 { Allocations.note() }
    self.shape = shape
    self.scalars = scalars
  }

  package init(repeating scalar: Float = 0, shape: [Int]) {
    self.init(shape: shape, scalars: [Float](repeating: scalar, count: Self.count(of: shape)))
  }

  /// Numbers uniform over `range`, by the seed, the stream and `index`, which is the tensor's number among those of its model.
  package init(uniformIn range: Range<Float>, shape: [Int], _ stream: Philox.Stream, index: Int, using randomness: Philox) {
    self.init(repeating: 0, shape: shape)
    Kernels.uniform(into: &self, stream, step: 0, example: index, using: randomness)
    let width = range.upperBound - range.lowerBound
    for i in scalars.indices { scalars[i] = range.lowerBound + width * scalars[i] }
  }

  /// Numbers uniform over [0, 1), `[examples, sites]`: a row depends on the seed, the stream and its example alone.
  package init(uniform sites: Int, _ stream: Philox.Stream, step: Int = 0, examples: [Int], using randomness: Philox) {
    var scalars: [Float] = []
    scalars.reserveCapacity(sites * examples.count)
    var row = Tensor(repeating: 0, shape: [sites])
    for example in examples {
      Kernels.uniform(into: &row, stream, step: step, example: example, using: randomness)
      scalars += row.scalars
    }
    self.init(shape: [examples.count, sites], scalars: scalars)
  }

  /// Standard normal numbers, `[examples, sites]`: a row depends on the seed, the stream, the step and its example alone.
  package init(normal sites: Int, _ stream: Philox.Stream, step: Int = 0, examples: [Int], using randomness: Philox) {
    var scalars: [Float] = []
    scalars.reserveCapacity(sites * examples.count)
    var row = Tensor(repeating: 0, shape: [sites])
    for example in examples {
      Kernels.normal(into: &row, stream, step: step, example: example, using: randomness)
      scalars += row.scalars
    }
    self.init(shape: [examples.count, sites], scalars: scalars)
  }

  package var count: Int { scalars.count }
  /// The length of the first axis; 1 for a single number.
  package var rows: Int { shape.first ?? 1 }
  /// How many numbers one row along the first axis has.
  package var columns: Int { shape.dropFirst().reduce(1, *) }

  /// The numbers of one row along the first axis.
  package func row(_ index: Int) -> ArraySlice<Float> { scalars[index * columns..<(index + 1) * columns] }

  /// The rows of a range, of the same columns.
  package func rows(_ range: Range<Int>) -> Tensor {
    Tensor(shape: [range.count] + shape.dropFirst(), scalars: Array(scalars[range.lowerBound * columns..<range.upperBound * columns]))
  }

  /// One number of a matrix, for the rare single access.
  package subscript(row: Int, column: Int) -> Float {
    get { scalars[row * columns + column] }
    set { scalars[row * columns + column] = newValue }
  }

  mutating func fill(_ scalar: Float) { Kernels.fill(&self, with: scalar) }

  mutating func shift(by scalar: Float) { Kernels.update(&self) { $1 + scalar } }

  private static func count(of shape: [Int]) -> Int {
    precondition(shape.allSatisfy { $0 >= 0 }, "a shape has no negative lengths: \(shape)")
    return shape.reduce(1, *)
  }
}

/// A tensor under the name by which a checkpoint keeps it.
package struct NamedTensor: Sendable, Hashable {
  package let name: String
  package let tensor: Tensor

  package init(_ name: String, _ tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}
