import CSystem
import Foundation

/// A file that is open to be sent as an answer's body, by the kernel. It stays what it was when another takes its name.
///
/// A class because it owns its descriptor, which closes with the last reference.
package final class ServedFile: Sendable {
  let descriptor: Descriptor
  /// How long it was when it was opened.
  package let count: Int

  /// Opens it. That may wait for a disk: not on a shard.
  package init(opening path: String) throws(SystemCallError) {
    descriptor = try Descriptor.open(path, O_RDONLY)
    guard let count = descriptor.fileCount() else {
      let code = errno
      descriptor.close()
      throw SystemCallError(operation: "fstat", subject: path, code: code)
    }
    self.count = count
  }

  deinit { descriptor.close() }
}

extension ServedFile: Equatable {
  package static func == (a: ServedFile, b: ServedFile) -> Bool { a === b }
}
