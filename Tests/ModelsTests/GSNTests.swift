import Foundation
import JSON
import Models
import Tensors
import Testing

private struct Chain {
  let configuration: Configuration
  let input: ModelInput

  init(_ request: JSONValue, dims: Int, _ kind: ModelInput.Kind) {
    let faults = Faults()
    configuration = ModelFamily.gsn.schema.resolve(FieldReader(request, faults: faults))
    input = ModelInput(dims: dims, kind: kind)
    precondition(faults.isEmpty, "\(request): \(faults.all)")
  }

  func make(seed: UInt64 = 1, threads: Int = 1) -> GSN {
    GSN(configuration, input: input, optimizer: .adam, seed: seed, team: ThreadTeam(count: threads))
  }

  /// Two patterns and a little noise.
  func data(_ count: Int) -> Tensor {
    let noise = Tensor(uniform: input.dims, .data, examples: Array(0..<count), using: Philox(seed: 3))
    var x = noise
    for row in 0..<count {
      for d in 0..<input.dims {
        let isHigh = (d + row) % 2 == 0
        switch input.kind {
        case .bits: x[row, d] = (noise[row, d] < 0.05) != isHigh ? 1 : 0
        case .grey256: x[row, d] = ((isHigh ? 0.8 : 0.1) + 0.1 * noise[row, d])
        case .real: x[row, d] = (isHigh ? 1 : -1) + 0.3 * (noise[row, d] - 0.5)
        }
      }
    }
    return x
  }

  func train(_ model: inout GSN, steps: Range<Int>) {
    let x = data(80)
    for step in steps {
      let start = step * 40 % 80
      _ = model.trainStep(
        on: x.rows(start..<start + 40), examples: Array(start..<start + 40), step: step, learningRate: 3e-3, using: Philox(seed: 5))
    }
  }

  static let all: [Chain] = [
    Chain(["hidden_layers": [24], "walkbacks": 3], dims: 12, .bits),
    Chain(["hidden_layers": [24, 17], "walkbacks": 2, "hidden_noise": 0.2], dims: 12, .bits),
    Chain(["hidden_layers": [20, 14, 9], "walkbacks": 4, "hidden_noise": 0.1], dims: 12, .grey256),
    Chain(["hidden_layers": [24], "walkbacks": 2, "corruption": 0.5], dims: 6, .real),
  ]
}

@Suite struct `A GSN` {
  private static let chains = 0..<Chain.all.count

  @Test(arguments: chains) func `learns the same at any thread count, and goes on as if it had never stopped`(number: Int) throws {
    let chain = Chain.all[number]
    var (one, two, half) = (chain.make(), chain.make(threads: 2), chain.make())
    chain.train(&one, steps: 0..<6)
    chain.train(&two, steps: 0..<6)
    chain.train(&half, steps: 0..<3)
    var rest = chain.make(seed: 9)
    try rest.restore(half.trainingState.byName)
    chain.train(&rest, steps: 3..<6)
    #expect(one.trainingState == two.trainingState && one.trainingState == rest.trainingState)
  }

  @Test(arguments: chains) func `draws each sample by its own chain`(number: Int) {
    let chain = Chain.all[number]
    var model = chain.make()
    chain.train(&model, steps: 0..<10)
    let all = model.sample(Array(0..<6), temperature: 1, using: Philox(seed: 2))
    let some = model.sample([5, 1], temperature: 1, using: Philox(seed: 2))
    #expect(Array(some.row(0)) == Array(all.row(5)) && Array(some.row(1)) == Array(all.row(1)))
  }

  @Test(arguments: chains) func `comes back to the patterns of its data, and to both`(number: Int) {
    let chain = Chain.all[number]
    var model = chain.make()
    chain.train(&model, steps: 0..<600)
    let samples = model.sample(Array(0..<60), temperature: 1, using: Philox(seed: 2))
    let middle: Float = chain.input.kind == .real ? 0 : 0.5
    let agreeing = (0..<60).map { row in
      (0..<chain.input.dims).count { d in (samples[row, d] > middle) == (d % 2 == 0) }
    }
    let dims = chain.input.dims
    // Nine in ten of the data's bits are their pattern's.
    let (even, odd) = (agreeing.count { 4 * $0 >= 3 * dims }, agreeing.count { 4 * $0 <= dims })
    #expect(even + odd >= 45 && even >= 8 && odd >= 8, "\(agreeing)")
  }

  @Test(arguments: chains) func `leaves what is known in its place and finds the rest`(number: Int) {
    let chain = Chain.all[number]
    var model = chain.make()
    chain.train(&model, steps: 0..<600)
    // The second half is to be found, of one example of each pattern.
    let dims = chain.input.dims
    let known = (0..<dims).map { $0 < dims / 2 }
    let middle: Float = chain.input.kind == .real ? 0 : 0.5
    for pattern in 0..<2 {
      let x = chain.data(20).rows(pattern..<pattern + 1)
      let found = model.complete(x, known: known, Array(0..<20), temperature: 1, using: Philox(seed: 2))
      var right = 0
      for row in 0..<20 {
        for d in 0..<dims {
          if known[d] {
            #expect(found[row, d] == x[0, d])
          } else if (found[row, d] > middle) == ((d + pattern) % 2 == 0) {
            right += 1
          }
        }
      }
      // Greys are drawn as bits between steps, of which one in ten is of the other pattern.
      let least = chain.input.kind == .grey256 ? 0.6 : 0.8
      #expect(Double(right) / Double(20 * (dims - dims / 2)) > least, "pattern \(pattern)")
      #expect(model.complete(x, known: known, [7], temperature: 1, using: Philox(seed: 2)).row(0) == found.row(7))
    }
  }

  @Test func `comes to rest: its later steps are distributed as its earlier ones`() {
    let chain = Chain(["hidden_layers": [12], "walkbacks": 3, "corruption": 0.3], dims: 4, .bits)
    var model = chain.make()
    chain.train(&model, steps: 0..<300)
    func shares(_ x: Tensor) -> [Double] {
      var counts = [Double](repeating: 0, count: 16)
      for row in 0..<x.rows { counts[(0..<4).reduce(0) { $0 * 2 + Int(x[row, $1]) }] += 1 / Double(x.rows) }
      return counts
    }
    let told = [40, 60].map { burnIn in
      model.sample(Array(0..<4000), chain: ChainLength(burnIn: burnIn), temperature: 1, using: Philox(seed: 6))
    }
    let (before, after) = (shares(told[0]), shares(told[1]))
    // Total variation of two sets of 4000 of one distribution over 16 images.
    #expect(zip(before, after).reduce(0) { $0 + abs($1.0 - $1.1) } / 2 < 0.04, "\(before) \(after)")
  }
}
