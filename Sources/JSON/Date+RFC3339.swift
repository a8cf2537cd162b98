import Foundation

extension Date {
  /// RFC 3339, UTC, with milliseconds: as every time is told.
  package var rfc3339: JSONValue { .string(formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))) }
}
