import Files
import HTTP
import HTTPTypes
import JSON
import Jobs
import Models
import Training

/// Models: what training jobs make, listed from their first checkpoint on.
extension FountService {
  func listModels(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let family = query.string("family", oneOf: ModelFamily.all.map(\.name))
    let dataset = query.string("dataset")
    let (limit, after) = query.page()
    try query.finish()
    return try .page(record.models(family: family, dataset: dataset, limit: limit, after: after), of: request) {
      try view(of: RecordedModel($0))
    }
  }

  func describeModel(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    return .json(try view(of: try model(named: request.parameters["id"])), headers: [.cacheControl: "no-store"])
  }

  func model(named id: String?) throws -> RecordedModel {
    guard let id, let model = try record.model(id) else { throw Problem.notFound("model", id ?? "") }
    return try RecordedModel(model)
  }

  func view(of model: RecordedModel) throws -> JSONValue {
    let (id, description) = (model.record.id, model.record.description)
    let job = try model.record.job.flatMap { try pool.liveJob($0) }
    var links: JSONObject = ["self": "/v1/models/\(id)"]
    if let job = model.record.job { links["job"] = "/v1/jobs/\(job)" }
    links["samples"] = "/v1/models/\(id)/samples"
    for ability in model.family.abilities { links[ability] = .string("/v1/models/\(id)/\(ability)") }
    if model.record.dataset != nil { links["neighbours"] = "/v1/models/\(id)/neighbours" }
    if model.family.hasFilters, model.isOfPictures { links["filters"] = .string("/v1/models/\(id)/filters.png") }
    links["checkpoints"] = "/v1/models/\(id)/checkpoints"
    links["weights"] = "/v1/models/\(id)/weights.safetensors"
    return .object([
      "id": .string(id), "family": .string(model.family.name), "taxonomy": .array(model.family.taxonomy.map { .string($0) }),
      "abilities": .array(model.family.abilities.map { .string($0) }), "dataset": JSONValue(model.record.dataset),
      "job": JSONValue(model.record.job), "job_status": JSONValue(job?.status.rawValue), "step": JSONValue(model.record.newestStep),
      "shape": model.preparation.shape.json, "metrics": job?.metrics ?? description["metrics"] ?? [:], "seed": description["seed"] ?? nil,
      "configuration": description["configuration"] ?? nil, "training": description["training"] ?? nil,
      "data": description["data"] ?? nil, "lineage": description["lineage"] ?? nil, "created_at": model.record.createdAt.rfc3339,
      "links": .object(links),
    ])
  }
}
