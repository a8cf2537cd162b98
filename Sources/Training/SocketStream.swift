import Files
import Foundation

/// A connected stream socket that blocks: what the server and a sampler send frames over. Its descriptor stays its owner's to close.
package struct SocketStream: Sendable {
  let descriptor: Int32

  package init(descriptor: Int32) { self.descriptor = descriptor }

  /// Some bytes; nil at the end of the stream.
  package func receive(bytesMax: Int = 1 << 16) throws(Errno) -> ArraySlice<UInt8>? {
    var bytes = [UInt8](repeating: 0, count: bytesMax)
    while true {
      let count = recv(descriptor, &bytes, bytesMax, 0)
      if count > 0 { return bytes[..<count] }
      if count == 0 { return nil }
      if errno != EINTR { throw Errno(code: errno, operation: "recv", path: "descriptor \(descriptor)") }
    }
  }

  /// All bytes; it waits until the other side has taken them.
  package func send(_ bytes: [UInt8]) throws(Errno) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // A piece at a time: one that was taken in part is copied again.
      let piece = Array(rest.prefix(1 << 20))
      let count = Foundation.send(descriptor, piece, piece.count, Int32(MSG_NOSIGNAL))
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw Errno(code: errno, operation: "send", path: "descriptor \(descriptor)")
      }
    }
  }
}
