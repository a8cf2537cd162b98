import CSystem
import Files

/// What to run, and what the child is given.
package struct ChildLaunch: Sendable {
  /// Where a standard stream of the child goes.
  package enum Stream: Sendable, Hashable {
    /// Where the server's own goes.
    case inherited
    case discarded
    /// Appended to a file, which is made where it is missing.
    case file(String)
    /// Kept in memory up to so many bytes; what comes after is read and dropped, so that the child never blocks on it.
    case captured(bytesMax: Int)

    var bytesMax: Int { if case .captured(let bytesMax) = self { bytesMax } else { 0 } }
  }

  /// An absolute path: no search, no shell.
  package var executable: String
  /// Without the program's own name.
  package var arguments: [String]
  /// `NAME=value` strings; nil for the server's own.
  package var environment: [String]?
  package var output: Stream
  package var errors: Stream
  /// Gives the child one end of a socket pair as descriptor 3.
  package var hasChannel: Bool
  /// Added to the niceness of the server, 0…19.
  package var niceness: Int32
  /// SIGKILL comes after so long; nil for never.
  package var deadlineSeconds: Double?

  package init(
    executable: String, arguments: [String], environment: [String]? = nil, output: Stream = .discarded, errors: Stream = .inherited,
    hasChannel: Bool = false, niceness: Int32 = 0, deadlineSeconds: Double? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.output = output
    self.errors = errors
    self.hasChannel = hasChannel
    self.niceness = niceness
    self.deadlineSeconds = deadlineSeconds
  }
}
