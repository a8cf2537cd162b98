import Datasets
import JSON
import Models

/// What a request must say so that a family can learn a dataset, beside the family's defaults.
package struct FamilyFit: Sendable, Equatable {
  package var configuration: JSONObject = [:]
  package var data: JSONObject = [:]

  /// The least that does: nothing where the defaults do. Else a choice of the configuration for pictures in colour and for reals, bits by a
  /// threshold for grey pictures, which they mostly are and which train hundreds of times as fast as 256 levels do; and then the other one.
  /// - Returns: nil where neither does.
  package init?(of family: ModelFamily, to dataset: DatasetDescription) {
    let bits: JSONObject = ["binarize": .string(Binarization.threshold.rawValue)]
    let choices = family.schema.fields.flatMap { field -> [JSONObject] in
      guard case .choice(let names) = field.kind else { return [] }
      return names.map { [field.name: .string($0)] }
    }
    let asThey = choices.map { FamilyFit(configuration: $0) }
    let asBits = [FamilyFit(data: bits)]
    let isGrey = if case .image(_, _, 1) = dataset.shape { true } else { false }
    let candidates = [FamilyFit()] + (isGrey ? asBits + asThey : asThey + asBits)
    guard let fit = candidates.first(where: { $0.refusal(of: family, dataset) == nil }) else { return nil }
    self = fit
  }

  private init(configuration: JSONObject = [:], data: JSONObject = [:]) {
    self.configuration = configuration
    self.data = data
  }

  /// Why the family's defaults do not learn the dataset.
  package static func refusal(of family: ModelFamily, _ dataset: DatasetDescription) -> String? { FamilyFit().refusal(of: family, dataset) }

  private func refusal(of family: ModelFamily, _ dataset: DatasetDescription) -> String? {
    let binarization: Binarization = data.isEmpty ? .none : .threshold
    switch Preparation.fitting(dataset, binarization: binarization) {
    case .failure(let refusal): return refusal.detail
    case .success(let preparation):
      return family.refusal(family.schema.resolve(FieldReader(.object(configuration), faults: Faults())), preparation.input)?.detail
    }
  }

  package var json: JSONValue { ["configuration": .object(configuration), "data": .object(data)] }
}
