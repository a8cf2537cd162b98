import Foundation
import Tensors

/// An order in which a family takes the inputs.
struct Ordering: Sendable, Hashable {
  /// The dimension of the data at each place of the ordering.
  let dims: [Int]
  /// Nil for the data's own order, in which nothing moves.
  let order: Order?

  init(_ dims: [Int]) {
    self.dims = dims
    order = dims == Array(dims.indices) ? nil : Order(dims, within: dims.count)
  }

  /// Several, by the seed; the first is the data's own unless all are shuffled.
  static func several(_ count: Int, dims: Int, shufflesFirst: Bool = false, using randomness: Philox) -> [Ordering] {
    (0..<count).map { number in
      Ordering(
        number == 0 && !shufflesFirst ? Array(0..<dims) : randomness.permutation(of: dims, .structure, step: number))
    }
  }
}

/// The orderings of a model, whose distributions are mixed with equal shares.
extension [Ordering] {
  /// As a checkpoint keeps them: nothing where there is the data's own alone.
  var kept: [NamedTensor] {
    guard contains(where: { $0.order != nil }) else { return [] }
    return [NamedTensor("orderings", Tensor(shape: [count, self[0].dims.count], scalars: flatMap(\.dims).map { Float($0) }))]
  }

  /// Those that were kept, of a model that has as many.
  func restored(from tensors: [String: Tensor]) throws(RestoreError) -> [Ordering] {
    guard contains(where: { $0.order != nil }) else { return self }
    let expected = [count, self[0].dims.count]
    let kept = try tensors.tensor("orderings", shape: expected)
    var restored = self
    for number in indices {
      let dims = kept.row(number).compactMap { Int(exactly: $0) }
      guard dims.sorted().elementsEqual(0..<expected[1]) else {
        throw .wrongValues(name: "orderings", detail: "row \(number) is no ordering")
      }
      restored[number] = Ordering(dims)
    }
    return restored
  }
}

/// Several distributions of one model, mixed with equal shares.
enum EqualMixture {
  /// −ln of the mean probability, from each ordering's nats.
  static func nats(_ nats: [Double]) -> Double {
    guard nats.count > 1, let least = nats.min(), least.isFinite else { return nats[0] }
    return least - log(nats.reduce(0) { $0 + exp(least - $1) } / Double(nats.count))
  }

  /// Which samples are drawn from which of so many distributions, by lots that depend on each sample's number alone, in groups.
  /// - Parameter indices: the samples' numbers.
  /// - Returns: the number of a distribution, and at most `atOnce` places in `indices`.
  static func lots(
    among count: Int, for indices: [Int], atOnce: Int, using randomness: Philox
  ) -> [(number: Int, places: [Int])] {
    let numbers = indices.map { randomness.integer(below: count, .structure, example: $0) }
    return (0..<count).flatMap { number in
      let places = indices.indices.filter { numbers[$0] == number }
      return stride(from: 0, to: places.count, by: atOnce).map { (number, Array(places[$0..<min($0 + atOnce, places.count)])) }
    }
  }
}
