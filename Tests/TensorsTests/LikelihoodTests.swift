import Foundation
import Tensors
import Testing

struct LikelihoodTests {
  private func nats(_ parameters: [Float], _ x: Float) -> Double {
    var y = Tensor(repeating: .nan, shape: [1])
    LogisticsNats().forward(
      [Tensor(shape: [1, parameters.count], scalars: parameters), Tensor(shape: [1], scalars: [x])], into: &y, .alone)
    return Double(y.scalars[0])
  }

  @Test(
    arguments: [
      [0, 0, 0], [0, 0.3, -4], [0, -1.5, -7], [0, 0.9, 3], [1, -1, 0.2, -0.6, -3, -2], [0, 0, 40, -40, -9, 60, 0.1, 0.2, -2],
    ] as [[Float]])
  func `a mixture of logistics gives its 256 levels a mass of 1`(parameters: [Float]) {
    let masses = (0...255).map { exp(-nats(parameters, Float($0) / 255)) }
    #expect(abs(masses.reduce(0, +) - 1) < 1e-5)
  }

  @Test(arguments: [-5, -2, 0, 2, 8] as [Float])
  func `a level's mass is the difference of the logistic's edges, in double precision`(logScale: Float) {
    func cumulative(_ x: Double) -> Double { 1 / (1 + exp(-(x - 0.25) / exp(Double(logScale)))) }
    for level in [0, 1, 100, 160, 254, 255] {
      let x = 2 * Double(level) / 255 - 1
      let upper = level == 255 ? 1 : cumulative(x + 1 / 255)
      let lower = level == 0 ? 0 : cumulative(x - 1 / 255)
      guard upper - lower > 1e-9 else { continue }
      #expect(abs(nats([0, 0.25, logScale], Float(level) / 255) + log(upper - lower)) < 1e-4 * max(1, abs(log(upper - lower))))
    }
  }

  @Test func `softmax nats are those of double precision, with logits however large`() {
    let logits: [Float] = [3, -2, 0.5, 90, 89.5, -100]
    for (classIndex, logit) in logits.enumerated() {
      var y = Tensor(repeating: .nan, shape: [1])
      SoftmaxNats().forward(
        [Tensor(shape: [1, 6], scalars: logits), Tensor(shape: [1], scalars: [Float(classIndex)])], into: &y, .alone)
      let exact = 90 + log(logits.reduce(0) { $0 + exp(Double($1) - 90) }) - Double(logit)
      #expect(abs(Double(y.scalars[0]) - exact) < 1e-6 * max(1, exact))
    }
  }
}
