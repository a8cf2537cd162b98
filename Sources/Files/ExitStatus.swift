/// What this program's processes tell each other by their exit statuses: the codes of BSD's sysexits.h.
package enum ExitStatus {
  package static let done: Int32 = 0
  /// The disk has no room, or takes no writes: trying again later may do.
  package static let cantCreate: Int32 = 73
  package static let inputOutput: Int32 = 74
  /// Somebody else is at it.
  package static let temporaryFailure: Int32 = 75
}
