import JSON
import Models

/// The schemas that have a name in the document.
enum SchemaTable {
  static func all(_ limits: DescribedLimits) -> JSONObject {
    var all = JSONObject()
    for part in [answers, jobs, requests(limits), models] {
      for (name, schema) in part { all[name] = schema }
    }
    return all
  }

  private static let answers: JSONObject = [
    "Problem": Schema.object(
      [
        "type": Schema.constant("about:blank"), "title": Schema.text, "status": Schema.integer(400...599), "detail": Schema.text,
        "instance": Schema.described(Schema.text, "The path that was asked for."), "request_id": Schema.text,
        "errors": Schema.described(
          Schema.array(of: Schema.named("Fault")), "Every fault of the request; more than a hundred are not told."),
      ], optional: ["instance", "errors"]),
    "Fault": Schema.one(of: [
      Schema.object([
        "pointer": Schema.described(Schema.text, "A JSON Pointer (RFC 6901) into the body; empty for all of it."), "detail": Schema.text,
      ]),
      Schema.object(["parameter": Schema.described(Schema.text, "A query parameter."), "detail": Schema.text]),
    ]),
    "Dataset": Schema.object(
      [
        "id": Schema.id("ds"), "name": Schema.nullable(Schema.text), "count": Schema.integer(1...Int.max), "shape": shape,
        "element": Schema.words(["uint8", "float32"]), "format": Schema.words(formats), "minimum": Schema.number, "maximum": Schema.number,
        "mean": Schema.number, "bits": Schema.described(Schema.boolean, "Every number is 0 or 1, or every one 0 or 255."),
        "duplicates": Schema.described(Schema.count, "Examples that are equal to one before them; absent where they were not counted."),
        "classes": Schema.array(of: Schema.object(["name": Schema.text, "count": Schema.integer(1...Int.max)])),
        "bytes": Schema.described(Schema.count, "Of the upload."),
        "sha256": Schema.described(["type": "string", "pattern": "^[0-9a-f]{64}$"], "Of the upload."), "created_at": Schema.time,
        "links": Schema.object(["self": Schema.address, "preview": Schema.address]),
      ], optional: ["duplicates", "classes"]),
    "Upload": Schema.object([
      "id": Schema.text, "name": Schema.nullable(Schema.text), "offset": Schema.described(Schema.count, "The bytes that are there."),
      "length": Schema.described(Schema.nullable(Schema.count), "The bytes in all; null until it is said."),
      "links": Schema.object(["self": Schema.address]),
    ]),
    "Leaderboard": Schema.object([
      "dataset": Schema.id("ds"),
      "metrics": Schema.map(
        of: Schema.object([
          "better": Schema.described(Schema.text, "`less`, `more`, or `nearer to` a number."),
          "models": Schema.array(
            of: Schema.object([
              "rank": Schema.integer(1...Int.max), "model": Schema.id("mdl"), "family": Schema.nullable(Schema.text),
              "value": Schema.number,
              "interval": Schema.nullable(interval), "settings": settings, "job": Schema.id("job"), "evaluated_at": Schema.time,
            ])),
        ])),
    ]),
    "Family": Schema.object(
      [
        "name": families, "title": Schema.text, "summary": Schema.text, "paper": Schema.text, "taxonomy": Schema.array(of: Schema.text),
        "abilities": Schema.array(of: abilities),
        "likelihood": Schema.object([
          "kind": Schema.words(ToldLikelihood.Kind.allCases.map(\.rawValue)), "detail": Schema.text,
        ]), "sampling": Schema.described(Schema.text, "How samples are drawn."),
        "configuration": jsonSchema, "training": jsonSchema, "data": jsonSchema,
        "presets": Schema.array(of: Schema.object(["name": Schema.text, "summary": Schema.text, "configuration": ["type": "object"]])),
        "fit": Schema.described(
          Schema.nullable(Schema.object(["configuration": ["type": "object"], "data": ["type": "object"]])),
          "What a request must say so that the family learns the dataset; null where nothing does."),
        "refusal": Schema.described(Schema.nullable(Schema.text), "Why it does not."),
      ], optional: ["fit", "refusal"]),
    "Checkpoint": Schema.one(of: [
      Schema.object([
        "step": Schema.count, "epoch": Schema.nullable(Schema.count), "validation_nats": Schema.nullable(Schema.number),
        "bytes": Schema.count, "kept": Schema.constant(true), "pinned": Schema.boolean, "newest": Schema.boolean, "best": Schema.boolean,
        "current": Schema.described(Schema.boolean, "It is what the model is used by."),
        "links": Schema.object(["samples": Schema.address, "weights": Schema.address]),
      ]),
      Schema.described(
        Schema.object(["step": Schema.count, "pinned": Schema.boolean, "kept": Schema.constant(false)]),
        "Kept by its pin alone, it is gone."),
    ]),
  ]

  private static let jsonSchema = Schema.described(["type": "object"], "A JSON Schema 2020-12.")
  static let shape = Schema.described(
    Schema.array(of: Schema.integer(1...Int.max), count: 1...3), "`[height, width, channels]` of a picture, `[columns]` of a table's row.")
  static let families = Schema.words(ModelFamily.all.map(\.name))
  static let abilities = Schema.words(["score", "complete", "encode", "reconstruct", "interpolate"])
  static let interval = Schema.described(Schema.array(of: Schema.number, count: 2...2), "Of 95 %, from its lower to its upper bound.")
  static let settings = Schema.described(
    Schema.map(of: ["type": ["number", "string", "array"], "items": Schema.number]),
    "What the number depends on beside the model and the dataset.")
  static let metrics = Schema.described(Schema.map(of: Schema.number), "The newest of each; nats are of one example, smaller is better.")
}
