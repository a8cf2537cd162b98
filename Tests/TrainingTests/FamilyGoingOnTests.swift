import Datasets
import Files
import JSON
import Models
import Testing
import Training

/// Every family that there is, through the worker: stopped at a border between two steps and gone on, a run ends with the bits of one that
/// was never stopped. A family joins by being in the registry.
@Suite struct `A run of any family` {
  @Test(arguments: ModelFamily.all.map(\.name))
  func `that was stopped and went on ends with the same bits and the same metrics`(name: String) throws {
    let family = try #require(ModelFamily.named(name))
    let scratch = try Scratch()
    let subject = try #require(try Subject(family, scratch), "no data of this suite are for \(name): give it some")
    let whole = try Attempts(scratch, "whole")
    try subject.write(whole)
    #expect(WorkerCommand.run(folder: whole.folder, attempt: 1, stop: StopRequest()) == 0)
    let result = try #require(try whole.result())
    try #require(result["status"] == "succeeded", "\(result.serialized())")
    let expected = bits(try whole.finalCheckpoint())

    // Before the first step, within an epoch, and one stop after the other.
    for (number, drill) in [[0], [3], [5, 1]].enumerated() {
      let attempts = try Attempts(scratch, "drill-\(number)")
      try subject.write(attempts)
      for (attempt, checks) in drill.enumerated() {
        #expect(WorkerCommand.run(folder: attempts.folder, attempt: attempt + 1, stop: StopRequest(afterChecks: checks)) == 0)
        #expect(!attempts.hasResult, "\(drill)")
      }
      #expect(WorkerCommand.run(folder: attempts.folder, attempt: drill.count + 1, stop: StopRequest()) == 0)
      #expect(bits(try attempts.finalCheckpoint()) == expected, "\(drill)")
      #expect(try attempts.result()?["metrics"] == result["metrics"], "\(drill)")
    }
  }

  private func bits(_ checkpoint: Checkpoint) -> [String: [UInt32]] {
    Dictionary(uniqueKeysWithValues: checkpoint.tensors.map { ($0.name, $0.tensor.scalars.map(\.bitPattern)) })
  }
}

/// A family with the first data that it takes, as small as its schema lets it be.
private struct Subject {
  private let dataset: DatasetFile
  private let members: JSONObject
  private static let training: JSONObject = ["epochs": 2, "batch_size": 8, "weight_averaging": 0.9, "validation_fraction": 0.2]

  init?(_ family: ModelFamily, _ scratch: Scratch) throws {
    let sets = [
      try scratch.dataset("bits", shape: smallPicture, bytes: stripes(40)),
      try scratch.dataset("grey", shape: smallPicture, bytes: stripes(40, on: 200).enumerated().map { $1 + UInt8($0 % 7) }),
      try scratch.dataset("reals", shape: .table(columns: 5), floats: (0..<200).map { Float($0 * 37 % 101) / 50 - 1 }),
    ]
    for dataset in sets {
      for configuration in [Self.small(family), [:]] {
        let members: JSONObject = ["family": .string(family.name), "configuration": .object(configuration)]
        // Refused: of another shape, or in numbers that do not go together.
        guard (try? trainingRequest(members, training: Self.training, dataset: dataset)) != nil else { continue }
        (self.dataset, self.members) = (dataset, members)
        return
      }
    }
    return nil
  }

  func write(_ attempts: Attempts) throws { try attempts.writeTraining(members, training: Self.training, dataset: dataset) }

  /// Its defaults, each whole number brought down to 8 as far as its range allows.
  private static func small(_ family: ModelFamily) -> JSONObject {
    var values = JSONObject()
    for field in family.schema.fields {
      switch (field.kind, field.defaultValue.integer, field.defaultValue.array) {
      case (.integer(let range), let value?, _): values[field.name] = .integer(max(range.lowerBound, min(value, 8)))
      case (.integers(_, let each), _, let list?):
        values[field.name] = .array(list.compactMap(\.integer).map { .integer(max(each.lowerBound, min($0, 8))) })
      default: break
      }
    }
    return values
  }
}
