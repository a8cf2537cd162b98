import COpenSSL
import Foundation

/// TLS from the client's side, over a socket whose calls block: the server must show a certificate of its name, signed by one that is
/// trusted (RFC 8446, RFC 6125). A class because it owns OpenSSL's objects.
@safe final class TLSClient: ClientTransport {
  private let socket: ClientSocket
  private let context: OpaquePointer
  private let session: OpaquePointer

  /// - Parameter authorities: a file of certificates (PEM) to trust in place of the system's.
  init(over socket: ClientSocket, to address: ServerAddress, trusting authorities: String?) throws(ClientError) {
    let context = unsafe try Self.makeContext(trusting: authorities)
    guard let session = unsafe SSL_new(context) else {
      unsafe SSL_CTX_free(context)
      throw .unreachable("TLS: \(Self.lastError())")
    }
    self.socket = socket
    unsafe (self.context, self.session) = unsafe (context, session)
    try shakeHands(with: address)
  }

  private static func makeContext(trusting authorities: String?) throws(ClientError) -> OpaquePointer {
    ERR_clear_error()
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .unreachable("TLS: \(lastError())") }
    _ = unsafe fount_ssl_ctx_set_min_version(context, TLS1_2_VERSION)
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    let isTrusting: Bool
    if let authorities {
      isTrusting = unsafe SSL_CTX_load_verify_locations(context, authorities, nil) == 1
    } else {
      isTrusting = unsafe SSL_CTX_set_default_verify_paths(context) == 1
    }
    if isTrusting { return unsafe context }
    let reason = lastError()
    unsafe SSL_CTX_free(context)
    throw .file("the certificates of \(authorities ?? "the system") can't be read: \(reason)")
  }

  deinit {
    _ = unsafe SSL_shutdown(session)
    unsafe SSL_free(session)
    unsafe SSL_CTX_free(context)
  }

  private func shakeHands(with address: ServerAddress) throws(ClientError) {
    // A name, or an address as numbers.
    guard unsafe SSL_set1_host(session, address.host) == 1 else { throw .unreachable("\(address.host) is no name of a host") }
    unsafe fount_ssl_set_server_name(session, address.host)
    guard unsafe SSL_set_fd(session, socket.descriptor.number) == 1 else { throw .unreachable("TLS: \(Self.lastError())") }
    guard unsafe SSL_connect(session) == 1 else {
      let result = unsafe SSL_get_verify_result(session)
      let reason = result == X509_V_OK ? Self.lastError() : unsafe String(cString: X509_verify_cert_error_string(Int(result)))
      throw .unreachable("\(address) is not trusted: \(reason)")
    }
  }

  func send(_ bytes: ArraySlice<UInt8>) throws(ClientError) {
    guard !bytes.isEmpty else { return }
    ERR_clear_error()
    var written = 0
    let result = unsafe bytes.withUnsafeBytes { unsafe SSL_write_ex(session, $0.baseAddress, $0.count, &written) }
    guard result == 1 else { throw .broken("the connection broke while sending: \(Self.lastError())") }
  }

  func receive(into buffer: inout [UInt8]) throws(ClientError) -> Int {
    ERR_clear_error()
    var count = 0
    let result = unsafe buffer.withUnsafeMutableBytes { unsafe SSL_read_ex(session, $0.baseAddress, $0.count, &count) }
    if result == 1 { return count }
    switch unsafe SSL_get_error(session, result) {
    case SSL_ERROR_ZERO_RETURN: return 0
    case SSL_ERROR_WANT_READ: throw .timedOut("the server is silent")
    default: throw .broken("the connection broke: \(Self.lastError())")
    }
  }

  func hasInput(withinMilliseconds milliseconds: Int32) -> Bool {
    unsafe SSL_pending(session) > 0 || socket.hasInput(withinMilliseconds: milliseconds)
  }

  private static func lastError() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard let reason = unsafe ERR_reason_error_string(code) else { return "no reason is known" }
    return unsafe String(cString: reason)
  }
}
