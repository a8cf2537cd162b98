/// A file's bytes in memory, read from the disk as they are touched and shared by every process that maps them.
///
/// For files that never change, as blobs: one cut off under its reader would end the process by SIGBUS. A class, for it owns the mapping.
package final class MappedFile: Sendable {
  package let path: String
  private let mapping: Mapping

  package init(_ path: String) throws(Errno) {
    let file = try OpenFile(reading: path)
    mapping = try file.map(count: file.status().bytes)
    self.path = path
  }

  package var count: Int { mapping.count }

  /// Lends the bytes for the length of a call.
  package func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try mapping.withBytes(body)
  }
}
