import Tensors

/// How often a classifier, trained on half of both sets, is right about which set an example of the other half is from: 0.5 where the two
/// are one distribution, 1 where it can always tell. Lopez-Paz & Oquab, ICLR 2017, §3.
///
/// There are two classifiers, a small network and the nearest neighbours, and the better one counts: a model is as good as the
/// stricter judge says.
package struct ClassifierTwoSampleTest: Sendable, Equatable {
  /// Neighbours that vote; odd, so that there is a majority. Chosen.
  package static let neighbours = 5

  package let network: Share
  package let nearestNeighbours: Share

  package var better: Share { network.value >= nearestNeighbours.value ? network : nearestNeighbours }

  /// - Parameters:
  ///   - data: real examples, `[n, dims]`.
  ///   - samples: as many of the model's.
  ///   - features: of both, `[n, features]` each.
  ///   - picture: nil for rows of a table.
  package init(
    data: Tensor, samples: Tensor, features: (data: Tensor, samples: Tensor),
    picture: (height: Int, width: Int, channels: Int)?, using randomness: Philox, _ team: ThreadTeam
  ) {
    precondition(data.rows == samples.rows && data.rows >= 4, "\(data.rows) examples and \(samples.rows) samples")
    let halves = (data: Self.halves(data.rows, step: 0, using: randomness), samples: Self.halves(data.rows, step: 1, using: randomness))
    func both(_ data: Tensor, _ samples: Tensor, _ half: KeyPath<Halves, [Int]>) -> Tensor {
      data.rows(halves.data[keyPath: half]).stacked(on: samples.rows(halves.samples[keyPath: half]))
    }
    func isData(_ half: KeyPath<Halves, [Int]>) -> [Float] {
      [Float](repeating: 1, count: halves.data[keyPath: half].count)
        + [Float](repeating: 0, count: halves.samples[keyPath: half].count)
    }
    let (learnt, asked) = (isData(\.training), isData(\.test))
    var classifier = SmallClassifier(dims: data.columns, picture: picture, using: randomness, team)
    classifier.train(on: both(data, samples, \.training), isOne: learnt, using: randomness)
    let logits = classifier.logits(of: both(data, samples, \.test))
    network = Share(zip(logits, asked).count { ($0 > 0) == ($1 > 0) }, of: asked.count)

    var right = 0
    let known = both(features.data, features.samples, \.training)
    Distances.forEachRow(both(features.data, features.samples, \.test), to: known, team) { row, squares in
      let votes = Distances.nearest(min(Self.neighbours, known.rows), in: squares).count { learnt[$0.index] > 0 }
      if (2 * votes > min(Self.neighbours, known.rows)) == (asked[row] > 0) { right += 1 }
    }
    nearestNeighbours = Share(right, of: asked.count)
  }

  private struct Halves {
    let training: [Int]
    let test: [Int]
  }

  private static func halves(_ count: Int, step: Int, using randomness: Philox) -> Halves {
    let order = randomness.permutation(of: count, .structure, step: step)
    return Halves(training: Array(order.prefix(count / 2)), test: Array(order.dropFirst(count / 2)))
  }
}
