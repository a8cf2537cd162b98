import Foundation
import Tensors
import Testing

struct SparseTests {
  private let batch = 67
  private let inputs = 131
  private let outputs = 70

  private var x: Tensor {
    let uniforms = Tensor(uniform: inputs, .data, examples: Array(0..<batch), using: Philox(seed: 1))
    // Bits for the most part, and reals, for which the kernels are right, too.
    return Tensor(shape: uniforms.shape, scalars: uniforms.scalars.map { $0 < 0.3 ? 1 : $0 > 0.95 ? $0 : 0 })
  }

  private func random(_ shape: [Int], _ index: Int) -> Tensor {
    Tensor(uniformIn: -1..<1, shape: shape, .initialization, index: index, using: Philox(seed: 2))
  }

  private func draw(_ examples: [Int]) -> Kernels.Draw { Kernels.Draw(.noise, step: 3, examples: examples, using: Philox(seed: 7)) }

  private func units(_ x: Tensor, _ w: Tensor, transposed: Bool, examples: [Int], threads: Int = 2) -> (p: Tensor, bits: Tensor) {
    var p = Tensor(repeating: .nan, shape: [x.rows, outputs])
    var bits = p
    Kernels.units(
      x, w, transposed: transposed, bias: random([outputs], 1), draw(examples), p: &p, bits: &bits, ThreadTeam(count: threads))
    return (p, bits)
  }

  private func transpose(_ w: Tensor) -> Tensor {
    Tensor(shape: [w.columns, w.rows], scalars: (0..<w.columns).flatMap { column in (0..<w.rows).map { w[$0, column] } })
  }

  @Test func `units have the bits of the dense layer, either way through the weights`() {
    let w = random([inputs, outputs], 0)
    var expected = Tensor(repeating: .nan, shape: [batch, outputs])
    Dense(.sigmoid).forward([x, w, random([outputs], 1)], into: &expected, .alone)
    for threads in [1, 2, 4] {
      #expect(units(x, w, transposed: false, examples: Array(0..<batch), threads: threads).p == expected)
      #expect(units(x, transpose(w), transposed: true, examples: Array(0..<batch), threads: threads).p == expected)
    }
  }

  @Test func `a unit is on where its uniform is below its probability, whatever rows stand beside it`() {
    let w = random([inputs, outputs], 0)
    let examples = (0..<batch).map { 500 - 3 * $0 }
    let (p, bits) = units(x, w, transposed: false, examples: examples)
    for (row, example) in examples.enumerated() {
      for site in 0..<outputs {
        #expect(bits[row, site] == (Philox(seed: 7).uniform(.noise, step: 3, example: example, site: site) < p[row, site] ? 1 : 0))
      }
    }
    let one = units(x.rows(41..<42), w, transposed: false, examples: [examples[41]], threads: 1)
    #expect(one.p == p.rows(41..<42) && one.bits == bits.rows(41..<42))
  }

  @Test func `units are on as often as their probabilities say`() {
    let rows = 20_000
    let row = Array(x.row(0))
    let many = Tensor(shape: [rows, inputs], scalars: (0..<rows).flatMap { _ in row })
    let (p, bits) = units(many, random([inputs, outputs], 0), transposed: false, examples: Array(0..<rows))
    // Chi-square over the units, each with one degree of freedom; four standard deviations above the mean.
    let statistic = (0..<outputs).reduce(0.0) { sum, unit in
      let expected = Double(p[0, unit])
      let found = (0..<rows).reduce(0.0) { $0 + Double(bits[$1, unit]) } / Double(rows)
      return sum + pow(found - expected, 2) / (expected * (1 - expected) / Double(rows))
    }
    #expect(statistic < Double(outputs) + 4 * (2 * Double(outputs)).squareRoot())
  }

  @Test func `a correlation has the bits of the dense layer's gradient`() {
    let dy = random([batch, outputs], 4)
    var w: [Gradient?] = [nil, Gradient(tensor: Tensor(repeating: 0.5, shape: [inputs, outputs]), adds: false)]
    var copy = dy
    Dense().backward([x, random([inputs, outputs], 0)], y: dy, dy: &copy, into: &w, .alone)
    for threads in [1, 2, 4] {
      var found = Tensor(repeating: .nan, shape: [inputs, outputs])
      Kernels.correlation(x, dy, scale: 1, into: &found, adds: false, ThreadTeam(count: threads))
      #expect(found == w[1]?.tensor)
      Kernels.correlation(x, dy, scale: -1, into: &found, adds: true, ThreadTeam(count: threads))
      #expect(found.scalars.allSatisfy { abs($0) < 1e-4 })
    }
  }

  @Test func `contrastive gradients are the difference of the phases' means`() {
    func bits(_ columns: Int, _ index: Int) -> Tensor {
      let x = random([batch, columns], index)
      return Tensor(shape: x.shape, scalars: x.scalars.map { $0 < 0 ? 0 : 1 })
    }
    let (v0, h0, v1, h1) = (bits(inputs, 5), random([batch, outputs], 6), bits(inputs, 7), random([batch, outputs], 8))
    var (dW, dVisible, dHidden) = (
      Tensor(repeating: .nan, shape: [inputs, outputs]), Tensor(repeating: .nan, shape: [inputs]), Tensor(repeating: .nan, shape: [outputs])
    )
    Kernels.contrast(
      data: (v0, h0), model: (v1, h1), dW: &dW, dVisible: &dVisible, dHidden: &dHidden, ThreadTeam(count: 2))
    func mean(_ term: (Int) -> Double) -> Double { (0..<batch).reduce(0) { $0 + term($1) } / Double(batch) }
    for v in 0..<inputs {
      #expect(abs(Double(dVisible.scalars[v]) - mean { Double(v1[$0, v]) - Double(v0[$0, v]) }) < 1e-6)
      for h in [0, 15, 64, outputs - 1] {
        let expected = mean { Double(v1[$0, v]) * Double(h1[$0, h]) - Double(v0[$0, v]) * Double(h0[$0, h]) }
        #expect(abs(Double(dW[v, h]) - expected) < 1e-6)
      }
    }
    for h in 0..<outputs { #expect(abs(Double(dHidden.scalars[h]) - mean { Double(h1[$0, h]) - Double(h0[$0, h]) }) < 1e-6) }
  }
}
