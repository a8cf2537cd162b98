import Foundation
import Tensors
import Testing

struct GaussianTests {
  private let parameters = Tensor(uniformIn: -2..<2, shape: [5, 42], .initialization, index: 0, using: Philox(seed: 4))

  private func draw(_ parameters: Tensor, examples: [Int]) -> Tensor {
    var z = Tensor(repeating: .nan, shape: [parameters.rows, 21])
    GaussianDraw(.noise, step: 2, examples: examples, using: Philox(seed: 5)).forward([parameters], into: &z, ThreadTeam(count: 2))
    return z
  }

  @Test func `a draw is the mean and the deviation times the example's normal numbers`() {
    let examples = [8, 3, 1, 100, 7]
    let z = draw(parameters, examples: examples)
    let normals = Tensor(normal: 21, .noise, step: 2, examples: examples, using: Philox(seed: 5))
    for row in 0..<5 {
      for d in 0..<21 {
        let expected = Double(parameters[row, d]) + exp(Double(parameters[row, 21 + d]) / 2) * Double(normals[row, d])
        #expect(abs(Double(z[row, d]) - expected) < 1e-5)
      }
    }
    #expect(draw(parameters.rows(3..<4), examples: [100]) == z.rows(3..<4))
  }

  @Test func `divergences are those of the closed form in double precision, and 0 for the standard normal`() {
    var nats = Tensor(repeating: .nan, shape: [5])
    GaussianDivergence().forward([parameters], into: &nats, .alone)
    for row in 0..<5 {
      let expected = (0..<21).reduce(0.0) { sum, d in
        let (mean, logVariance) = (Double(parameters[row, d]), Double(parameters[row, 21 + d]))
        return sum - 0.5 * (1 + logVariance - mean * mean - exp(logVariance))
      }
      #expect(abs(Double(nats.scalars[row]) - expected) < 1e-5 * expected)
    }
    var zero = Tensor(repeating: .nan, shape: [1])
    GaussianDivergence().forward([Tensor(repeating: 0, shape: [1, 6])], into: &zero, .alone)
    #expect(zero.scalars == [0])
  }
}
