import JSON
import Models

/// `burn_in` and `thin` of a request for samples: how far Markov chains go.
struct ChainQuery {
  fileprivate let burnIn: Int?
  fileprivate let thin: Int?

  /// Nil for a family that draws without chains; one that is asked for all the same is refused.
  func length(for family: ModelFamily) throws(Problem) -> ChainLength? {
    guard family.taxonomy.last != "markov_chain" else { return ChainLength(burnIn: burnIn ?? ChainLength().burnIn, thin: thin) }
    let asked = [("burn_in", burnIn), ("thin", thin)].filter { $0.1 != nil }.map(\.0)
    guard asked.isEmpty else {
      throw .badQuery(asked.map { Fault(pointer: $0, detail: "is of Markov chains, and the family \(family.name) draws without one") })
    }
    return nil
  }
}

extension QueryReader {
  func chain() -> ChainQuery {
    ChainQuery(burnIn: integer("burn_in", in: ChainLength.burnInRange), thin: integer("thin", in: ChainLength.thinRange))
  }
}
