import Synchronization

/// The way back from a handler to its connection, from any thread.
///
/// A class because it has identity: one request, answered once. Dropping it without an answer answers 500.
package final class Responder: Sendable {
  init() {}

  /// Sends the answer; all calls but the first are ignored.
  package func respond(_ response: Response) {}

  /// Runs `action` once if the client goes away before the answer was given: at once when it has gone already.
  ///
  /// It runs on the shard and must return at once. A client that has only shut its sending side isn't gone.
  package func onDisconnect(_ action: @escaping @Sendable () -> Void) {}
}
