import HTTP
import HTTPTypes
import JSON
import Jobs

/// A job as it stands: at once, or held until its status or a metric changes.
extension FountService {
  /// `Prefer: wait=N` (RFC 7240 §4.3) with `If-None-Match` holds the request while the job's status and metrics are those of the tag, and
  /// answers 304 when the time is up. Without either it answers at once.
  func describeJob(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      try QueryReader(request).finish()
      let state = try self.jobState(request.parameters["id"])
      let wait = self.waitSeconds(request.headers[.prefer])
      guard let wait, request.headers[.ifNoneMatch] != nil, let held = state.tagOfSameNews(in: request.headers[.ifNoneMatch]),
        !state.isFinished
      else { return reply(.success(state.answer(to: request))) }
      let holding = HeldJobRequest(watch: self.watch, reply: reply) { reason in
        let now = try self.jobState(state.id)
        if now.news != state.news { return now.answer(waited: wait) }
        // What was waited for has not come; that the job went on meanwhile is no news here, so that the tag stays the client's own.
        return reason == .deadline ? .notModified(tag: held, waited: wait) : nil
      }
      responder.onDisconnect { holding.end() }
      holding.hold(for: state.id, seconds: wait)
    }
  }

  /// The seconds of `wait`, no more than a request may take; nil where it is absent or not understood, which the field's rules let pass.
  private func waitSeconds(_ field: String?) -> Int? {
    for preference in (field ?? "").split(separator: ",") {
      let parts = preference.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\"" } }
      guard parts.count == 2, parts[0].lowercased() == "wait", let seconds = Int(parts[1]), seconds >= 0 else { continue }
      return min(seconds, configuration.requestSecondsMax)
    }
    return nil
  }

  private func jobState(_ id: String?) throws -> JobState {
    let job = try job(named: id)
    return try JobState(job, view: view(of: job))
  }
}

/// A job at one moment, with a strong tag in two parts: what is waited for, and all.
private struct JobState {
  let id: String
  let isFinished: Bool
  /// Of status, metrics, results and error.
  let news: Substring
  private let tag: String
  private let bytes: [UInt8]

  init(_ job: JobRecord, view: JSONValue) throws {
    id = job.id
    isFinished = job.status.isFinished
    let waitedFor: JSONValue = .array([.string(job.id)] + ["status", "metrics", "results", "error"].map { view[$0] ?? .null })
    news = EntityTag.digits(of: waitedFor.serializedBytes()).prefix(16)
    bytes = view.serializedBytes() + [0x0A]
    tag = "\"\(news)-\(EntityTag.digits(of: bytes).prefix(16))\""
  }

  /// The first tag of the field that tells of the same news, `*` telling of any.
  func tagOfSameNews(in field: String?) -> String? {
    EntityTag.named(in: field).first { $0 == "*" || $0.hasPrefix("\"\(news)-") }.map { $0 == "*" ? tag : $0 }
  }

  func answer(to request: Request) -> Response {
    EntityTag.isNamed(tag, in: request.headers[.ifNoneMatch]) ? .notModified(tag: tag) : answer()
  }

  func answer(waited seconds: Int? = nil) -> Response {
    var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store", .eTag: tag, .vary: "Prefer"]
    headers[.preferenceApplied] = seconds.map { "wait=\($0)" }
    return Response(status: .ok, headers: headers, body: .bytes(bytes))
  }
}

extension Response {
  fileprivate static func notModified(tag: String, waited seconds: Int? = nil) -> Response {
    var headers: HTTPFields = [.eTag: tag, .vary: "Prefer", .cacheControl: "no-store"]
    headers[.preferenceApplied] = seconds.map { "wait=\($0)" }
    return Response(status: .notModified, headers: headers)
  }
}
