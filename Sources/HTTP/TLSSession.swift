import COpenSSL
import CSystem
import Foundation

/// The TLS of one connection (RFC 8446, RFC 5246): between its socket and the bytes that it means.
///
/// OpenSSL reads and writes memory only: sockets stay ours, so that TLS costs no call of the system more than plain text. A class because
/// it owns OpenSSL's object; it lives on its connection's shard.
@safe final class TLSSession: OutputTransport {
  enum Reading: Equatable {
    case bytes(Int)
    case needsMoreBytes
    /// The peer has said that no more will come.
    case end
    case failed
  }

  enum Handshake: Equatable {
    case done
    case needsMoreBytes
    /// What came is the beginning of a plain HTTP request.
    case plainRequest
    case failed
  }

  private let session: OpaquePointer
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer
  private let socket: Descriptor
  private let context: TLSContext
  /// Whether encrypted bytes wait for the socket.
  private(set) var hasPending = false

  /// What is encrypted before it is sent: four records of the largest kind.
  private static let sealedBytesMax = 64 << 10

  /// Nil where memory is short.
  init?(_ context: TLSContext, on socket: Descriptor) {
    guard let session = unsafe context.makeSession() else { return nil }
    guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
      unsafe SSL_free(session)
      return nil
    }
    unsafe fount_bio_empty_means_wait(incoming)
    unsafe fount_bio_empty_means_wait(outgoing)
    unsafe SSL_set_bio(session, incoming, outgoing)  // Which owns them from now on.
    unsafe SSL_set_accept_state(session)
    unsafe (self.session, self.incoming, self.outgoing) = unsafe (session, incoming, outgoing)
    self.socket = socket
    self.context = context
  }

  deinit { unsafe SSL_free(session) }

  // MARK: From the socket

  /// Takes encrypted bytes, all of which are read by `handshake` or `read` before more are given.
  func take(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { bytes in _ = unsafe BIO_write(incoming, bytes.baseAddress, Int32(bytes.count)) }
  }

  func handshake() -> Handshake {
    ERR_clear_error()
    let result = unsafe SSL_do_handshake(session)
    hasPending = unsafe BIO_ctrl_pending(outgoing) > 0
    if result == 1 { return .done }
    if unsafe SSL_get_error(session, result) == SSL_ERROR_WANT_READ { return .needsMoreBytes }
    return Self.reason(of: ERR_peek_error()) == SSL_R_HTTP_REQUEST ? .plainRequest : .failed
  }

  /// Decrypts as many records as have come and find room.
  func read(into buffer: inout [UInt8]) -> Reading {
    var count = 0
    var ending = Reading.needsMoreBytes
    unsafe buffer.withUnsafeMutableBytes { buffer in
      while count < buffer.count {
        ERR_clear_error()
        let result = unsafe SSL_read(session, buffer.baseAddress.map { unsafe $0 + count }, Int32(buffer.count - count))
        if result > 0 {
          count += Int(result)
          continue
        }
        switch unsafe SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: ending = .needsMoreBytes
        case SSL_ERROR_ZERO_RETURN: ending = .end
        default: ending = .failed
        }
        break
      }
    }
    // Tickets, key updates and alerts are written while reading.
    hasPending = unsafe BIO_ctrl_pending(outgoing) > 0
    return count > 0 ? .bytes(count) : ending
  }

  // MARK: To the socket

  func send(_ bytes: [UInt8], from start: Int, following: [UInt8]?) -> Transfer {
    guard sendPending() else { return hasPending ? .wouldBlock : .failed(EPIPE) }
    var sealed = seal(bytes, from: start)
    if let following, sealed == bytes.count - start, sealed < Self.sealedBytesMax { sealed += seal(following, from: 0) }
    return sent(sealed)
  }

  func sendFile(_ file: Descriptor, from offset: Int, count: Int) -> Transfer {
    guard sendPending() else { return hasPending ? .wouldBlock : .failed(EPIPE) }
    var part = [UInt8](repeating: 0, count: min(count, Self.sealedBytesMax))
    switch file.read(into: &part, at: offset) {
    case .bytes(0): return .bytes(0)
    case .bytes(let read):
      part.removeLast(part.count - read)
      return sent(seal(part, from: 0))
    case let other: return other
    }
  }

  /// What was sealed counts as sent: the rest of it is on its way with the next call, or with `sendPending`.
  private func sent(_ sealed: Int) -> Transfer {
    guard sealed > 0 else { return .failed(EPIPE) }
    return sendPending() || hasPending ? .bytes(sealed) : .failed(EPIPE)
  }

  /// Encrypts, at most `sealedBytesMax`; returns how many bytes.
  private func seal(_ bytes: [UInt8], from start: Int) -> Int {
    let end = min(bytes.count, start + Self.sealedBytesMax)
    var index = start
    unsafe bytes.withUnsafeBytes { bytes in
      while index < end {
        ERR_clear_error()
        let result = unsafe SSL_write(session, bytes.baseAddress.map { unsafe $0 + index }, Int32(end - index))
        guard result > 0 else { return }
        index += Int(result)
      }
    }
    hasPending = true
    return index - start
  }

  /// Sends what is encrypted. False while some of it waits (`hasPending`), and where the connection is broken.
  func sendPending() -> Bool {
    guard hasPending else { return true }
    var contents: UnsafeMutablePointer<CChar>?
    let count = unsafe fount_bio_contents(outgoing, &contents)
    switch Transfer(calling: { unsafe Foundation.send(socket.number, contents, count, Int32(MSG_NOSIGNAL)) }) {
    case .bytes(count):
      unsafe fount_bio_reset(outgoing)
      hasPending = false
      return true
    case .bytes(let sent):
      var scratch = [UInt8](repeating: 0, count: sent)
      _ = unsafe BIO_read(outgoing, &scratch, Int32(sent))
      return false
    case .wouldBlock: return false
    case .failed:
      unsafe fount_bio_reset(outgoing)
      hasPending = false
      return false
    }
  }

  /// Tells the peer that no more will come (RFC 8446 §6.1), so that nobody between can cut an answer unseen.
  func sendEnd() {
    ERR_clear_error()
    _ = unsafe SSL_shutdown(session)
    hasPending = unsafe BIO_ctrl_pending(outgoing) > 0
    _ = sendPending()
  }

  private static func reason(of code: UInt) -> Int32 { Int32(truncatingIfNeeded: code & 0x7FFFFF) }
}
