import HTTP
import HTTPTypes
import Jobs

/// What a user asks of a job: durable when it is answered, and told to the worker right after.
extension FountService {
  func cancelJob(_ request: Request) throws -> Response { try apply(.cancel, request) }
  func pauseJob(_ request: Request) throws -> Response { try apply(.pause, request) }
  func resumeJob(_ request: Request) throws -> Response { try apply(.resume, request) }

  private func apply(_ verb: JobVerb, _ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let id = try job(named: request.parameters["id"]).id
    return .json(try view(of: try pool.apply(verb, to: id)), status: .accepted, headers: [.location: "/v1/jobs/\(id)"])
  }
}
