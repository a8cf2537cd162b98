import Synchronization

/// The way back from a handler to its connection, from any thread.
///
/// A class because it has identity: one request, answered once. Dropping it without an answer answers 500.
package final class Responder: Sendable {
  private enum State {
    /// The handler is being called on the shard, which takes the answer itself if it is there when the call returns.
    case calling(Response?)
    case waiting
    case answered
    case abandoned
  }

  private struct Contents {
    var state: State
    var disconnectActions: [@Sendable () -> Void] = []
    /// Kept until the answer, so that a handler may still read it when the client has gone.
    var uploads: [UploadFile] = []
  }

  private let contents: Mutex<Contents>
  private let deliver: @Sendable (Response?) -> Void

  init(uploads: [UploadFile], deliver: @escaping @Sendable (Response?) -> Void) {
    contents = Mutex(Contents(state: .calling(nil), uploads: uploads))
    self.deliver = deliver
  }

  /// One that no connection stands behind, to call a handler without a server; nil is delivered when it is dropped without an answer.
  package init(deliver: @escaping @Sendable (Response?) -> Void) {
    contents = Mutex(Contents(state: .waiting))
    self.deliver = deliver
  }

  deinit {
    let isUnanswered = contents.withLock { contents in
      if case .waiting = contents.state { return true }
      return false
    }
    if isUnanswered { deliver(nil) }
  }

  /// Sends the answer; all calls but the first are ignored.
  package func respond(_ response: Response) {
    let delivers = contents.withLock { contents in
      var delivers = false
      switch contents.state {
      case .calling(nil): contents.state = .calling(response)
      case .waiting:
        contents.state = .answered
        delivers = true
      case .calling, .answered: return false
      case .abandoned: break
      }
      contents.disconnectActions = []
      contents.uploads = []
      return delivers
    }
    if delivers { deliver(response) }
  }

  /// Runs `action` once if the client goes away before the answer was given: at once when it has gone already.
  ///
  /// It runs on the shard and must return at once. A client that has only shut its sending side isn't gone.
  package func onDisconnect(_ action: @escaping @Sendable () -> Void) {
    let isGone = contents.withLock { contents in
      switch contents.state {
      case .calling(nil), .waiting: contents.disconnectActions.append(action)
      case .calling, .answered: break
      case .abandoned: return true
      }
      return false
    }
    if isGone { action() }
  }

  /// The handler's call has returned. Returns the answer if it has given one; from now on answers are delivered.
  func callReturned() -> Response? {
    contents.withLock { contents in
      guard case .calling(let response) = contents.state else { return nil }
      contents.state = response == nil ? .waiting : .answered
      return response
    }
  }

  /// The client is gone: what the handler asked for in this case is done, and its answer will be dropped.
  func abandon() {
    let actions = contents.withLock { contents in
      guard case .waiting = contents.state else { return [] as [@Sendable () -> Void] }
      contents.state = .abandoned
      defer { contents.disconnectActions = [] }
      return contents.disconnectActions
    }
    for action in actions { action() }
  }
}
