import Datasets
import HTTP
import JSON
import Models
import Training

/// The families: what a user may train, and what can honestly be told of it.
extension FountService {
  /// `dataset=ds_…` tells of each family, too, what it needs to learn that one.
  func listFamilies(_ request: Request) throws -> Response {
    let dataset = try datasetAsked(request)
    return .json(["data": .array(ModelFamily.all.map { view(of: $0, for: dataset) }), "has_more": false, "next": nil])
  }

  func describeFamily(_ request: Request) throws -> Response {
    let dataset = try datasetAsked(request)
    let name = request.parameters["name"] ?? ""
    guard let family = ModelFamily.named(name) else { throw Problem.notFound("family", name) }
    return .json(view(of: family, for: dataset))
  }

  private func datasetAsked(_ request: Request) throws -> DatasetDescription? {
    let query = QueryReader(request)
    let id = query.string("dataset")
    try query.finish()
    return try id.map { try file(of: try dataset(named: $0)).description }
  }

  private func view(of family: ModelFamily, for dataset: DatasetDescription?) -> JSONValue {
    let presets = family.presets.map { preset -> JSONValue in
      ["name": .string(preset.name), "summary": .string(preset.summary), "configuration": .object(preset.values)]
    }
    var view: JSONObject = [
      "name": .string(family.name), "title": .string(family.title), "summary": .string(family.summary), "paper": .string(family.paper),
      "taxonomy": .array(family.taxonomy.map { .string($0) }), "abilities": .array(family.abilities.map { .string($0) }),
      "likelihood": ["kind": .string(family.likelihood.kind.rawValue), "detail": .string(family.likelihood.detail)],
      "sampling": .string(family.sampling), "configuration": family.schema.jsonSchema(), "presets": .array(presets),
      "training": TrainingSettings.jsonSchema(for: family, threads: jobPayload.threads), "data": TrainingSettings.dataSchema,
    ]
    if let dataset {
      let fit = FamilyFit(of: family, to: dataset)
      view["fit"] = fit?.json ?? .null
      view["refusal"] = fit == nil ? JSONValue(FamilyFit.refusal(of: family, dataset)) : .null
    }
    return .object(view)
  }
}
