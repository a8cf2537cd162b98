import JSON
import Jobs
import Models
import Training

/// Models as they are told, and what they give.
extension SchemaTable {
  static let models: JSONObject = [
    "Model": Schema.object([
      "id": Schema.id("mdl"), "family": families, "taxonomy": Schema.array(of: Schema.text), "abilities": Schema.array(of: abilities),
      "dataset": Schema.nullable(Schema.id("ds")), "job": Schema.nullable(Schema.id("job")),
      "job_status": Schema.nullable(Schema.words(JobStatus.allCases.map(\.rawValue))),
      "step": Schema.described(Schema.nullable(Schema.count), "Of the newest checkpoint; null before the first."), "shape": shape,
      "metrics": Schema.map(of: Schema.nullable(Schema.number)), "seed": Schema.nullable(Schema.integer(0...TrainingLimits.seedMax)),
      "configuration": Schema.nullable(["type": "object"]), "training": Schema.nullable(["type": "object"]),
      "data": Schema.nullable(
        Schema.object(
          ["binarize": Schema.nullable(Schema.words(binarizations)), "resize": sides, "grayscale": Schema.boolean],
          optional: ["resize", "grayscale"])),
      "lineage": Schema.described(Schema.nullable(lineage), "What it goes on from; null for one that was trained from its beginning."),
      "created_at": Schema.time, "links": links,
    ]),
    "Score": Schema.object([
      "estimator": Schema.words(LikelihoodEstimator.allCases.map(\.rawValue)), "settings": settings,
      "nats": Schema.described(Schema.array(of: Schema.nullable(Schema.number)), "−ln p(x) of each example."),
      "bits_per_dim": Schema.array(of: Schema.nullable(Schema.number)),
    ]),
    "Neighbours": Schema.object([
      "model": Schema.id("mdl"), "seed": Schema.integer(0...TrainingLimits.seedMax), "step": Schema.count,
      "neighbours": Schema.array(
        of: Schema.object([
          "sample": Schema.count, "example": Schema.described(Schema.count, "Its place in the dataset, from 0."),
          "distance": Schema.described(Schema.number, "Euclidean, of what the model sees."),
        ])),
    ]),
    "Features": rows("features"),
    "Reconstructions": rows("reconstructions"),
    "Interpolation": rows("examples"),
    "Completions": rows("samples"),
    "Samples": Schema.object([
      "model": Schema.id("mdl"), "seed": Schema.integer(0...TrainingLimits.seedMax), "step": Schema.count, "shape": shape,
      "samples": Schema.array(of: Schema.array(of: Schema.number)),
    ]),
  ]

  static let binarizations = Binarization.allCases.map(\.rawValue)
  static let sides = Schema.described(Schema.array(of: Schema.integer(1...4096), count: 2...2), "`[height, width]`.")

  private static func rows(_ name: String) -> JSONValue {
    Schema.object([
      "model": Schema.id("mdl"), "step": Schema.count, "shape": shape,
      name: Schema.array(of: Schema.array(of: Schema.nullable(Schema.number))),
    ])
  }

  private static let lineage = Schema.one(of: [
    Schema.object(["job": Schema.id("job"), "model": Schema.id("mdl"), "step": Schema.count]),
    Schema.object(["imported": Schema.object(["model": Schema.nullable(Schema.text), "step": Schema.count])]),
  ])

  private static var links: JSONValue {
    let some = ["job", "score", "complete", "encode", "reconstruct", "interpolate", "filters", "neighbours"]
    var members = JSONObject()
    for name in ["self", "samples", "checkpoints", "weights"] + some { members[name] = Schema.address }
    return Schema.object(members, optional: Set(some))
  }
}
