import Models
import Tensors
import Testing

struct EoNADETests {
  private let one = FamilyCase(
    .nade, .bits, ["hidden_layers": [25, 15], "order_agnostic": true, "orderings": 60, "order": "shuffled"])

  @Test func `a step's loss is on average the mean nats over all orders`() throws {
    let dims = 3
    let model = try #require(one.trained(dims: dims, steps: 200) as? EoNADE)
    let x = one.data(1, dims: dims)
    var ofOrders: [[Int]: Double] = [:]
    for (number, order) in model.orders.enumerated() {
      ofOrders[order] = Kernels.bernoulliNats(logits: model.logits(of: x, ordering: number), of: x, .alone)[0]
    }
    #expect(ofOrders.count == 6)
    let exact = ofOrders.values.reduce(0, +) / 6
    var stepped = model
    var (sum, squares) = (0.0, 0.0)
    let rows = 200
    let repeated = Tensor(shape: [rows, dims], scalars: (0..<rows).flatMap { _ in x.scalars })
    let steps = 200
    for step in 0..<steps {
      let loss = stepped.trainStep(
        on: repeated, examples: Array(0..<rows), step: step, learningRate: 0, using: Philox(seed: 21))
      sum += loss
      squares += loss * loss
    }
    let mean = sum / Double(steps)
    let error = ((squares / Double(steps) - mean * mean) / Double(steps)).squareRoot()
    #expect(error < 0.01)
    #expect(abs(mean - exact) < 4 * error, "\(mean) ± \(error), \(exact)")
  }

  @Test func `its training knows an example's step alone, not its neighbours`() throws {
    let x = one.data(30, dims: 12)
    func loss(_ rows: Range<Int>) -> Double {
      var model = one.make(dims: 12)
      return model.trainStep(on: x.rows(rows), examples: Array(rows), step: 5, learningRate: 0, using: Philox(seed: 2))
        * Double(rows.count)
    }
    #expect(abs(loss(0..<30) - loss(0..<10) - loss(10..<30)) < 1e-3)
  }

  @Test func `the first ordering alone validates`() throws {
    let model = try #require(one.trained(dims: 8, steps: 50) as? EoNADE)
    let x = one.data(40, dims: 8)
    let first = Kernels.bernoulliNats(logits: model.logits(of: x), of: x, .alone)
    let validating = model.validating.nats(of: x)
    #expect(zip(validating, first).allSatisfy { abs($0 - $1) < 1e-5 } && validating != model.nats(of: x))
  }

  @Test func `all orders are learnt at once`() throws {
    // Independent bits of the chain cost some 5.3 nats a row of 8.
    let dims = 8
    let unseen = one.data(800, dims: dims).rows(400..<800)
    let model = try #require(one.trained(dims: dims, steps: 1500) as? EoNADE)
    for number in [0, 7, 31] {
      let nats = Kernels.bernoulliNats(logits: model.logits(of: unseen, ordering: number), of: unseen, .alone).reduce(0, +) / 400
      #expect(nats < 4.4, "ordering \(number): \(nats)")
    }
  }
}
