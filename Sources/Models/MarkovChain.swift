import Tensors

/// How far a Markov chain goes for its samples.
package struct ChainLength: Sendable, Hashable {
  /// Gibbs steps before a chain's first sample.
  package var burnIn: Int
  /// Gibbs steps from one sample of a chain to the next; nil gives each sample a chain of its own.
  package var thin: Int?

  package static let burnInRange = 1...100_000
  package static let thinRange = 1...10_000
  /// How many samples a chain gives where it gives more than one; chosen, so that one row of a grid shows one chain.
  package static let samplesAChain = 16

  package init(burnIn: Int = 1000, thin: Int? = nil) {
    precondition(Self.burnInRange.contains(burnIn) && thin.map(Self.thinRange.contains) ?? true, "\(burnIn), \(String(describing: thin))")
    self.burnIn = burnIn
    self.thin = thin
  }

  /// The chain that a sample is taken from, and after how many steps: the same whatever other samples are asked for.
  package func place(of sample: Int) -> (chain: Int, steps: Int) {
    guard let thin else { return (sample, burnIn) }
    return (sample / Self.samplesAChain, burnIn + sample % Self.samplesAChain * thin)
  }
}

/// Families that draw by Markov chains, which get nearer to the model the longer they go.
package protocol DrawsByChains: GenerativeModel {
  func sample(_ indices: [Int], chain: ChainLength, temperature: Float, using randomness: Philox) -> Tensor
}

extension DrawsByChains {
  package func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    sample(indices, chain: ChainLength(), temperature: temperature, using: randomness)
  }

  /// Walks the chains of these samples as far as each must go.
  /// - Parameters:
  ///   - start: the states of chains at their beginning, `[chains, numbers]`.
  ///   - step: makes step number 1, 2, … of all chains.
  /// - Returns: the state of each sample's chain when its time has come, `[indices, numbers]`.
  func walk(
    _ indices: [Int], _ length: ChainLength, start: (_ chains: [Int]) -> Tensor,
    step: (_ state: inout Tensor, _ number: Int, _ chains: [Int]) -> Void
  ) -> Tensor {
    let places = indices.map(length.place)
    let chains = Array(Set(places.map(\.chain))).sorted()
    let rows = Dictionary(uniqueKeysWithValues: chains.enumerated().map { ($1, $0) })
    var state = start(chains)
    let columns = state.columns
    var scalars = [Float](repeating: 0, count: indices.count * columns)
    let due = Dictionary(grouping: places.indices) { places[$0].steps }
    for number in 1...max(1, due.keys.max() ?? 1) {
      step(&state, number, chains)
      for index in due[number] ?? [] {
        guard let row = rows[places[index].chain] else { continue }
        scalars.replaceSubrange(index * columns..<(index + 1) * columns, with: state.row(row))
      }
    }
    return Tensor(shape: [indices.count, columns], scalars: scalars)
  }
}
