import Foundation
import HTTP
import HTTPTypes
import JSON

/// A server's interface as the commands ask it: answers as values, refusals as failures.
struct FountClient {
  let http: HTTPClient
  let key: String?

  /// What an answer is apart from its body.
  struct Answer {
    let headers: HTTPFields
    let body: [UInt8]

    /// The body as JSON.
    func json() throws -> JSONValue {
      do { return try JSONValue(parsing: body) } catch {
        throw ClientFailure(ClientExit.unavailable, "what answers there is no Fount: its answer is not JSON")
      }
    }
  }

  /// - Parameter path: its segments are encoded here.
  func get(_ path: [String], _ query: [(String, String?)] = [], accept: String? = nil) throws -> Answer {
    try ask(.get, path, query, headers: accept.map { [.accept: $0] } ?? [:])
  }

  func post(_ path: [String], _ query: [(String, String?)] = [], body: HTTPClient.Body, onSent: (Int) -> Void = { _ in }) throws -> Answer {
    var headers: HTTPFields = [:]
    if case .bytes = body { headers[.contentType] = "application/json" }
    if case .file = body { headers[.contentType] = "application/octet-stream" }
    return try ask(.post, path, query, headers: headers, body: body, onSent: onSent)
  }

  private func ask(
    _ method: HTTPRequest.Method, _ path: [String], _ query: [(String, String?)], headers: HTTPFields, body: HTTPClient.Body = .none,
    onSent: (Int) -> Void = { _ in }
  ) throws -> Answer {
    let answer = try open(method, path, query, headers: headers, body: body, onSent: onSent)
    do throws(ClientError) {
      return Answer(headers: answer.headers, body: try answer.rest())
    } catch {
      throw ClientFailure(error, at: http.address)
    }
  }

  /// An answer whose body is still to be read.
  func open(
    _ method: HTTPRequest.Method, _ path: [String], _ query: [(String, String?)] = [], headers: HTTPFields, body: HTTPClient.Body = .none,
    onSent: (Int) -> Void = { _ in }
  ) throws -> ClientAnswer {
    var headers = headers
    if let key { headers[.authorization] = "Bearer \(key)" }
    headers[.userAgent] = "fount/\(ServeCommand.version)"
    let answer: ClientAnswer
    var refusal: [UInt8] = []
    do throws(ClientError) {
      answer = try http.send(method, Self.target(path, query), headers: headers, body: body, onSent: onSent)
      if answer.status >= 400 { refusal = try answer.rest() }
    } catch {
      throw ClientFailure(error, at: http.address)
    }
    guard answer.status < 400 else { throw ClientFailure(status: answer.status, body: refusal) }
    return answer
  }

  private static func target(_ path: [String], _ query: [(String, String?)]) -> String {
    let pairs = query.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encoded($0))" } }
    return "/" + path.map(PercentEncoding.encoded).joined(separator: "/") + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
  }
}
