import Files
import Synchronization

/// The blobs, whose files and rows change together under one lock.
///
/// Two datasets may share a blob. Without the lock an upload could find a blob there and name it just while a delete, which saw nobody name
/// it, removes it. The lock is held for a few fsyncs, on work threads alone. A class because it owns the lock.
final class SharedBlobs: Sendable {
  private let lock = Mutex(())
  let store: BlobStore

  init(_ store: BlobStore) { self.store = store }

  /// Runs `change` while nobody else changes which blobs there are.
  func changing<Result: Sendable>(_ change: (BlobStore) throws -> Result) rethrows -> Result {
    try lock.withLock { _ in try change(store) }
  }
}
