import ArgumentParser
import HTTP
import JSON

/// How a command that asks a server can end; numbers are those of sysexits.h, where it has one.
enum ClientExit {
  static let jobFailed = ExitCode(1)
  static let refused = ExitCode(65)  // EX_DATAERR
  static let noInput = ExitCode(66)  // EX_NOINPUT
  static let unavailable = ExitCode(69)  // EX_UNAVAILABLE
  static let cannotWrite = ExitCode(73)  // EX_CANTCREAT
  static let later = ExitCode(75)  // EX_TEMPFAIL
  static let noPermission = ExitCode(77)  // EX_NOPERM

  static let help = """
    Exit status: 0 done; 1 the job failed or was cancelled; 64 the command line is wrong; 65 the server refuses what is asked; 66 a file \
    can't be read; 69 no server answers, or it failed; 73 a file can't be written; 75 the server has too much to do; 77 a key is needed, \
    or one with another scope; 130 interrupted.
    """

  /// What an answer of that status means for the command.
  static func of(status: Int) -> ExitCode {
    switch status {
    case 401, 403: noPermission
    case 429, 503: later
    case 400..<500: refused
    default: unavailable
    }
  }
}

/// Why a command ended without what it was asked for.
struct ClientFailure: Error {
  let code: ExitCode
  /// For people, a line or more.
  let message: String
  /// The server's own words, for programs.
  var document: [UInt8]?

  init(_ code: ExitCode, _ message: String) { (self.code, self.message) = (code, message) }

  init(_ error: ClientError, at address: ServerAddress) {
    switch error {
    case .unreachable(let detail):
      let hint = address.isSecure ? "" : "\nStart one with fount serve, name another with --server or FOUNT_SERVER, or do without: --local."
      self.init(ClientExit.unavailable, detail + hint)
    case .broken(let detail), .timedOut(let detail): self.init(ClientExit.unavailable, "\(address): \(detail)")
    case .file(let detail): self.init(ClientExit.noInput, detail)
    }
  }

  /// A refusal: problem details (RFC 9457), each fault with the field that it is of.
  init(status: Int, body: [UInt8]) {
    let problem = try? JSONValue(parsing: body)  // What is no problem document is told by its status alone.
    let detail = problem?["detail"]?.string ?? "the server answers \(status) without a reason"
    var lines = ["\(status) \(problem?["title"]?.string ?? ""): \(detail)"]
    let faults = problem?["errors"]?.array ?? []
    for fault in faults {
      let place = fault["pointer"]?.string ?? fault["parameter"]?.string ?? ""
      lines.append("  \(place.isEmpty ? "body" : place): \(fault["detail"]?.string ?? "")")
    }
    if status == 401 { lines.append("Give the key in FOUNT_KEY; the server's operator makes one with fount key create.") }
    if status >= 500, let id = problem?["request_id"]?.string { lines.append("The server's log has the reason under \(id).") }
    self.init(ClientExit.of(status: status), lines.joined(separator: "\n"))
    document = body
  }
}
