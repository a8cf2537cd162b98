import Foundation
import Tensors
import Testing

struct GaussiansTests {
  private func nats(_ parameters: [Float], of x: Float) -> Double {
    Kernels.gaussiansNats(
      Tensor(shape: [1, parameters.count], scalars: parameters), components: parameters.count / 3, of: Tensor(shape: [1], scalars: [x]),
      .alone)[0]
  }

  @Test(arguments: [[0, 0, 0], [0, 0.5, -3], [1, -1, 0.2, -0.6, -3, -2], [40, 0, -40, 0.1, 0.2, 3, -2, 1, 60]] as [[Float]])
  func `a density's integral is 1`(parameters: [Float]) {
    let step = 1.0 / 512
    let integral = (-5 * 512..<5 * 512).reduce(0) { $0 + exp(-nats(parameters, of: Float(Double($1) * step))) * step }
    #expect(abs(integral - 1) < 1e-5)
  }

  @Test func `numbers and deviations beyond all measure have finite nats and gradients`() {
    let parameters: [[Float]] = [[0, 0, -1e30], [0, 0, -60], [0, -3e38, -7], [-1e30, 1e30, 5, 0, 0, 0]]
    for (parameters, x) in zip(parameters, [0, 3e38, 1e30, 5] as [Float]) {
      let nats = nats(parameters, of: x)
      #expect(nats.isFinite, "\(parameters), \(x): \(nats)")
      let z = Tensor(shape: [1, parameters.count], scalars: parameters)
      var tape = Tape(.alone)
      let variable = tape.parameter(z)
      let loss = tape.apply(GaussiansNats(components: parameters.count / 3), [variable, tape.constant(Tensor(shape: [1], scalars: [x]))])
      tape.backward(from: tape.apply(Mean(), [loss]))
      #expect(tape.gradient(variable).scalars.allSatisfy { !$0.isNaN }, "\(parameters), \(x)")
    }
  }

  @Test(arguments: [1, 0.25] as [Float])
  func `draws have the moments of the mixture, Gaussians being narrower by the root of the temperature`(temperature: Float) {
    let count = 40_000
    let (share, means, deviation) = (log(Float(3)), [Float(-1), 2], Float(0.5))
    let one = [share, 0, means[0], means[1], log(deviation), log(deviation)]
    let drawn = Kernels.drawGaussians(
      Tensor(shape: [count, 6], scalars: (0..<count).flatMap { _ in one }), components: 2,
      uniforms: Tensor(uniform: 1, .sampling, examples: Array(0..<count), using: Philox(seed: 2)),
      normals: Tensor(normal: 1, .sampling, step: 1, examples: Array(0..<count), using: Philox(seed: 2)), temperature: temperature)
    let first = pow(3, 1 / Double(temperature)) / (1 + pow(3, 1 / Double(temperature)))
    let mean = drawn.reduce(0) { $0 + Double($1) } / Double(count)
    let expected = first * Double(means[0]) + (1 - first) * Double(means[1])
    // Four standard errors of a number whose deviation is at most 1.5.
    #expect(abs(mean - expected) < 4 * 1.5 / Double(count).squareRoot())
    let near = drawn.filter { $0 < 0.5 }.map { Double($0) + 1 }
    let variance = near.reduce(0) { $0 + $1 * $1 } / Double(near.count)
    #expect(abs(variance / (0.25 * Double(temperature)) - 1) < 0.05)
  }
}
