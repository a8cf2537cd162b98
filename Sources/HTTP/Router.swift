import HTTPTypes

/// Finds the route for a path and method.
///
/// Patterns are kept by their number of segments and tried with the most literal first: `/v1/jobs/newest` before `/v1/jobs/{id}`,
/// `{index}.png` before `{index}`.
struct Router: Sendable {
  enum Match {
    case route(Route, parameters: [String: String])
    case notFound
    /// The path is known, the method isn't one of its own; `allow` is what `Allow` says.
    case notAllowed(allow: String)
    case options(allow: String)
  }

  private struct Pattern: Sendable {
    let text: String
    let segments: [Segment]
    var routes: [Route]
  }

  private enum Segment: Hashable, Sendable {
    case literal(String)
    case parameter(String, suffix: String)

    /// The lower, the earlier it is tried.
    var rank: Int {
      switch self {
      case .literal: 0
      case .parameter(_, let suffix): suffix.isEmpty ? 2 : 1
      }
    }
  }

  private var patternsBySegmentCount: [Int: [Pattern]] = [:]
  private let allowOfAll: String
  /// Where the routes' bodies go.
  let bodyFolders: Set<String>

  init(_ routes: [Route]) {
    allowOfAll = Self.allow(routes.map(\.method))
    bodyFolders = Set(routes.compactMap(\.body.folder))
    for route in routes { add(route) }
    for count in patternsBySegmentCount.keys {
      patternsBySegmentCount[count]?.sort { $0.segments.map(\.rank).lexicographicallyPrecedes($1.segments.map(\.rank)) }
    }
  }

  func match(_ method: HTTPRequest.Method, _ head: RequestHead) -> Match {
    if head.segments.isEmpty { return .options(allow: allowOfAll) }  // RFC 9110 §9.3.7: `OPTIONS *`.
    var others: [HTTPRequest.Method] = []
    for pattern in patternsBySegmentCount[head.segments.count] ?? [] {
      guard let parameters = Self.parameters(of: head.segments, by: pattern.segments) else { continue }
      let route = pattern.routes.first { $0.method == method } ?? (method == .head ? pattern.routes.first { $0.method == .get } : nil)
      if let route { return .route(route, parameters: parameters) }
      others += pattern.routes.map(\.method)
    }
    if others.isEmpty { return .notFound }
    return method == .options ? .options(allow: Self.allow(others)) : .notAllowed(allow: Self.allow(others))
  }

  private mutating func add(_ route: Route) {
    let segments = Self.segments(of: route.pattern)
    var patterns = patternsBySegmentCount[segments.count] ?? []
    if let index = patterns.firstIndex(where: { $0.segments == segments }) {
      precondition(!patterns[index].routes.contains { $0.method == route.method }, "\(route.method) \(route.pattern) is routed twice")
      patterns[index].routes.append(route)
    } else {
      patterns.append(Pattern(text: route.pattern, segments: segments, routes: [route]))
    }
    patternsBySegmentCount[segments.count] = patterns
  }

  private static func segments(of pattern: String) -> [Segment] {
    precondition(pattern.hasPrefix("/"), "the pattern \(pattern) does not begin with a slash")
    return pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { segment in
      guard segment.hasPrefix("{") else { return .literal(String(segment)) }
      guard let end = segment.firstIndex(of: "}") else { preconditionFailure("the pattern \(pattern) leaves a brace open") }
      return .parameter(
        String(segment[segment.index(after: segment.startIndex)..<end]), suffix: String(segment[segment.index(after: end)...]))
    }
  }

  private static func parameters(of path: [String], by pattern: [Segment]) -> [String: String]? {
    var parameters: [String: String] = [:]
    for (segment, piece) in zip(path, pattern) {
      switch piece {
      case .literal(let text): guard segment == text else { return nil }
      case .parameter(let name, let suffix):
        guard segment.hasSuffix(suffix), segment.utf8.count > suffix.utf8.count else { return nil }
        parameters[name] = String(segment.dropLast(suffix.count))
      }
    }
    return parameters
  }

  /// RFC 9110 §10.2.1. `HEAD` comes with `GET`, `OPTIONS` with everything.
  private static func allow(_ methods: [HTTPRequest.Method]) -> String {
    var names = Set(methods.map(\.rawValue))
    if names.contains("GET") { names.insert("HEAD") }
    names.insert("OPTIONS")
    return names.sorted().joined(separator: ", ")
  }
}
