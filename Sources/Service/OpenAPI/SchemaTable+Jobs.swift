import JSON
import Jobs
import Models
import Training

/// Jobs as they are told.
extension SchemaTable {
  static let jobs: JSONObject = [
    "Job": Schema.one(of: [job(kind: "train"), job(kind: "evaluate")]),
    "Event": Schema.object([
      "id": Schema.described(Schema.integer(1...Int.max), "Grows; what `Last-Event-ID` and `after` name."), "job": Schema.id("job"),
      "type": Schema.described(Schema.text, "`status`, `metrics`, `checkpoint`, `samples` or `warning`."), "at": Schema.time,
      "data": ["type": "object"],
    ]),
    "Metrics": Schema.object([
      "job": Schema.id("job"),
      "every": Schema.described(Schema.integer(1...Int.max), "Of a long series every so-many-th value is told."),
      "series": Schema.map(
        of: Schema.object([
          "step": Schema.array(of: Schema.count), "epoch": Schema.array(of: Schema.nullable(Schema.count)),
          "value": Schema.array(of: Schema.nullable(Schema.number)),
        ])),
    ]),
  ]

  private static func job(kind: String) -> JSONValue {
    let isTraining = kind == "train"
    var members: JSONObject = [
      "id": Schema.id("job"), "kind": Schema.constant(.string(kind)), "status": Schema.words(JobStatus.allCases.map(\.rawValue)),
      "name": Schema.nullable(Schema.text), "model": Schema.id("mdl"), "family": families, "dataset": Schema.id("ds"),
      "progress": Schema.nullable(progress(isTraining: isTraining)),
      "queue": Schema.described(Schema.nullable(queue), "Why a queued job waits; else null."), "metrics": metrics,
    ]
    if !isTraining { members["results"] = Schema.described(Schema.array(of: result), "Empty until the job has succeeded.") }
    members["history"] = Schema.array(of: Schema.object(["status": Schema.words(JobStatus.allCases.map(\.rawValue)), "at": Schema.time]))
    members["error"] = Schema.nullable(
      Schema.object(["reason": Schema.described(Schema.text, "One word, for programs."), "detail": Schema.text]))
    members["attempt"] = Schema.described(Schema.count, "How many times a worker has been started on it.")
    members["seed"] = Schema.integer(0...TrainingLimits.seedMax)
    members["request"] = ["anyOf": [Schema.named(isTraining ? "ResolvedTraining" : "ResolvedEvaluation"), lost]]
    members["metadata"] = Schema.map(of: Schema.text)
    members["created_at"] = Schema.time
    members["links"] = links(isTraining: isTraining)
    return Schema.object(members)
  }

  /// What is told where the record of a request was damaged.
  private static let lost = Schema.described(Schema.object([:]), "Of a job that failed by `damaged_record`.")

  private static func links(isTraining: Bool) -> JSONValue {
    let always = ["self", "events", "metrics", "model", "samples"] + (isTraining ? ["curve"] : [])
    let verbs = JobVerb.allCases.map(\.rawValue)
    var members = JSONObject()
    for name in always + verbs { members[name] = Schema.address }
    return Schema.described(
      Schema.object(members, optional: Set(verbs)), "What would change nothing now, as `resume` of a running job, is absent.")
  }

  private static func progress(isTraining: Bool) -> JSONValue {
    var members: JSONObject = isTraining ? ["epoch": Schema.count, "epochs": Schema.count] : [:]
    members["step"] = Schema.count
    members["steps"] = Schema.count
    members["examples_per_second"] = Schema.nullable(Schema.number)
    members["eta_seconds"] = Schema.nullable(Schema.number)
    return Schema.object(members)
  }

  private static let queue = Schema.object([
    "position": Schema.described(Schema.count, "How many jobs go before it."), "priority": Schema.integer(-100...100),
    "reason": Schema.words(["workers_busy", "resting", "no_workers", "draining", "starting"]), "detail": Schema.text,
  ])

  private static let result = Schema.object(
    [
      "metric": Schema.text, "value": Schema.number, "interval": interval, "standard_error": Schema.number, "bits_per_dim": Schema.number,
      "settings": settings,
    ], optional: ["standard_error", "bits_per_dim"])
}
