import HTTP
import HTTPTypes
import JSON
import Jobs

/// What a job has told, in order: a page of it, or as it happens.
extension FountService {
  private static let eventsPageMax = 1000
  private static let eventStream = "text/event-stream"

  /// `Accept: text/event-stream` replays what came after `Last-Event-ID` and goes on until the job has finished; anything else gets a page,
  /// oldest first.
  func listEvents(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let after = query.integer("after", in: 0...Int.max)
    let limit = query.integer("limit", in: 1...Self.eventsPageMax)
    let form = ContentNegotiation.choose(["application/json", Self.eventStream], accept: request.headers[.accept])
    if form == Self.eventStream, limit != nil { query.fault("limit", "is for pages; a stream gives all") }
    try query.finish()
    let last = try Self.lastEvent(request)
    let job = try job(named: request.parameters["id"])
    switch form {
    case Self.eventStream: return try stream(of: job, after: last ?? after ?? 0)
    case .some: return try page(of: job, after: after ?? 0, limit: limit ?? 100, request)
    case nil: throw Problem(.notAcceptable, "events are given as application/json or \(Self.eventStream)")
    }
  }

  private func page(of job: JobRecord, after number: Int, limit: Int, _ request: Request) throws -> Response {
    // One more than asked for says whether there are more now.
    let events = try record.events(of: job.id, after: number, limit: limit + 1)
    let shown = events.prefix(limit)
    let next = events.count > limit ? shown.last?.number : nil
    return .page(Page(items: Array(shown), next: next.map(String.init)), of: request) { $0.view }
  }

  /// A stream that is over before it begins is a 204, which tells a browser not to come back (WHATWG HTML §9.2.3).
  private func stream(of job: JobRecord, after number: Int) throws -> Response {
    if job.status.isFinished, try record.events(of: job.id, after: number, limit: 1).isEmpty { return Response(status: .noContent) }
    let listener = EventListener(job: job.id, after: number, record: record, watch: watch, logger: logger)
    // A proxy that gathered the answer before passing it on would make it no stream.
    let headers: HTTPFields = [.contentType: Self.eventStream, .cacheControl: "no-store", .accelBuffering: "no"]
    return Response(status: .ok, headers: headers, body: .stream(listener.stream()))
  }

  private static func lastEvent(_ request: Request) throws(Problem) -> Int? {
    guard let text = request.headers[.lastEventID], !text.isEmpty else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw Problem(.badRequest, "Last-Event-ID must be the id of an event; was \(text.prefix(60))")
    }
    return number
  }
}
