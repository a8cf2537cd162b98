import Foundation
import HTTP
import Testing

/// Certificates that OpenSSL's own program makes and signs by themselves, in a folder of their own.
final class TestCertificates {
  let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/certificates-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// A new pair under that name, in the place of one before.
  /// - Parameter hosts: what it is for; the first is its subject.
  @discardableResult
  func make(_ name: String, for hosts: [String], key: String = "ec") throws -> TLSFiles {
    let files = TLSFiles(certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key")
    let kind = key == "ec" ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["-newkey", "rsa:2048"]
    let names = hosts.map { "DNS:\($0)" }.joined(separator: ",")
    let made = try Program.openssl(
      ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=\(hosts[0])", "-addext", "subjectAltName=\(names)"] + kind
        + ["-keyout", files.key, "-out", files.certificate])
    try #require(made.status == 0, "\(made.text)")
    return files
  }
}
