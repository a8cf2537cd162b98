import Tensors
import Testing

/// A small network of most kinds of layers, trained by the tape.
private struct Stack {
  private let taps = [
    Taps.causal(height: 3, width: 3, .beforeCentre), .causal(height: 3, width: 3, .upToCentre),
    Taps(height: 2, width: 2, stride: 2),
  ]
  private var parameters: Parameters
  private var tape: Tape
  private let team: ThreadTeam

  init(threads: Int, _ method: OptimizerSettings.Method = .adam) {
    team = ThreadTeam(count: threads)
    tape = Tape(team)
    var settings = OptimizerSettings()
    (settings.method, settings.gradientNormMax) = (method, 1)
    parameters = Parameters(settings)
    for (index, shape) in [[4, 1, 18], [5, 18, 18], [4, 18, 20], [4, 3, 20], [18], [18]].enumerated() {
      let range: Range<Float> = shape.count == 1 ? 0.5..<1 : -0.2..<0.2
      let tensor = Tensor(uniformIn: range, shape: shape, .initialization, index: index, using: Philox(seed: 4))
      _ = parameters.add("\(index)", tensor, decays: true)
    }
  }

  mutating func train(on x: Tensor, step: Int) {
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    tape.begin()
    let weights = parameters.all.indices.map { tape.parameter(parameters[$0]) }
    let images = tape.constant(x)
    let first = tape.apply(Convolution(taps[0]), [images, weights[0]])
    var h = tape.apply(LayerNorm(), [first, weights[4], weights[5]])
    h = tape.apply(Add(), [first, tape.apply(Convolution(taps[1], .relu), [tape.apply(Activate(.relu), [h]), weights[1]])])
    h = tape.apply(Convolution(taps[2], .tanh), [h, weights[2]])
    let mixture = tape.apply(TransposedConvolution(taps[2]), [h, weights[3]])
    let loss = tape.apply(Mean(), [tape.apply(LogisticsNats(), [mixture, images])])
    tape.backward(from: loss)
    tape.release()
    parameters.descend(learningRate: 0.01, step: step, gradients: weights.map { tape.gradient($0) }, team)
    losses.append(tape.value(loss).scalars[0])
  }

  private(set) var losses: [Float] = []
  var weights: [NamedTensor] { parameters.weights }
}

struct StackTests {
  private let x: Tensor = {
    let uniforms = Tensor(uniform: 6 * 8, .data, examples: Array(0..<11), using: Philox(seed: 2))
    return Tensor(shape: [11, 6, 8, 1], scalars: uniforms.scalars.map { ($0 * 25).rounded() / 255 })
  }()

  @Test(arguments: OptimizerSettings.Method.allCases)
  func `a network learns, and its weights have the same bytes with any team`(method: OptimizerSettings.Method) {
    let trained = [1, 2, 4].map { threads in
      var stack = Stack(threads: threads, method)
      for step in 0..<30 { stack.train(on: x, step: step) }
      return stack
    }
    #expect(trained[0].losses[29] < trained[0].losses[0])
    for other in trained[1...] { #expect(other.weights == trained[0].weights) }
  }

  @Test func `a step through images gives tensors no memory after the first`() {
    var stack = Stack(threads: 2)
    #expect(Allocations.count { stack.train(on: x, step: 0) } > 0)
    #expect((1..<4).map { step in Allocations.count { stack.train(on: x, step: step) } } == [0, 0, 0])
  }
}
