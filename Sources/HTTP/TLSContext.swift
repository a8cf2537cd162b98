import COpenSSL
import Foundation
import Synchronization

/// The certificates that a server shows, and the choice among them.
///
/// A class because OpenSSL calls it back by its address; connections hold it, so that a reload takes nothing from under them.
@safe final class TLSContext: Sendable {
  /// The first is shown to clients that name none of the others' hosts, and its ticket keys are everyone's.
  private let certificates: [TLSCertificate]

  init(loading files: [TLSFiles]) throws(ServerConfigurationError) {
    var certificates: [TLSCertificate] = []
    for file in files { certificates.append(try TLSCertificate(loading: file)) }
    self.certificates = certificates
    // Not counted: each connection holds this object for as long as it has a session.
    let address = unsafe Unmanaged.passUnretained(self).toOpaque()
    for certificate in certificates {
      unsafe fount_ssl_ctx_set_servername_callback(
        certificate.context,
        { session, _, address in
          guard let session = unsafe session, let address = unsafe address else { return SSL_TLSEXT_ERR_NOACK }
          return unsafe Unmanaged<TLSContext>.fromOpaque(address).takeUnretainedValue().chooseCertificate(for: session)
        }, address)
    }
  }

  /// SSL_new(3); nil where memory is short.
  func makeSession() -> OpaquePointer? { unsafe certificates.first.flatMap { unsafe SSL_new($0.context) } }

  /// RFC 6066 §3: the certificate whose names match the one that the client asks for.
  private func chooseCertificate(for session: OpaquePointer) -> Int32 {
    guard let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_NOACK }
    guard let certificate = certificates.first(where: { unsafe $0.isFor(host: name) }) else { return SSL_TLSEXT_ERR_NOACK }
    unsafe SSL_set_SSL_CTX(session, certificate.context)
    return SSL_TLSEXT_ERR_OK
  }
}

/// The context that new connections get, and how it is loaded anew. A class because it has a lock.
final class TLSCertificates: Sendable {
  private let files: [TLSFiles]
  private let current: Mutex<TLSContext>

  /// Nil for a server without TLS.
  init?(_ files: [TLSFiles]) throws(ServerConfigurationError) {
    if files.isEmpty { return nil }
    self.files = files
    current = Mutex(try TLSContext(loading: files))
  }

  var context: TLSContext { current.withLock { $0 } }

  /// Loads the files again; where one can't be used, the ones before stay.
  func reload() throws(ServerConfigurationError) {
    let context = try TLSContext(loading: files)
    current.withLock { $0 = context }
  }
}
