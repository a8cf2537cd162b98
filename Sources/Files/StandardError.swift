import Foundation

/// The program's standard error, for a line to whoever started it.
package enum StandardError {
  /// Where it can't be written, as on a full disk, nothing is left to say it to: the program goes on. (`FileHandle.write(_:)` would trap.)
  package static func write(line: String) { try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8)) }
}
