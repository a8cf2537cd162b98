/// An order in which rows or columns are taken: `indices[i]` is where the i-th comes from.
package struct Order: Sendable, Hashable {
  package let indices: [Int32]
  /// How many there are to take from.
  let bound: Int

  package init(_ indices: [Int], within bound: Int) {
    precondition(indices.allSatisfy { (0..<bound).contains($0) } && bound <= Int(Int32.max), "an order within 0..<\(bound)")
    self.indices = indices.map { Int32($0) }
    self.bound = bound
    isPermutation = indices.count == bound && Set(indices).count == bound
  }

  let isPermutation: Bool
}
