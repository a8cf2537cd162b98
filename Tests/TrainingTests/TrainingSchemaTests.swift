import Datasets
import JSON
import Models
import Testing
import Training

/// The schema of `training` and `data`, of which forms are made, held to what is taken.
@Suite struct `The schema of training` {
  private let bits = DatasetDescription(
    count: 100, shape: smallPicture, element: .uint8, format: "idx", minimum: 0, maximum: 1, mean: 0.3, bits: true)

  private func faults(_ part: String, _ name: String, _ value: JSONValue, family: String = "made") -> [String] {
    let faults = Faults()
    let body: JSONValue = .object(["family": .string(family), part: .object([name: value])])
    let reader = FieldReader(body, faults: faults)
    _ = TrainingRequest(reader: reader, dataset: bits, validation: nil, threads: ThreadAllowance(unasked: 2, most: 4))
    reader.finish()
    return faults.all.map(\.pointer)
  }

  private func properties(_ schema: JSONValue) throws -> [String: JSONValue] {
    Dictionary(uniqueKeysWithValues: try #require(schema["properties"]?.object).map { ($0.key, $0.value) })
  }

  private var training: JSONValue {
    get throws { TrainingSettings.jsonSchema(for: .made, threads: ThreadAllowance(unasked: 2, most: 4)) }
  }

  /// The least and the greatest value that a property admits, and one beyond each.
  private func borders(_ property: JSONValue) -> (admitted: [JSONValue], refused: [JSONValue]) {
    switch property["type"]?.string {
    case "integer":
      let (least, most) = (property["minimum"]?.integer ?? 0, property["maximum"]?.integer ?? 0)
      return ([.integer(least), .integer(most)], [.integer(least - 1), .integer(most + 1), .number(Double(least) + 0.5)])
    case "number":
      let most = property["maximum"]?.number ?? 0
      guard let least = property["minimum"]?.number else { return ([.number(1e-9), .number(most)], [.number(0), .number(most * 1.01)]) }
      return ([.number(least), .number(most)], [.number(least - 0.01), .number(most + 0.01)])
    case "string": return (property["enum"]?.array ?? [], ["neither"])
    case "boolean": return ([true, false], ["true", 1])
    default: return ([[8, 8]], [[0, 8], [8], [8, 8, 8], [8, 4097], "8x8"])
    }
  }

  @Test func `has every field of the settings, and no other`() throws {
    #expect(Set(try properties(training).keys) == Set(try #require(TrainingSettings().json.object).keys))
  }

  @Test func `tells the defaults that a request without them gets`() throws {
    let request = try #require(
      TrainingRequest(
        reader: FieldReader(["family": "made"], faults: Faults()), dataset: bits, validation: nil,
        threads: ThreadAllowance(unasked: 2, most: 4)))
    for (name, property) in try properties(training) {
      #expect((property["default"] ?? .null) == (request.settings.json[name] ?? .null), "\(name)")
    }
  }

  @Test func `admits what a request admits, to the border`() throws {
    for (part, schema) in [("training", try training), ("data", TrainingSettings.dataSchema)] {
      for (name, property) in try properties(schema) {
        let (admitted, refused) = borders(property)
        #expect(!admitted.isEmpty)
        for value in admitted { #expect(faults(part, name, value) == [], "\(name) \(value.serialized())") }
        for value in refused {
          let found = faults(part, name, value)
          #expect(found.contains { $0.hasPrefix("/\(part)/\(name)") }, "\(name) \(value.serialized())")
        }
      }
    }
  }

  @Test func `leaves out what a family without a density has no use for`() throws {
    let schema = TrainingSettings.jsonSchema(for: .gan, threads: ThreadAllowance())
    #expect(try properties(schema)["early_stopping_patience"] == nil)
    #expect(faults("training", "early_stopping_patience", 3, family: "gan") == ["/training/early_stopping_patience"])
  }
}

@Suite struct `What a family needs to learn a dataset` {
  private static let datasets: [DatasetDescription] = [
    .init(
      count: 100, shape: .image(height: 8, width: 8, channels: 1), element: .uint8, format: "idx", minimum: 0, maximum: 1, mean: 0.3,
      bits: true),
    .init(
      count: 100, shape: .image(height: 8, width: 8, channels: 1), element: .uint8, format: "idx", minimum: 0, maximum: 255, mean: 30,
      bits: false),
    .init(
      count: 100, shape: .image(height: 8, width: 8, channels: 3), element: .uint8, format: "idx", minimum: 0, maximum: 255, mean: 30,
      bits: false),
    .init(count: 100, shape: .table(columns: 5), element: .float32, format: "npy", minimum: -3, maximum: 2, mean: 0, bits: false),
    .init(count: 100, shape: .table(columns: 5), element: .float32, format: "npy", minimum: 0, maximum: 1, mean: 0.5, bits: true),
  ]

  /// The faults of a request that says what the fit says, and nothing else.
  private func faults(_ family: ModelFamily, _ fit: JSONValue, _ dataset: DatasetDescription) -> [Fault] {
    let faults = Faults()
    let body: JSONValue = .object([
      "family": .string(family.name), "configuration": fit["configuration"] ?? [:], "data": fit["data"] ?? [:],
    ])
    _ = TrainingRequest(reader: FieldReader(body, faults: faults), dataset: dataset, validation: nil)
    return faults.all
  }

  @Test(arguments: datasets) func `is taken by a request, and where nothing does the defaults are refused`(dataset: DatasetDescription) {
    for family in ModelFamily.all {
      if let fit = FamilyFit(of: family, to: dataset) {
        #expect(faults(family, fit.json, dataset) == [], "\(family.name) \(dataset.shape)")
      } else {
        #expect(FamilyFit.refusal(of: family, dataset) != nil && !faults(family, [:], dataset).isEmpty, "\(family.name) \(dataset.shape)")
      }
    }
  }

  @Test func `is nothing for bits, a threshold for grey, another output for reals and colours, and refused where there is no way`() throws {
    func fit(_ name: String, _ dataset: Int) throws -> JSONValue? {
      FamilyFit(of: try #require(.named(name)), to: Self.datasets[dataset])?.json
    }
    #expect(try fit("made", 0) == ["configuration": [:], "data": [:]])
    #expect(try fit("made", 1) == ["configuration": [:], "data": ["binarize": "threshold"]])
    #expect(try fit("pixelcnn", 2) == ["configuration": ["output": "categorical"], "data": [:]])
    #expect(try fit("made", 3) == ["configuration": ["output": "gaussian_mixture"], "data": [:]])
    #expect(try fit("rbm", 3) == ["configuration": ["visible": "gaussian"], "data": [:]])
    #expect(try fit("dbm", 3) == nil && fit("pixelcnn", 4) == nil)
    #expect(try fit("gan", 2) == ["configuration": [:], "data": [:]])
  }
}
