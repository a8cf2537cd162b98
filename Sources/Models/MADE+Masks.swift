import Tensors

extension MADE {
  /// Who may depend on whom, when inputs are numbered in their ordering and units stand in the order of their degrees.
  struct Masks: Sendable {
    let hidden: [Staircase]
    let output: Staircase
    let direct: Staircase

    /// - Parameters:
    ///   - degrees: of each hidden layer's units, ascending.
    ///   - outputs: of each dimension.
    init(dims: Int, degrees: [[Int]], outputs: Int) {
      // Inputs have the degrees 1...dims. Eq. 8: a unit sees what has at most its own degree.
      let before = [Array(1...dims)] + degrees
      hidden = degrees.indices.map { Self.staircase(from: before[$0], atMost: degrees[$0]) }
      // Eq. 9: the outputs of degree d see units of lower degree, at most d − 1.
      let bounds = (0..<dims * outputs).map { $0 / outputs }
      output = Self.staircase(from: before[degrees.count], atMost: bounds)
      direct = Self.staircase(from: before[0], atMost: bounds)
    }

    private static func staircase(from degrees: [Int], atMost bounds: [Int]) -> Staircase {
      var count = 0
      return Staircase(
        inputs: degrees.count,
        live: bounds.map { bound in
          while count < degrees.count, degrees[count] <= bound { count += 1 }
          return count
        })
    }
  }

  /// One of the networks that share the weights: an ordering of the inputs, and which unit has which degree.
  struct Connectivity: Sendable {
    let ordering: Ordering
    /// Of each hidden layer's units.
    let degrees: [[Int]]
    /// Each hidden layer's units in the order of their degrees; nil where they stand so.
    let units: [Order?]
    /// The outputs in the ordering; nil in the data's own.
    let outputs: Order?
    let masks: Masks

    init(_ ordering: Ordering, degrees: [[Int]], outputs count: Int) {
      let dims = ordering.dims.count
      let sorted = degrees.map { degrees in degrees.indices.sorted { (degrees[$0], $0) < (degrees[$1], $1) } }
      self.ordering = ordering
      self.degrees = degrees
      units = sorted.map { $0 == Array($0.indices) ? nil : Order($0, within: $0.count) }
      outputs =
        count == 1
        ? ordering.order
        : ordering.order.map { _ in Order(ordering.dims.flatMap { d in (0..<count).map { d * count + $0 } }, within: dims * count) }
      masks = Masks(dims: dims, degrees: zip(degrees, sorted).map { degrees, sorted in sorted.map { degrees[$0] } }, outputs: count)
    }

    /// Whether nothing moves, so that a weight that the masks kill is never used.
    var isInPlace: Bool { ordering.order == nil && units.allSatisfy { $0 == nil } }

    /// 1...dims − 1, the same share of units each: no conditional is left without units by chance. A single input has no earlier one,
    /// and its units see nothing.
    static func evenDegrees(dims: Int, widths: [Int]) -> [[Int]] {
      widths.map { width in (0..<width).map { dims == 1 ? 0 : 1 + $0 * (dims - 1) / width } }
    }

    /// As the paper draws them (§3, after eq. 13): uniform from the least degree of the layer before to dims − 1.
    /// - Parameter number: of the connectivity, which with the seed decides.
    static func drawnDegrees(dims: Int, widths: [Int], number: Int, using randomness: Philox) -> [[Int]] {
      var least = 1
      return widths.enumerated().map { layer, width in
        guard dims > 1 else { return [Int](repeating: 0, count: width) }
        let uniforms = Tensor(uniform: width, .structure, step: firstStep + layer, examples: [number], using: randomness)
        let degrees = uniforms.scalars.map { least + Int($0 * Float(dims - least)) }
        least = degrees.min() ?? least
        return degrees
      }
    }

    /// Beyond the steps at which orderings are drawn.
    private static let firstStep = 1 << 16
  }
}

// MARK: Keeping

extension [MADE.Connectivity] {
  /// As a checkpoint keeps them: what the configuration alone does not tell.
  var kept: [NamedTensor] {
    guard contains(where: { !$0.isInPlace }) else { return [] }
    let layers = contains { connectivity in connectivity.units.contains { $0 != nil } } ? self[0].degrees.indices : 0..<0
    return map(\.ordering).kept
      + layers.map { layer in
        let degrees = flatMap { $0.degrees[layer].map { Float($0) } }
        return NamedTensor("degrees.\(layer)", Tensor(shape: [count, self[0].degrees[layer].count], scalars: degrees))
      }
  }

  func restored(from tensors: [String: Tensor], outputs: Int) throws(RestoreError) -> [MADE.Connectivity] {
    let orderings = try map(\.ordering).restored(from: tensors)
    var degrees = map(\.degrees)
    if contains(where: { connectivity in connectivity.units.contains { $0 != nil } }) {
      for layer in degrees[0].indices {
        let (name, expected, most) = ("degrees.\(layer)", [count, degrees[0][layer].count], orderings[0].dims.count - 1)
        let kept = try tensors.tensor(name, shape: expected)
        for number in indices {
          let restored = kept.row(number).compactMap { Int(exactly: $0) }.filter { (0...most).contains($0) }
          guard restored.count == expected[1] else { throw .wrongValues(name: name, detail: "row \(number) has other degrees") }
          degrees[number][layer] = restored
        }
      }
    }
    var restored: [MADE.Connectivity] = []
    for number in indices { restored.append(.init(orderings[number], degrees: degrees[number], outputs: outputs)) }
    return restored
  }
}
