/// Why a client has no answer.
package enum ClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No server is there, or none that is who it should be.
  case unreachable(String)
  /// The connection ended, or said what is not HTTP.
  case broken(String)
  case timedOut(String)
  /// What was to be sent can't be read.
  case file(String)

  package var description: String {
    switch self {
    case .unreachable(let detail), .broken(let detail), .timedOut(let detail), .file(let detail): detail
    }
  }
}
