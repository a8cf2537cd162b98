import Tensors
import Testing

struct ConvolutionStackTests {
  private static let pixel = Taps(height: 1, width: 1)
  private static let middle = Taps.causal(height: 3, width: 3, .upToCentre)

  /// A stack with its image and its filters.
  struct Case: Sendable {
    let layers: [ConvolutionStack.Layer]
    let taps: [Taps]
    let activations: [Activation]
    let joins: [Int?]
    let image: [Int]
    let filters: [Int]

    init(_ all: [(Taps, Activation, Int?)], image: [Int], filters: [Int]) {
      layers = all.map { ConvolutionStack.Layer($0.0, $0.1, joins: $0.2) }
      (taps, activations, joins) = (all.map(\.0), all.map(\.1), all.map(\.2))
      (self.image, self.filters) = (image, filters)
    }
  }

  static let cases = [
    // A PixelCNN.
    Case(
      [
        (.causal(height: 7, width: 7, .beforeCentre), .relu, nil), (pixel, .relu, nil), (middle, .relu, nil), (pixel, .relu, 0),
        (pixel, .relu, nil), (middle, .relu, nil), (pixel, .relu, 3), (pixel, .relu, nil), (pixel, .identity, nil),
      ], image: [11, 9, 14, 1], filters: [32, 16, 16, 32, 16, 16, 32, 32, 1]),
    // Residual layers with borders of their own, several sums at once, and results of an odd number of columns.
    Case(
      [
        (.causal(height: 3, width: 5, .upToCentre), .leakyRelu, nil), (middle, .relu, 0), (pixel, .identity, nil), (middle, .tanh, 2),
        (Taps(height: 3, width: 3, border: .init(all: 1)), .relu, 1), (pixel, .sigmoid, 3),
      ], image: [3, 5, 6, 5], filters: [19, 19, 19, 19, 19, 19]),
    // Strides, deep sums, rows and columns that no tap reaches.
    Case(
      [
        (Taps(height: 4, width: 4, stride: 2, border: .init(all: 1)), .leakyRelu, nil),
        (Taps(height: 3, width: 3, stride: 2), .relu, nil), (Taps(height: 2, width: 2, border: .init(top: 1, left: 1)), .relu, 1),
      ], image: [9, 15, 13, 3], filters: [40, 33, 33]),
  ]

  private struct Outcome: Hashable {
    let y: Tensor
    let gradients: [Tensor]
  }

  /// Each input's gradient of Σ y · c, by the stack or by its layers one after the other.
  private func run(_ one: Case, threads: Int, asStack: Bool, images: Range<Int>? = nil) -> Outcome {
    let philox = Philox(seed: 8)
    func random(_ shape: [Int], _ index: Int) -> Tensor { Tensor(uniformIn: -0.5..<0.5, shape: shape, .noise, index: index, using: philox) }
    var tape = Tape(ThreadTeam(count: threads))
    tape.begin()
    let images = images ?? 0..<one.image[0]
    var inputs = [tape.parameter(random(one.image, 0).rows(images))]
    for index in one.taps.indices {
      let channels = index == 0 ? one.image[3] : one.filters[index - 1]
      inputs.append(tape.parameter(random([one.taps[index].count, channels, one.filters[index]], 2 * index + 1)))
      inputs.append(tape.parameter(random([one.filters[index]], 2 * index + 2)))
    }
    let y = asStack ? tape.apply(ConvolutionStack(one.layers), inputs) : layers(one, inputs, on: &tape)
    let c = tape.constant(random([one.image[0]] + tape.value(y).shape.dropFirst(), 99).rows(images))
    tape.backward(from: tape.apply(Mean(), [tape.apply(Multiply(), [y, c])]))
    return Outcome(y: tape.value(y), gradients: inputs.map { tape.gradient($0) })
  }

  private func layers(_ one: Case, _ inputs: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var (sums, h) = ([Tape.Variable](), inputs[0])
    for index in one.taps.indices {
      var sum = tape.apply(Convolution(one.taps[index]), [h, inputs[1 + 2 * index], inputs[2 + 2 * index]])
      if let joined = one.joins[index] { sum = tape.apply(Add(), [sums[joined], sum]) }
      sums.append(sum)
      h = tape.apply(Activate(one.activations[index]), [sum])
    }
    return h
  }

  @Test(arguments: 0..<cases.count)
  func `a stack gives what its layers give one by one`(number: Int) {
    let (stack, layers) = (run(Self.cases[number], threads: 1, asStack: true), run(Self.cases[number], threads: 1, asStack: false))
    #expect(stack.y == layers.y)
    for (found, expected) in zip(stack.gradients, layers.gradients) {
      let largest = expected.scalars.reduce(0) { max($0, abs($1)) }
      #expect(largest > 0)
      // Where more than two gradients meet they are added in another order.
      #expect(zip(found.scalars, expected.scalars).allSatisfy { abs($0 - $1) <= 1e-6 * largest })
    }
  }

  @Test(arguments: 0..<cases.count)
  func `a stack gives the same bytes with any team, and an image the same in any batch`(number: Int) {
    let one = Self.cases[number]
    let all = run(one, threads: 1, asStack: true)
    for threads in [2, 4] { #expect(run(one, threads: threads, asStack: true) == all) }
    let last = one.image[0] - 1
    #expect(run(one, threads: 2, asStack: true, images: last..<last + 1).y == all.y.rows(last..<last + 1))
  }

  @Test func `a stack takes other layers in the next step, and allocates nothing for the same ones`() {
    let taps = [Taps.causal(height: 3, width: 3, .beforeCentre), .causal(height: 3, width: 3, .upToCentre)]
    var tape = Tape(ThreadTeam(count: 2))
    let x = Tensor(uniformIn: 0..<1, shape: [3, 6, 5, 2], .noise, index: 0, using: Philox(seed: 1))
    func step(_ first: Taps) -> Tensor {
      let weights = [first.count, taps[1].count].enumerated().map {
        Tensor(uniformIn: -1..<1, shape: [$1, 2, 2], .noise, index: 1 + $0, using: Philox(seed: 1))
      }
      let bias = Tensor(shape: [2], scalars: [0.1, 0.2])
      var result = Tensor(repeating: 0, shape: [0])
      func run() {
        tape.begin()
        let inputs = [x, weights[0], bias, weights[1], bias].map { tape.parameter($0) }
        let y = tape.apply(ConvolutionStack([.init(first, .relu), .init(taps[1], joins: 0)]), inputs)
        tape.backward(from: tape.apply(Mean(), [y]))
        tape.release()
        result = tape.value(y)
      }
      run()
      result = Tensor(repeating: 0, shape: [0])
      #expect(Allocations.count(during: run) == 0)
      return result
    }
    let first = step(taps[0])
    #expect(step(taps[1]) != first)
    #expect(step(taps[0]) == first)
  }
}
