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
    let (submission, model) = try jobPayload.submission(of: try JSONValue(parsing: bytes))
    if isDry { return .json(["dry_run": true, "request": submission.request]) }
    guard try record.jobCount(.queued) < configuration.queuedJobsMax else {
      throw Problem(.tooManyRequests, "\(configuration.queuedJobsMax) jobs wait already", headers: [.retryAfter: "60"])
    }
    let job = try record.submit(submission, model: model)
    pool.wake()
    return .json(try view(of: job), status: .accepted, headers: [.location: "/v1/jobs/\(job.id)"])
  }

  func listJobs(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let status = query.string("status", oneOf: JobStatus.allCases.map(\.rawValue)).flatMap(JobStatus.init)
    let family = query.string("family", oneOf: ModelFamily.all.map(\.name))
    let dataset = query.string("dataset")
    let (limit, after) = query.page()
    try query.finish()
    return try .page(record.jobs(status: status, family: family, dataset: dataset, limit: limit, after: after), of: request) {
      try view(of: try pool.liveJob($0.id) ?? $0)
    }
  }

  func cancelJob(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let id = try job(named: request.parameters["id"]).id
    return .json(try view(of: try pool.cancel(id)), status: .accepted, headers: [.location: "/v1/jobs/\(id)"])
  }

  func job(named id: String?) throws -> JobRecord {
    guard let id, let job = try pool.liveJob(id) else { throw Problem.notFound("job", id ?? "") }
    return job
  }

  /// The job as the interface tells it.
  func view(of job: JobRecord) throws -> JSONValue {
    var view: JSONObject = [
      "id": .string(job.id), "kind": .string(job.kind), "status": .string(job.status.rawValue), "name": JSONValue(job.name),
      "model": JSONValue(job.model), "family": JSONValue(job.family), "dataset": JSONValue(job.datasets.first),
      "progress": job.progress ?? nil, "queue": nil, "metrics": job.metrics ?? [:],
    ]
    if job.status == .queued {
      view["queue"] = ["position": JSONValue(try record.queuePosition(of: job.id)), "priority": .integer(job.priority)]
    }
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

  private func links(of job: JobRecord) -> JSONValue {
    var links: JSONObject = ["self": "/v1/jobs/\(job.id)", "events": "/v1/jobs/\(job.id)/events", "metrics": "/v1/jobs/\(job.id)/metrics"]
    if job.kind == "train" { links["curve"] = "/v1/jobs/\(job.id)/curve.png" }
    if !job.status.isFinished { links["cancel"] = "/v1/jobs/\(job.id)/cancel" }
    if let model = job.model {
      links["model"] = "/v1/models/\(model)"
      links["samples"] = "/v1/models/\(model)/samples"
    }
    return .object(links)
  }
}
