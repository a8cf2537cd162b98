import Foundation
import Tensors
import Testing

struct AdamTests {
  @Test(arguments: [Float(0), 0.01])
  func `steps are those of the paper's algorithm in double precision`(decay: Float) {
    var settings = OptimizerSettings.adam
    settings.weightDecay = decay
    var parameters = Parameters(settings)
    let count = 37
    let start = Tensor(uniformIn: -1..<1, shape: [count, 1], .noise, index: 0, using: Philox(seed: 1))
    _ = parameters.add("w", start, decays: true)
    var (w, m, v) = (start.scalars.map { Double($0) }, [Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for step in 0..<50 {
      let gradient = Tensor(uniformIn: -1..<1, shape: [count, 1], .noise, index: step + 1, using: Philox(seed: 1))
      parameters.descend(learningRate: 0.01, step: step, gradients: [gradient], .alone)
      for i in 0..<count {
        let g = Double(gradient.scalars[i])
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        let (mean, square) = (m[i] / (1 - pow(0.9, Double(step + 1))), v[i] / (1 - pow(0.999, Double(step + 1))))
        w[i] = w[i] * (1 - 0.01 * Double(decay)) - 0.01 * mean / (square.squareRoot() + 1e-8)
      }
    }
    for (found, exact) in zip(parameters[0].scalars, w) { #expect(abs(Double(found) - exact) < 1e-5) }
  }

  @Test func `what a mask kills never changes`() {
    var parameters = Parameters(.adam)
    let mask = Staircase(inputs: 20, live: (0..<18).map { $0 })
    let start = Tensor(repeating: 1, shape: [20, 18])
    _ = parameters.add("w", start, decays: true, mask: mask)
    parameters.descend(learningRate: 0.1, step: 0, gradients: [start], .alone)
    for k in 0..<20 { for c in 0..<18 { #expect((parameters[0][k, c] == 1) == (mask.live[c] <= k)) } }
  }
}
