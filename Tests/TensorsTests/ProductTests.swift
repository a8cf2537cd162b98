import Tensors
import Testing

struct ProductTests {
  private let philox = Philox(seed: 5)

  private func random(_ shape: [Int], _ index: Int) -> Tensor {
    Tensor(uniformIn: -1..<1, shape: shape, .noise, index: index, using: philox)
  }

  private func forward(_ dense: Dense, _ inputs: [Tensor], threads: Int = 1) -> Tensor {
    var y = Tensor(repeating: .nan, shape: dense.shape(of: inputs.map(\.shape)))
    dense.forward(inputs, into: &y, ThreadTeam(count: threads))
    return y
  }

  /// Gradients by x, w and bias for a given gradient by y.
  private func backward(_ dense: Dense, _ inputs: [Tensor], dy: Tensor, threads: Int = 1, adds: Bool = false) -> [Tensor] {
    let team = ThreadTeam(count: threads)
    var y = Tensor(repeating: 0, shape: dy.shape)
    dense.forward(inputs, into: &y, team)
    var dy = dy
    var gradients = inputs.map { Gradient?.some(Gradient(tensor: Tensor(repeating: adds ? 1 : .nan, shape: $0.shape), adds: adds)) }
    dense.backward(inputs, y: y, dy: &dy, into: &gradients, team)
    return gradients.compactMap { $0?.tensor }
  }

  /// A product's extents: around the tile's 6 rows, the panel's 16 columns and the 256 of a stretch.
  static let extents = [
    (1, 1, 1), (1, 17, 16), (5, 16, 17), (6, 255, 15), (7, 256, 33), (13, 257, 48), (100, 3, 500), (31, 600, 5), (300, 20, 20),
  ]

  @Test(arguments: extents, [false, true])
  func `products are those of double precision`(extents: (Int, Int, Int), masked: Bool) {
    let (batch, inputs, outputs) = extents
    let mask = masked ? Staircase(inputs: inputs, live: (0..<outputs).map { $0 * inputs / outputs }) : nil
    let (x, w, bias, dy) = (random([batch, inputs], 0), random([inputs, outputs], 1), random([outputs], 2), random([batch, outputs], 3))
    func live(_ c: Int) -> Int { mask?.live[c] ?? inputs }
    let dense = Dense(mask: mask)
    let y = forward(dense, [x, w, bias])
    let gradients = backward(dense, [x, w, bias], dy: dy)
    // A float sum of n terms below 1 is off by at most n · 2^-24 of the terms' sum, and by far less in general.
    let bound = 3e-6 * Double(max(inputs, outputs, batch)).squareRoot()
    var worst = 0.0
    for r in 0..<batch {
      for c in 0..<outputs {
        let exact = (0..<live(c)).reduce(Double(bias.scalars[c])) { $0 + Double(x[r, $1]) * Double(w[$1, c]) }
        worst = max(worst, abs(Double(y[r, c]) - exact))
      }
      for k in 0..<inputs {
        let exact = (0..<outputs).reduce(0.0) { live($1) > k ? $0 + Double(dy[r, $1]) * Double(w[k, $1]) : $0 }
        worst = max(worst, abs(Double(gradients[0][r, k]) - exact))
      }
    }
    for c in 0..<outputs {
      for k in 0..<inputs {
        let exact = live(c) > k ? (0..<batch).reduce(0.0) { $0 + Double(x[$1, k]) * Double(dy[$1, c]) } : 0
        worst = max(worst, abs(Double(gradients[1][k, c]) - exact))
        if live(c) <= k { #expect(gradients[1][k, c] == 0) }
      }
      worst = max(worst, abs(Double(gradients[2].scalars[c]) - (0..<batch).reduce(0.0) { $0 + Double(dy[$1, c]) }))
    }
    #expect(worst < bound)
  }

  @Test(arguments: Activation.allCases)
  func `a row has the same bytes alone, in any batch, at any place and with any team`(activation: Activation) {
    let (inputs, outputs) = (300, 37)
    let mask = Staircase(inputs: inputs, live: (0..<outputs).map { $0 * 8 })
    let (x, w, bias) = (random([23, inputs], 0), random([inputs, outputs], 1), random([outputs], 2))
    let dy = random([23, outputs], 3)
    for dense in [Dense(activation), Dense(activation, mask: mask)] {
      let (y, dx) = (forward(dense, [x, w, bias]), backward(dense, [x, w, bias], dy: dy)[0])
      for range in [0..<1, 7..<8, 22..<23, 3..<9, 5..<22] {
        let part = forward(dense, [x.rows(range), w, bias], threads: range.count % 3 + 1)
        #expect(part == y.rows(range))
        #expect(backward(dense, [x.rows(range), w, bias], dy: dy.rows(range))[0] == dx.rows(range))
      }
      for threads in [2, 4] {
        #expect(forward(dense, [x, w, bias], threads: threads) == y)
        #expect(backward(dense, [x, w, bias], dy: dy, threads: threads) == backward(dense, [x, w, bias], dy: dy))
      }
    }
  }

  @Test func `a gradient is added to what is there`() {
    let inputs = [random([9, 20], 0), random([20, 18], 1), random([18], 2)]
    let dy = random([9, 18], 3)
    for (added, plain) in zip(backward(Dense(), inputs, dy: dy, adds: true), backward(Dense(), inputs, dy: dy)) {
      for (a, b) in zip(added.scalars, plain.scalars) { #expect(abs(a - b - 1) < 1e-5) }
    }
  }

  @Test func `what a mask kills can hold anything`() {
    let mask = Staircase(inputs: 20, live: (0..<18).map { $0 })
    let (x, w, dy) = (random([9, 20], 0), random([20, 18], 1), random([9, 18], 3))
    var scalars = w.scalars
    for k in 0..<20 { for c in 0..<18 where mask.live[c] <= k { scalars[k * 18 + c] = 1e30 } }
    let wild = Tensor(shape: w.shape, scalars: scalars)
    #expect(forward(Dense(mask: mask), [x, wild]) == forward(Dense(mask: mask), [x, w]))
    #expect(backward(Dense(mask: mask), [x, wild], dy: dy) == backward(Dense(mask: mask), [x, w], dy: dy))
  }
}
