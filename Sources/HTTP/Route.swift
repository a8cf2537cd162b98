import HTTPTypes

/// One method on one pattern of paths, and what it does.
///
/// A pattern is made of literal segments and parameters: `/v1/jobs/{id}/cancel`. A parameter takes one whole segment that
/// isn't empty, or what stands before a literal suffix: `/v1/models/{id}/samples/{index}.png`.
package struct Route: Sendable {
  package typealias Handler = @Sendable (Request, Responder) -> Void
  /// Called on the shard with a request whose body ended too early, and what has come of it in a file: its to move away, at once.
  package typealias CutOffHandler = @Sendable (Request) -> Void

  package let method: HTTPRequest.Method
  package let pattern: String
  package let body: BodyPolicy
  /// Called on the connection's shard: it must return at once, and answer from wherever the work is done.
  package let handler: Handler
  /// Nil where a body that is not whole is of no use.
  package let cutOff: CutOffHandler?

  package init(
    _ method: HTTPRequest.Method, _ pattern: String, body: BodyPolicy = .none, cutOff: CutOffHandler? = nil, handler: @escaping Handler
  ) {
    self.cutOff = cutOff
    self.method = method
    self.pattern = pattern
    self.body = body
    self.handler = handler
  }
}

/// Where the body of a request goes, and how long it may be. What is longer gets a 413 before or while it is read.
package enum BodyPolicy: Sendable, Equatable {
  /// No body but an empty one.
  case none
  case memory(bytesMax: Int)
  /// Read and counted, and let go.
  case dropped(bytesMax: Int)
  /// A new file in `folder`, which must be the server's alone: what a killed server left there is removed on start. With `form`, a client
  /// may send a form instead, whose parts go to files there.
  case file(bytesMax: Int, folder: String, form: FormPolicy? = nil)
  /// A form and nothing else.
  case form(FormPolicy, bytesMax: Int, folder: String)

  /// Nil where no body is taken.
  var bytesMax: Int? {
    switch self {
    case .none: nil
    case .memory(let bytesMax), .dropped(let bytesMax), .file(let bytesMax, _, _), .form(_, let bytesMax, _): bytesMax
    }
  }

  /// Where bodies go, as far as they go to files.
  var folder: String? {
    switch self {
    case .none, .memory, .dropped: nil
    case .file(_, let folder, _), .form(_, _, let folder): folder
    }
  }
}
