import Foundation
import HTTP
import HTTPTypes
import JSON

/// A job's events as they come (`text/event-stream`, WHATWG HTML §9.2.6), over as many connections as it takes: one that breaks is taken
/// up where it broke.
struct EventStream {
  private let client: FountClient
  private let job: String
  private var answer: ClientAnswer?
  private var lastID: Int?
  private var pending: [UInt8] = []
  private var lines: [String] = []
  private var failuresInARow = 0
  private(set) var isOver = false

  /// Chosen: with their pauses, half a minute, in which a server is started anew.
  private static let failuresMax = 30

  init(of job: String, from client: FountClient) {
    var client = client
    // The server says that it is there every 15 seconds.
    client = FountClient(http: client.http.silent(secondsMax: 45), key: client.key)
    (self.client, self.job) = (client, job)
  }

  /// The next event; nil after `milliseconds` without one, and at the end, which `isOver` tells.
  mutating func next(withinMilliseconds milliseconds: Int32) throws -> JSONValue? {
    let end = ContinuousClock.now + .milliseconds(Int(milliseconds))
    while !isOver {
      if let event = takeEvent() { return event }
      let left = Int32(max(0, (end - .now) / .milliseconds(1)))
      do {
        let answer = try connected()
        guard !isOver else { return nil }
        guard answer.hasMore(withinMilliseconds: left) else { return nil }
        guard let bytes = try answer.next() else {
          // The job has finished, or the server is leaving.
          self.answer = nil
          continue
        }
        failuresInARow = 0
        take(bytes)
      } catch {
        guard Self.mayPass(error), failuresInARow < Self.failuresMax else { throw error }
        (answer, pending, lines) = (nil, [], [])
        failuresInARow += 1
        Thread.sleep(forTimeInterval: 1)
      }
    }
    return nil
  }

  private static func mayPass(_ error: any Error) -> Bool {
    if let failure = error as? ClientFailure { return [ClientExit.unavailable, ClientExit.later].contains(failure.code) }
    return error is ClientError
  }

  private mutating func connected() throws -> ClientAnswer {
    if let answer { return answer }
    var headers: HTTPFields = [.accept: "text/event-stream"]
    if let lastID { headers[HTTPField.Name.lastEventID] = String(lastID) }
    let answer = try client.open(.get, ["v1", "jobs", job, "events"], headers: headers)
    isOver = answer.status == 204
    self.answer = answer
    return answer
  }

  private mutating func take(_ bytes: ArraySlice<UInt8>) {
    pending += bytes
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: pending[..<end], as: UTF8.self))
      pending.removeSubrange(...end)
    }
  }

  /// The first event whose lines are all there.
  private mutating func takeEvent() -> JSONValue? {
    while let end = lines.firstIndex(of: "") {
      let event = lines[..<end]
      lines.removeSubrange(...end)
      if let id = event.first(where: { $0.hasPrefix("id: ") }).flatMap({ Int($0.dropFirst(4)) }) { lastID = id }
      let data = event.filter { $0.hasPrefix("data: ") }.map { $0.dropFirst(6) }.joined(separator: "\n")
      // What is no JSON is no event of a Fount; a comment has no data.
      if !data.isEmpty, let value = try? JSONValue(parsing: data) { return value }
    }
    return nil
  }
}

extension HTTPField.Name {
  static let lastEventID: HTTPField.Name = {
    guard let name = HTTPField.Name("Last-Event-ID") else { preconditionFailure("Last-Event-ID is no field name") }
    return name
  }()
}
