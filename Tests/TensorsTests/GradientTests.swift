import Tensors
import Testing

struct GradientTests {
  private static let examples = Primitives.all.flatMap { type in
    type.examples.enumerated().map { (name: "\(type) \($0)", example: $1) }
  }

  @Test(arguments: 0..<examples.count)
  func `every primitive computes what it says`(number: Int) throws {
    let (name, example) = Self.examples[number]
    let exact = try #require(example.primitive as? any DoublePrecision, "\(name) is not written down in double precision")
    var y = Tensor(repeating: .nan, shape: example.primitive.shape(of: example.inputs.map(\.shape)))
    example.primitive.forward(example.inputs, into: &y, .alone)
    let expected = exact.exactly(example.inputs.map(Doubles.init))
    #expect(expected.count == y.count)
    let largest = expected.map(abs).max() ?? 0
    for (index, pair) in zip(y.scalars, expected).enumerated() {
      #expect(abs(Double(pair.0) - pair.1) <= 2e-6 * max(1, largest), "\(name), element \(index): \(pair)")
    }
  }

  /// Differences of the equations in double precision, so that nothing but the gradient's own rounding is in the way.
  @Test(arguments: 0..<examples.count)
  func `every gradient of every primitive is that of finite differences`(number: Int) throws {
    let (name, example) = Self.examples[number]
    let inputs = example.inputs
    let exact = try #require(example.primitive as? any DoublePrecision, "\(name) is not written down in double precision")
    let shape = example.primitive.shape(of: inputs.map(\.shape))
    let c = Tensor(uniformIn: 0.5..<1.5, shape: shape, .noise, index: 9, using: Philox(seed: 2))
    let differences = zip(inputs.indices, example.differentiable).map { $1 ? Self.differences(exact, inputs, by: $0, weighed: c) : [] }
    var y = Tensor(repeating: .nan, shape: shape)
    example.primitive.forward(inputs, into: &y, .alone)
    for adds in [false, true] {
      var gradients: [Gradient?] = zip(inputs, example.differentiable).map { input, differentiable in
        differentiable ? Gradient(tensor: Tensor(repeating: adds ? 0.25 : .nan, shape: input.shape), adds: adds) : nil
      }
      // A masked weight is never added to.
      if adds, inputs.count > 1, name.hasPrefix("Dense") { gradients[1] = nil }
      var dy = c
      example.primitive.backward(inputs, y: y, dy: &dy, into: &gradients, .alone)
      for (position, gradient) in gradients.enumerated() {
        guard let gradient else { continue }
        let largest = differences[position].map(abs).max() ?? 0
        for (element, difference) in differences[position].enumerated() {
          let found = Double(gradient.tensor.scalars[element]) - (adds ? 0.25 : 0)
          #expect(
            abs(found - difference) <= 4e-6 * max(1, largest),
            "\(name), input \(position), element \(element): \(found), not \(difference)")
        }
      }
    }
  }

  /// The derivatives of Σ c · y by every element of one input: central differences of fourth order.
  private static func differences(
    _ primitive: any DoublePrecision, _ inputs: [Tensor], by position: Int, weighed c: Tensor
  ) -> [Double] {
    let exact = inputs.map(Doubles.init)
    let h = 0x1p-9
    return exact[position].scalars.indices.map { element in
      func weighed(_ step: Double) -> Double {
        var moved = exact
        moved[position].scalars[element] += step
        return zip(primitive.exactly(moved), c.scalars).reduce(0) { $0 + $1.0 * Double($1.1) }
      }
      return (8 * (weighed(h) - weighed(-h)) - (weighed(2 * h) - weighed(-2 * h))) / (12 * h)
    }
  }

  @Test func `dropout keeps its share, by example and not by place`() {
    let ones = Tensor(repeating: 1, shape: [40, 1000])
    func drop(_ examples: [Int], step: Int = 3) -> Tensor {
      let dropout = Dropout(keep: 0.8, .dropout(layer: 1), step: step, examples: examples, using: Philox(seed: 4))
      var y = Tensor(repeating: .nan, shape: [examples.count, 1000])
      dropout.forward([ones.rows(0..<examples.count)], into: &y, ThreadTeam(count: 2))
      return y
    }
    let all = drop(Array(100..<140))
    #expect(Set(all.scalars) == [0, 1.25])
    // Four standard errors of a mean of 40,000 numbers whose deviation is 0.5.
    let mean = all.scalars.reduce(0, +) / 40_000
    #expect(abs(mean - 1) < 0.01)
    #expect(drop([117]) == all.rows(17..<18))
    #expect(drop([117], step: 4) != all.rows(17..<18))
  }

  @Test func `a variable that is used twice gathers both gradients`() {
    var tape = Tape(.alone)
    for _ in 0..<2 {
      tape.begin()
      let x = tape.parameter(Tensor(shape: [2, 2], scalars: [1, 2, 3, 4]))
      let unused = tape.parameter(Tensor(shape: [3], scalars: [1, 2, 3]))
      let loss = tape.apply(Mean(), [tape.apply(Add(), [tape.apply(Multiply(), [x, x]), x])])
      tape.backward(from: loss)
      // The mean of x² + x.
      #expect(tape.gradient(x).scalars == [0.75, 1.25, 1.75, 2.25])
      #expect(tape.gradient(unused).scalars == [0, 0, 0])
    }
  }

  @Test func `a tape takes other shapes in the next step`() {
    var tape = Tape(.alone)
    for rows in [3, 5, 2] {
      tape.begin()
      let x = tape.parameter(Tensor(repeating: 1, shape: [rows, 4]))
      let loss = tape.apply(Mean(), [tape.apply(Map(.exp), [x])])
      tape.backward(from: loss)
      #expect(tape.gradient(x).shape == [rows, 4])
      #expect(tape.gradient(x).scalars.allSatisfy { abs($0 - 2.7182818 / Float(rows * 4)) < 1e-6 })
    }
  }

  @Test(arguments: 0..<examples.count)
  func `every primitive gives the same bytes with any team`(number: Int) {
    let (name, example) = Self.examples[number]
    let shape = example.primitive.shape(of: example.inputs.map(\.shape))
    func run(_ threads: Int) -> [Tensor] {
      let team = ThreadTeam(count: threads)
      var y = Tensor(repeating: 0, shape: shape)
      example.primitive.forward(example.inputs, into: &y, team)
      var gradients: [Gradient?] = zip(example.inputs, example.differentiable).map { input, differentiable in
        differentiable ? Gradient(tensor: Tensor(repeating: 0, shape: input.shape), adds: false) : nil
      }
      var dy = Tensor(uniformIn: 0.5..<1.5, shape: shape, .noise, index: 9, using: Philox(seed: 2))
      example.primitive.backward(example.inputs, y: y, dy: &dy, into: &gradients, team)
      return [y] + gradients.compactMap { $0?.tensor }
    }
    let alone = run(1)
    for threads in [2, 4] { #expect(run(threads) == alone, "\(name) with \(threads) threads") }
  }
}
