import CSystem
import Foundation

// One Swift wrapper for each call of the system, of the same meaning; EINTR is retried here and nowhere else.

/// A call of the system that failed: which, on what, and why.
package struct SystemCallError: Error, Sendable, CustomStringConvertible {
  package let operation: String
  package let subject: String
  package let code: Int32

  package var meansAbsent: Bool { code == ENOENT }

  package var description: String { unsafe "\(operation) \(subject): \(String(cString: strerror(code)))" }
}

/// What became of a transfer that may not block.
enum Transfer: Equatable {
  case bytes(Int)
  case wouldBlock
  case failed(Int32)

  /// Reads the result of a call like `recv`.
  init(calling call: () -> Int) {
    while true {
      let result = call()
      if result >= 0 {
        self = .bytes(result)
      } else if errno == EINTR {
        continue
      } else {
        self = errno == EAGAIN ? .wouldBlock : .failed(errno)
      }
      return
    }
  }
}

/// A descriptor that someone else owns the closing of.
struct Descriptor: Equatable, Sendable {
  let number: Int32

  /// close(2). Never retried: on Linux the number is free even after EINTR.
  func close() { _ = Foundation.close(number) }

  /// recv(2) into the whole of `buffer`.
  func receive(into buffer: inout [UInt8]) -> Transfer {
    unsafe buffer.withUnsafeMutableBytes { bytes in Transfer { unsafe recv(number, bytes.baseAddress, bytes.count, 0) } }
  }

  /// send(2) of `bytes` from `start` on, or sendmsg(2) when `following` is to go with it; without SIGPIPE.
  func send(_ bytes: [UInt8], from start: Int, following: [UInt8]?) -> Transfer {
    unsafe bytes.withUnsafeBytes { first in
      let head = unsafe UnsafeRawBufferPointer(rebasing: first[start...])
      guard let following else {
        return Transfer { unsafe Foundation.send(number, head.baseAddress, head.count, Int32(MSG_NOSIGNAL)) }
      }
      return unsafe following.withUnsafeBytes { second in unsafe sendTogether(head, second) }
    }
  }

  private func sendTogether(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Transfer {
    let vectors = unsafe [
      iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
      iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
    ]
    return unsafe vectors.withUnsafeBufferPointer { vectors in
      var message = unsafe msghdr()
      unsafe message.msg_iov = UnsafeMutablePointer(mutating: vectors.baseAddress)
      unsafe message.msg_iovlen = vectors.count
      return Transfer { unsafe sendmsg(number, &message, Int32(MSG_NOSIGNAL)) }
    }
  }

  /// sendfile(2). It has no flag against SIGPIPE: that signal must be ignored.
  func sendFile(_ file: Descriptor, from offset: Int, count: Int) -> Transfer {
    var position = off_t(offset)
    return Transfer { unsafe sendfile(number, file.number, &position, count) }
  }

  /// pread(2) into the whole of `buffer`, or as much of it as the file has.
  func read(into buffer: inout [UInt8], at offset: Int) -> Transfer {
    unsafe buffer.withUnsafeMutableBytes { bytes in
      Transfer { unsafe pread(number, bytes.baseAddress, bytes.count, off_t(offset)) }
    }
  }

  /// fstat(2): how long a file is; nil leaves the reason in errno.
  func fileCount() -> Int? {
    var status = stat()
    return unsafe fstat(number, &status) == 0 ? Int(status.st_size) : nil
  }

  /// write(2) until all of `bytes` is written.
  func write(_ bytes: Span<UInt8>) throws(SystemCallError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes.extracting(written..<bytes.count)
      let result = unsafe rest.withUnsafeBytes { rest in Transfer { unsafe Foundation.write(number, rest.baseAddress, rest.count) } }
      guard case .bytes(let count) = result else { throw SystemCallError(operation: "write", subject: "a body's file", code: errno) }
      written += count
    }
  }

  /// shutdown(2) of the sending side: the peer reads an end, and we may still read.
  func shutDownSending() { _ = shutdown(number, Int32(SHUT_WR)) }

  /// Makes `close` reset the connection rather than send what is left.
  func resetOnClose() {
    var linger = CSystem.linger(l_onoff: 1, l_linger: 0)
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<CSystem.linger>.size))
  }

  /// open(2), close-on-exec.
  static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemCallError) -> Descriptor {
    while true {
      let number = unsafe Foundation.open(path, flags | O_CLOEXEC, mode)
      if number >= 0 { return Descriptor(number: number) }
      if errno != EINTR { throw SystemCallError(operation: "open", subject: path, code: errno) }
    }
  }
}

/// unlink(2); that there is no such file is no fault.
func removeFile(_ path: String) { _ = unsafe unlink(path) }

/// Lets a write to a closed connection fail with EPIPE instead of ending the process. Children inherit it across `exec`.
func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

/// CLOCK_MONOTONIC, in nanoseconds.
func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
