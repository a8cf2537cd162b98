import COpenSSL
import Foundation

/// A certificate chain and its key, both PEM files.
package struct TLSFiles: Sendable, Equatable {
  package var certificate: String
  package var key: String

  package init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }

  /// Why a server can't show them; nil where it can.
  package var refusal: String? {
    do throws(ServerConfigurationError) {
      _ = try TLSCertificate(loading: self)
      return nil
    } catch {
      return error.description
    }
  }
}

/// A certificate that is loaded, in an SSL_CTX of its own: versions 1.2 and 1.3 and forward-secret ciphers with authentication alone.
///
/// A class because it owns OpenSSL's object. `@unchecked Sendable`: it is set up before anyone else has it, and OpenSSL counts and locks
/// what its objects share.
@safe final class TLSCertificate: @unchecked Sendable {
  let context: OpaquePointer

  /// RFC 7301 §6, as a list of one.
  private static let protocols: StaticString = "\u{8}http/1.1"
  /// Of TLS 1.2; those of 1.3 are all as good.
  private static let ciphers = """
    ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
    """

  init(loading files: TLSFiles) throws(ServerConfigurationError) {
    ERR_clear_error()
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw ServerConfigurationError("TLS: \(Self.lastError())") }
    unsafe self.context = context
    unsafe fount_ssl_ctx_set_modes(context)
    unsafe fount_ssl_ctx_set_options(context)
    unsafe fount_ssl_ctx_keep_no_sessions(context)  // Tickets hold them (RFC 5077, RFC 8446 §4.6.1).
    unsafe SSL_CTX_set_num_tickets(context, 1)
    // A key behind a passphrase is refused: nobody is there to type it.
    unsafe SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
    unsafe SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, nil)
    try Self.require(unsafe fount_ssl_ctx_set_min_version(context, TLS1_2_VERSION) == 1, "TLS 1.2")
    try Self.require(unsafe SSL_CTX_set_cipher_list(context, Self.ciphers) == 1, "the ciphers of TLS 1.2")
    try Self.require(unsafe fount_ssl_ctx_set_groups(context, "X25519:P-256:P-384") == 1, "the groups of TLS")
    let isChain = unsafe SSL_CTX_use_certificate_chain_file(context, files.certificate) == 1
    try Self.require(isChain, "the certificate \(files.certificate)")
    try Self.require(unsafe SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM) == 1, "the key \(files.key)")
    try Self.require(unsafe SSL_CTX_check_private_key(context) == 1, "the key \(files.key) to the certificate \(files.certificate)")
  }

  deinit { unsafe SSL_CTX_free(context) }

  /// Whether it is for that host (RFC 6125 §6.4).
  func isFor(host: UnsafePointer<CChar>) -> Bool {
    guard let certificate = unsafe SSL_CTX_get0_certificate(context) else { return false }
    return unsafe X509_check_host(certificate, host, strlen(host), 0, nil) == 1
  }

  /// RFC 7301 §3.2: a client that offers protocols, and not ours, is told so by an alert.
  private static let selectProtocol:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?, UInt32,
      UnsafeMutableRawPointer?
    ) -> Int32 = { _, chosen, chosenCount, offered, offeredCount, _ in
      let ours = TLSCertificate.protocols
      var found: UnsafeMutablePointer<UInt8>?
      let result = unsafe SSL_select_next_proto(
        &found, chosenCount, ours.utf8Start, UInt32(ours.utf8CodeUnitCount), offered, offeredCount)
      unsafe chosen?.pointee = unsafe UnsafePointer(found)
      return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
    }

  private static func require(_ isDone: Bool, _ what: String) throws(ServerConfigurationError) {
    guard isDone else { throw ServerConfigurationError("\(what) can't be used: \(lastError())") }
  }

  private static func lastError() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard let reason = unsafe ERR_reason_error_string(code) else { return "no reason is known" }
    return unsafe String(cString: reason)
  }
}
