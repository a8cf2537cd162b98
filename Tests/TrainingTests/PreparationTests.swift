import Datasets
import JSON
import Models
import Tensors
import Testing
import Training

@Suite struct `The preparation of data` {
  private let table = ExampleShape.table(columns: 4)

  private func scalars(
    _ bytes: [UInt8], _ binarization: Binarization, draw: Preparation.Draw = .fixed, seed: UInt64 = 1
  ) throws -> [Float] {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: table, bytes: bytes)
    let preparation = try Preparation.fitting(file.description, binarization: binarization).get()
    let dataset = try Dataset(mapping: file.path, description: file.description)
    return preparation.tensor(of: Array(0..<dataset.count), in: dataset, draw: draw, using: Philox(seed: seed)).scalars
  }

  @Test func `takes bits for bits, whether they are 1 or 255`() throws {
    #expect(try scalars([0, 1, 1, 0], .none) == [0, 1, 1, 0])
    #expect(try scalars([0, 255, 255, 0], .none) == [0, 1, 1, 0])
    #expect(try scalars([0, 255, 255, 0], .stochastic) == [0, 1, 1, 0])
    #expect(try scalars([0, 0, 0, 0], .none) == [0, 0, 0, 0])
  }

  @Test func `puts the threshold at half of the maximum`() throws {
    #expect(try scalars([99, 100, 200, 0], .threshold) == [0, 1, 1, 0])
  }

  @Test func `puts the threshold above 0 even where half of the maximum rounds to it`() throws {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: table, floats: [0, 0x1p-149, 0, 0x1p-149])
    let preparation = try Preparation.fitting(file.description, binarization: .threshold).get()
    let dataset = try Dataset(mapping: file.path, description: file.description)
    #expect(preparation.tensor(of: [0], in: dataset, draw: .fixed, using: Philox(seed: 1)).scalars == [0, 1, 0, 1])
  }

  @Test(arguments: [Binarization.threshold, .stochastic])
  func `refuses data on another scale, of which it would make one bit throughout`(binarization: Binarization) throws {
    func values(to maximum: Double, bits: Bool = false) -> DatasetDescription {
      DatasetDescription(
        count: 5, shape: smallPicture, element: .float32, format: "npy", minimum: 0, maximum: maximum, mean: maximum / 3, bits: bits)
    }
    let ofBytes = try Preparation.fitting(values(to: 255), binarization: binarization).get()
    let ofUnits = try Preparation.fitting(values(to: 0.99), binarization: binarization).get()
    #expect(ofBytes.refusal(of: values(to: 1))?.contains("255") == true)
    #expect(ofUnits.refusal(of: values(to: 255))?.contains("0.99") == true)
    // A dark picture, a brighter one than any that trained, and bits, which have no scale.
    for maximum in [40.0, 254, 300] { #expect(ofBytes.refusal(of: values(to: maximum)) == nil) }
    for maximum in [0.1, 1, 1.5] { #expect(ofUnits.refusal(of: values(to: maximum)) == nil) }
    #expect(ofBytes.refusal(of: values(to: 1, bits: true)) == nil && ofUnits.refusal(of: values(to: 255, bits: true)) == nil)
  }

  @Test func `draws a bit with the probability of its value`() throws {
    var ones = [0.0, 0, 0, 0]
    let epochs = 4000
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: table, bytes: [0, 50, 150, 200])
    let preparation = try Preparation.fitting(file.description, binarization: .stochastic).get()
    let dataset = try Dataset(mapping: file.path, description: file.description)
    for epoch in 0..<epochs {
      let bits = preparation.tensor(of: [0], in: dataset, draw: .epoch(epoch), using: Philox(seed: 1)).scalars
      for site in 0..<4 { ones[site] += Double(bits[site]) }
    }
    let share = ones.map { $0 / Double(epochs) }
    #expect(share[0] == 0 && share[3] == 1)
    // Five standard errors of 4000 draws.
    #expect(abs(share[1] - 0.25) < 0.035 && abs(share[2] - 0.75) < 0.035, "\(share)")
  }

  @Test func `draws new bits each epoch and the same for every validation`() throws {
    let bytes = [UInt8](repeating: 100, count: 400) + [200, 200, 200, 200]
    let first = try scalars(bytes, .stochastic, draw: .epoch(0))
    #expect(try scalars(bytes, .stochastic, draw: .epoch(1)) != first)
    #expect(try scalars(bytes, .stochastic, draw: .epoch(0)) == first)
    #expect(try scalars(bytes, .stochastic, draw: .epoch(0), seed: 2) != first)
    #expect(try scalars(bytes, .stochastic, draw: .fixed) == scalars(bytes, .stochastic, draw: .fixed))
    #expect(try scalars(bytes, .stochastic, draw: .fixed) != first)
  }

  @Test func `comes back from its JSON`() throws {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: smallPicture, bytes: [UInt8](repeating: 9, count: 36))
    let preparation = try Preparation.fitting(file.description, binarization: .stochastic).get()
    #expect(Preparation(json: preparation.json) == preparation)
    #expect(Preparation(json: ["shape": [6, 6, 1], "kind": "bits", "binarize": "none", "scale": 0]) == nil)
  }
}

@Suite struct `The split that validates` {
  private func split(_ bytes: [UInt8], fraction: Double, columns: Int = 8) throws -> ValidationSplit {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: .table(columns: columns), bytes: bytes)
    return ValidationSplit(try Dataset(mapping: file.path, description: file.description), fraction: fraction)
  }

  private func random(_ count: Int) -> [UInt8] {
    var numbers = SplitMix(state: 5)
    return (0..<count).map { _ in UInt8(numbers.below(256)) }
  }

  @Test func `gives about the fraction and every example one side`() throws {
    let split = try split(random(16_000), fraction: 0.1)
    #expect((150...250).contains(split.validation.count), "\(split.validation.count) of 2000")
    #expect((split.training + split.validation).sorted() == Array(0..<2000))
  }

  @Test func `keeps an example on its side whatever else is there and wherever it stands`() throws {
    let bytes = random(1600)
    let all = try split(bytes, fraction: 0.3)
    let half = try split(Array(bytes[800...]), fraction: 0.3)
    #expect(half.validation == all.validation.filter { $0 >= 100 }.map { $0 - 100 })
    let twice = try split(bytes + bytes, fraction: 0.3)
    #expect(twice.validation == all.validation + all.validation.map { $0 + 200 })
  }

  @Test func `leaves no side empty while two examples differ`() throws {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1]
    for fraction in [0.0001, 0.5, 0.9] {
      let split = try split(bytes, fraction: fraction)
      #expect(split.training.count == 1 && split.validation.count == 1, "\(fraction)")
    }
  }

  @Test func `tells of sets in which few examples differ`() throws {
    #expect(try split((0..<400).map { UInt8($0 % 2) }, fraction: 0.1, columns: 1).hasFewPatterns)
    #expect(try split((0..<99).map { UInt8($0) }, fraction: 0.1, columns: 1).hasFewPatterns)
    #expect(try !split((0..<100).map { UInt8($0) }, fraction: 0.1, columns: 1).hasFewPatterns)
    #expect(try !split(random(80), fraction: 0).hasFewPatterns)
  }

  @Test func `trains on everything where nothing differs or nothing is asked`() throws {
    #expect(try split([UInt8](repeating: 3, count: 80), fraction: 0.5).validation.isEmpty)
    #expect(try split(random(80), fraction: 0).training.count == 10)
  }
}
