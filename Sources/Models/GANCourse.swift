import Tensors

/// How the game of generator and discriminator goes: means over about the last hundred steps, kept with the weights.
struct GANCourse: Sendable {
  private enum Quantity: Int, CaseIterable {
    case generatorLoss, discriminatorLoss
    /// The share of real and generated examples that the discriminator tells by the sign of its logit.
    case accuracy
    /// The variance of generated examples over that of real ones, each summed over dimensions.
    case diversity

    var name: String {
      switch self {
      case .generatorLoss: "generator_loss"
      case .discriminatorLoss: "discriminator_loss"
      case .accuracy: "discriminator_accuracy"
      case .diversity: "diversity"
      }
    }
  }

  /// `[quantities]`, and how often each was noted, `[quantities]`.
  private var means = [Double](repeating: 0, count: Quantity.allCases.count)
  private var counts = [Int](repeating: 0, count: Quantity.allCases.count)

  /// About as many steps weigh; a few hundred must be there before anything is complained of. Chosen.
  private static let (memory, stepsBefore) = (100, 300)
  // Chosen by what collapsed and sound runs showed: sound ones stay above 0.5 and below 0.97.
  private static let (diversityLeast, accuracyMost) = (0.2, 0.995)

  private mutating func note(_ quantity: Quantity, _ value: Double) {
    let place = quantity.rawValue
    counts[place] += 1
    // As float32, in which checkpoints keep it: going on is to the bit.
    let weight = 1 / Double(min(counts[place], Self.memory))
    means[place] = Double(Float(means[place] + weight * (value - means[place])))
  }

  mutating func note(discriminatorLoss: Double, real: Tensor, fake: Tensor) {
    note(.discriminatorLoss, discriminatorLoss)
    let right = real.scalars.count { $0 > 0 } + fake.scalars.count { $0 < 0 }
    note(.accuracy, Double(right) / Double(real.count + fake.count))
  }

  mutating func note(generatorLoss: Double) { note(.generatorLoss, generatorLoss) }

  mutating func note(diversityOf fake: Tensor, among real: Tensor, _ team: ThreadTeam) {
    func variance(_ x: Tensor) -> Double { Kernels.columnMoments(x, team).variance.scalars.reduce(0) { $0 + Double($1) } }
    let ofReal = variance(real)
    if ofReal > 0 { note(.diversity, variance(fake) / ofReal) }
  }

  var curves: [Curve] {
    Quantity.allCases.compactMap { counts[$0.rawValue] > 0 ? Curve($0.name, means[$0.rawValue]) : nil }
  }

  var complaint: String? {
    guard counts[Quantity.generatorLoss.rawValue] >= Self.stepsBefore else { return nil }
    let (diversity, accuracy) = (means[Quantity.diversity.rawValue], means[Quantity.accuracy.rawValue])
    if diversity < Self.diversityLeast {
      return "the samples are nearly all alike: their variance is \(shown(diversity)) of the data's (mode collapse)"
    }
    if accuracy > Self.accuracyMost {
      return "the discriminator is right about \(shown(accuracy)) of all examples, so that the generator learns little from it"
    }
    return nil
  }

  private func shown(_ value: Double) -> String { String((value * 1000).rounded() / 1000) }

  var kept: NamedTensor {
    NamedTensor("course", Tensor(shape: [2, means.count], scalars: means.map { Float($0) } + counts.map { Float(min($0, Self.enough)) }))
  }

  /// Counts beyond this change nothing, and floats are exact so far.
  private static let enough = 1 << 20

  /// Weights alone leave it at its start.
  mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    guard tensors["course"] != nil else { return }
    let kept = try tensors.tensor("course", shape: [2, means.count])
    let values = kept.row(0).map { Double($0) }
    let numbers = kept.row(1).compactMap { Int(exactly: $0) }
    guard values.allSatisfy(\.isFinite), numbers.count == means.count, numbers.allSatisfy({ $0 >= 0 }) else {
      throw .wrongValues(name: "course", detail: "means and counts of steps, not \(kept.scalars)")
    }
    (means, counts) = (values, numbers)
  }
}
