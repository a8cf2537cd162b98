import Foundation
import Tensors
import Testing

struct RunningSumTests {
  private static let (dims, hidden) = (6, 21)
  private static let order = Order([3, 0, 5, 1, 4, 2], within: dims)

  private static func random(_ shape: [Int], _ index: Int, dims: Int = dims) -> Tensor {
    Tensor(uniformIn: -1.5..<1.5, shape: shape, .initialization, index: index, using: Philox(seed: 6))
  }

  private let W = random([dims, hidden], 0)
  private let c = random([hidden], 1)
  private let V = random([dims, hidden], 2)
  private let b = random([dims], 3)

  private var weights: Kernels.RunningWeights { Kernels.RunningWeights(W: W, c: c, V: V, b: b) }

  private func logits(of x: Tensor, order: Order? = nil) -> Tensor {
    var z = Tensor(repeating: .nan, shape: [x.rows, Self.dims])
    RunningSum(order: order).forward([x, W, c, V, b], into: &z, ThreadTeam(count: 2))
    return z
  }

  /// All 64 of them.
  private var images: Tensor {
    Tensor(shape: [64, Self.dims], scalars: (0..<64).flatMap { image in (0..<Self.dims).map { Float((image >> $0) & 1) } })
  }

  @Test(arguments: [nil, order])
  func `probabilities of all images sum to 1`(order: Order?) {
    let nats = Kernels.bernoulliNats(logits: logits(of: images, order: order), of: images, .alone)
    #expect(abs(nats.reduce(0) { $0 + exp(-$1) } - 1) < 1e-6)
  }

  @Test func `logits are those of the paper's algorithm in double precision, for bits and for reals`() {
    let places = [3, 0, 5, 1, 4, 2]
    for x in [images, Tensor(uniformIn: -1..<1, shape: [19, Self.dims], .noise, index: 0, using: Philox(seed: 1))] {
      let z = logits(of: x, order: Self.order)
      for row in 0..<x.rows {
        var sums = c.scalars.map { Double($0) }
        for d in places {
          let products = zip(sums, V.row(d)).map { Double($1) / (1 + exp(-$0)) }
          #expect(abs(Double(z[row, d]) - products.reduce(Double(b.scalars[d]), +)) < 1e-5)
          sums = zip(sums, W.row(d)).map { $0 + Double($1) * Double(x[row, d]) }
        }
      }
    }
  }

  @Test(arguments: [nil, order])
  func `draws come as often as the model says`(order: Order?) {
    let count = 20_000
    let drawn = Kernels.draw(
      .bits, weights, RunningSum(order: order), Array(0..<count), temperature: 1, using: Philox(seed: 3), ThreadTeam(count: 2))
    let nats = Kernels.bernoulliNats(logits: logits(of: images, order: order), of: images, .alone)
    var counts = [Int](repeating: 0, count: 64)
    for row in 0..<count { counts[drawn.x.row(row).reversed().reduce(0) { 2 * $0 + Int($1) }] += 1 }
    // Cells that are hit less than five times on the average are taken together.
    let expected = nats.map { exp(-$0) * Double(count) }
    let rare = expected.indices.filter { expected[$0] < 5 }
    var terms = expected.indices.filter { expected[$0] >= 5 }.map { pow(Double(counts[$0]) - expected[$0], 2) / expected[$0] }
    let rest = rare.reduce(0.0) { $0 + expected[$1] }
    if rest > 0 { terms.append(pow(Double(rare.reduce(0) { $0 + counts[$1] }) - rest, 2) / rest) }
    // Four standard deviations of chi-square above its mean.
    let freedom = Double(terms.count - 1)
    #expect(freedom > 10)
    #expect(terms.reduce(0, +) < freedom + 4 * (2 * freedom).squareRoot())
  }

  @Test(arguments: [nil, order])
  func `logits while drawing are those of scoring, bit for bit`(order: Order?) {
    let drawn = Kernels.draw(.bits, weights, RunningSum(order: order), Array(0..<37), temperature: 0.7, using: Philox(seed: 5), .alone)
    #expect(logits(of: drawn.x, order: order) == drawn.logits)
  }

  @Test func `a sample depends on its number alone`() {
    func draw(_ indices: [Int], threads: Int) -> Tensor {
      Kernels.draw(.bits, weights, RunningSum(), indices, temperature: 1, using: Philox(seed: 5), ThreadTeam(count: threads)).x
    }
    let all = draw(Array(100..<150), threads: 1)
    #expect(draw(Array(100..<150), threads: 4) == all)
    #expect(draw([117], threads: 2) == all.rows(17..<18))
    #expect(draw([149, 103, 120], threads: 1).row(1) == all.row(3))
  }

  @Test func `a row's logits and gradients do not depend on its neighbours`() {
    let x = images.rows(7..<50)
    let all = logits(of: x)
    for row in [0, 8, 42] { #expect(logits(of: x.rows(row..<row + 1)) == all.rows(row..<row + 1)) }
  }
}
