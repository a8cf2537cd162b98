import Datasets
import Files
import Foundation
import HTTP
import HTTPTypes
import JSON
import Jobs
import Models
import Training

/// Jobs: work that is recorded before it is acknowledged, and then done by a worker.
extension FountService {
  func createJob(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let isDry = query.string("dry_run", oneOf: ["0", "1"]) == "1"
    try query.finish()
    guard case .bytes(let bytes) = request.body else { throw Problem(.badRequest, "the body is empty; a JSON object is needed") }
    let keyed = isDry ? nil : try KeyedRequest(request, body: SHA256.of(bytes))
    if let keyed, let kept = try record.answer(to: keyed) { return Response(kept, isRepeated: true) }
    var (submission, model) = try jobPayload.submission(of: try JSONValue(parsing: bytes))
    submission.owner = request.head.principal
    if isDry { return .json(["dry_run": true, "request": submission.request]) }
    return try submit(submission, model: model, once: keyed)
  }

  /// Queues a job, once for a keyed request, and answers it.
  func submit(_ submission: JobSubmission, model: ModelRecord?, once keyed: KeyedRequest?) throws -> Response {
    try submitted(submission, model: model, once: keyed).response
  }

  /// - Returns: the answer, and whether it is an earlier one's to the same keyed request. Once it has returned the job is recorded.
  func submitted(
    _ submission: JobSubmission, model: ModelRecord?, once keyed: KeyedRequest?
  ) throws -> (response: Response, isRepeated: Bool) {
    try freeSpace.require()
    let submitted = try record.submit(submission, model: model, waitingMax: configuration.queuedJobsMax, once: keyed) { job, position in
      let body = view(of: job, position: position).serializedBytes()
      return KeptAnswer(status: .accepted, location: "/v1/jobs/\(job.id)", body: body)
    }
    switch submitted {
    case .repeated(let kept): return (Response(kept, isRepeated: true), true)
    case .made(_, let answer):
      pool.wake()
      return (Response(answer), false)
    }
  }

  func listJobs(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let status = query.string("status", oneOf: JobStatus.allCases.map(\.rawValue)).flatMap(JobStatus.init)
    let family = query.string("family", oneOf: ModelFamily.all.map(\.name))
    let dataset = query.string("dataset")
    let (limit, after) = query.page()
    try query.finish()
    let page = try record.jobs(status: status, family: family, dataset: dataset, limit: limit, after: after)
    let positions = try record.queuePositions()
    return try .page(page, of: request) {
      let job = try pool.liveJob($0.id) ?? $0
      return view(of: job, position: job.status == .queued ? positions[job.id] ?? 0 : nil)
    }
  }

  func job(named id: String?) throws -> JobRecord {
    guard let id, let job = try pool.liveJob(id) else { throw Problem.notFound("job", id ?? "") }
    return job
  }

  func view(of job: JobRecord) throws -> JSONValue {
    view(of: job, position: job.status == .queued ? try record.queuePosition(of: job.id) : nil)
  }

  /// The job as the interface tells it. It reads nothing more of the record: a submission's answer is made inside its transaction.
  ///
  /// - Parameter position: how many jobs go before it, where it is queued.
  private func view(of job: JobRecord, position: Int?) -> JSONValue {
    var view: JSONObject = [
      "id": .string(job.id), "kind": .string(job.kind), "status": .string(job.status.rawValue), "name": JSONValue(job.name),
      "model": JSONValue(job.model), "family": JSONValue(job.family), "dataset": JSONValue(job.datasets.first),
      "progress": job.progress ?? nil, "queue": nil, "metrics": job.metrics ?? [:],
    ]
    if let position { view["queue"] = queue(pool.queueStanding(position: position, of: job), priority: job.priority) }
    if job.kind == "evaluate" { view["results"] = job.result ?? [] }
    view["history"] = .array(job.history.map { ["status": .string($0.status.rawValue), "at": $0.at.rfc3339] })
    view["error"] = job.failure?.json ?? .null
    view["attempt"] = .integer(job.attempt)
    view["seed"] = .integer(job.seed)
    view["request"] = job.request
    view["metadata"] = job.metadata
    view["created_at"] = job.createdAt.rfc3339
    view["links"] = links(of: job)
    return .object(view)
  }

  private func queue(_ standing: QueueStanding, priority: Int) -> JSONValue {
    [
      "position": .integer(standing.position), "priority": .integer(priority), "reason": .string(standing.reason.rawValue),
      "detail": .string(standing.detail),
    ]
  }

  private func links(of job: JobRecord) -> JSONValue {
    var links: JSONObject = ["self": "/v1/jobs/\(job.id)", "events": "/v1/jobs/\(job.id)/events", "metrics": "/v1/jobs/\(job.id)/metrics"]
    if job.kind == "train" { links["curve"] = "/v1/jobs/\(job.id)/curve.png" }
    for verb in JobVerb.allCases where job.status.hasUse(for: verb) { links[verb.rawValue] = "/v1/jobs/\(job.id)/\(verb.rawValue)" }
    if let model = job.model {
      links["model"] = "/v1/models/\(model)"
      links["samples"] = "/v1/models/\(model)/samples"
    }
    return .object(links)
  }
}
