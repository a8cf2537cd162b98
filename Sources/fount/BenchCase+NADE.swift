import Tensors

// MARK: NADE: 784 conditionals over 500 hidden units

extension BenchCase {
  private static let (dims, hidden) = (784, 500)
  /// Multiplications and additions of one example's product with W or V.
  private static let product = 2.0 * Double(dims * hidden)

  static let nadeCases = [
    BenchCase(
      name: "nade_784_500_b100", what: "train_step",
      // The sums and the logits; and going back, dV, dW and what the sums are owed.
      operations: 100 * 5 * product,
      leaving: { team in
        var network = BenchNetwork(team)
        let (sums, logits) = (network.add("W", [dims, hidden], bias: hidden), network.add("V", [dims, hidden], bias: dims))
        let x = bits(rows: 100, columns: dims)
        var step = 0
        return {
          let weights = network.begin()
          let loss = network.write { tape in
            let x = tape.constant(x)
            let z = tape.apply(
              RunningSum(), [x, weights[sums.weights], weights[sums.bias], weights[logits.weights], weights[logits.bias]])
            return tape.apply(Mean(), [tape.apply(BernoulliNats(), [z, x])])
          }
          network.descend(from: loss, weights, step: step)
          step += 1
          return network.weights
        }
      }),
    BenchCase(
      name: "nade_784_500_b64", what: "sample", operations: 64 * 2 * product,
      leaving: { team in
        func random(_ shape: [Int], _ index: Int) -> Tensor {
          Tensor(uniformIn: -0.05..<0.05, shape: shape, .initialization, index: index, using: Philox(seed: 1))
        }
        let weights = Kernels.RunningWeights(
          W: random([dims, hidden], 0), c: random([hidden], 1), V: random([dims, hidden], 2), b: random([dims], 3))
        return { [Kernels.drawBits(weights, order: nil, Array(0..<64), temperature: 1, using: Philox(seed: 1), team).x] }
      }),
  ]
}
