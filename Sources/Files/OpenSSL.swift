// OpenSSL's digests and random bytes behind values of ours. Its calls used here fail only when memory is out or no source of
// randomness works, after which nothing this program makes could be trusted: so those failures stop it.
import COpenSSL
import Glibc

/// One running SHA-256 (EVP_MD_CTX). A class, for it owns what OpenSSL allocated.
/// Sendable: `SHA256` changes it only while it holds the one reference to it.
@safe final class SHA256State: @unchecked Sendable {
  private let context: OpaquePointer

  init() {
    guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("EVP_MD_CTX_new: out of memory") }
    unsafe self.context = context
    let started = unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(started == 1, "EVP_DigestInit_ex: \(started)")
  }

  /// (EVP_MD_CTX_copy_ex)
  init(copying other: SHA256State) {
    guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("EVP_MD_CTX_new: out of memory") }
    unsafe self.context = context
    let copied = unsafe EVP_MD_CTX_copy_ex(context, other.context)
    precondition(copied == 1, "EVP_MD_CTX_copy_ex: \(copied)")
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  func update(_ bytes: Span<UInt8>) {
    let updated = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    precondition(updated == 1, "EVP_DigestUpdate: \(updated)")
  }

  func finish() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Digest.bytesCount)
    var count: UInt32 = 0
    let finished = unsafe bytes.withUnsafeMutableBufferPointer { unsafe EVP_DigestFinal_ex(context, $0.baseAddress, &count) }
    precondition(finished == 1 && count == Digest.bytesCount, "EVP_DigestFinal_ex: \(finished), \(count) bytes")
    return bytes
  }
}

/// Bytes that nobody can guess. (RAND_bytes)
package func randomBytes(count: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  guard let wanted = Int32(exactly: count) else { preconditionFailure("\(count) random bytes at once") }
  let filled = unsafe bytes.withUnsafeMutableBufferPointer { unsafe RAND_bytes($0.baseAddress, wanted) }
  precondition(filled == 1, "RAND_bytes: \(filled)")
  return bytes
}
