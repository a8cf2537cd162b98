/// Float32 numbers in row-major order with a shape: what every model computes on.
///
/// A value: a copy shares its numbers until one of the two is written. Borders between modules are crossed by whole tensors; a loop over
/// elements holds `scalars` outside of it.
package struct Tensor: Sendable, Hashable {
  /// The length of each axis, outermost first; empty for a single number.
  package let shape: [Int]
  /// The numbers, the last axis running fastest.
  package var scalars: [Float] {
    didSet { precondition(scalars.count == oldValue.count, "a tensor of \(oldValue.count) numbers got \(scalars.count)") }
  }

  /// - Parameter scalars: as many numbers as the shape's lengths multiply to, row-major.
  package init(shape: [Int], scalars: [Float]) {
    let count = Self.count(of: shape)
    precondition(scalars.count == count, "shape \(shape) holds \(count) numbers; got \(scalars.count)")
    self.shape = shape
    self.scalars = scalars
  }

  package init(repeating scalar: Float = 0, shape: [Int]) {
    self.init(shape: shape, scalars: [Float](repeating: scalar, count: Self.count(of: shape)))
  }

  package var count: Int { scalars.count }
  /// The length of the first axis; 1 for a single number.
  package var rows: Int { shape.first ?? 1 }
  /// How many numbers one row along the first axis has.
  package var columns: Int { shape.dropFirst().reduce(1, *) }

  /// The numbers of one row along the first axis.
  package func row(_ index: Int) -> ArraySlice<Float> { scalars[index * columns..<(index + 1) * columns] }

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
