import HTTP
import HTTPTypes

/// What a key opens. Each scope holds those before it.
package enum AccessScope: String, Sendable, Comparable, CaseIterable {
  /// Looking, drawing samples, scoring: what makes nothing new.
  case read
  /// Uploads, jobs and what is done with them, imports.
  case train
  /// Deleting what others may use.
  case admin

  package static func < (a: AccessScope, b: AccessScope) -> Bool { a.rank < b.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Nil for what anyone may ask: an operator's tools, and the page, which asks for a key itself.
  static func needed(by head: RequestHead) -> AccessScope? {
    if openPaths.contains(head.path) || head.segments.count == 2 && head.segments[0] == "page" { return nil }
    switch head.method {
    case .get, .head, .options: return .read
    case .post where head.segments.count == 4 && head.segments[1] == "models" && questions.contains(head.segments[3]): return .read
    case .delete where head.segments.count == 3 && ["datasets", "models"].contains(head.segments[1]): return .admin
    default: return .train
    }
  }

  private static let openPaths: Set = ["/", "/docs", "/openapi.json", "/livez", "/readyz", "/version"]
  /// Of a model, with a body for their examples.
  private static let questions: Set = ["score", "encode", "complete", "reconstruct"]
}
