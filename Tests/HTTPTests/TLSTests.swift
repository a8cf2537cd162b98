import Foundation
import HTTP
import Testing

/// TLS, asked by curl and by OpenSSL's own client.
struct TLSTests {
  let certificates: TestCertificates
  let server: TestServer

  init() throws {
    let certificates = try TestCertificates()
    let files = [try certificates.make("a", for: ["a.test"]), try certificates.make("b", for: ["b.test", "*.c.test"], key: "rsa")]
    self.certificates = certificates
    server = try TestServer {
      $0.tls = files
      $0.timeouts.handshakeSeconds = 1
      $0.limits.handshakesMax = 8
    }
  }

  /// What `openssl s_client` says of a connection that sends `input`.
  private func client(_ arguments: String..., input: String = "") throws -> String {
    try Program.openssl(["s_client", "-connect", "127.0.0.1:\(server.port)", "-ign_eof"] + arguments, input: Array(input.utf8)).text
  }

  private let get = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

  private func curl(_ path: String, _ arguments: String...) throws -> Program {
    try Program("/usr/bin/curl", ["-sS", "-k", "--max-time", "20"] + arguments + ["https://127.0.0.1:\(server.port)\(path)"])
  }

  // MARK: Versions, ciphers, protocols

  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func `both versions of TLS are spoken, and the answer ends with the protocol's own end`(version: String) throws {
    let said = try client(version, input: get)
    #expect(said.contains("HTTP/1.1 200 OK") && said.contains("\r\n\r\nhello"))
    #expect(said.contains(version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3"))
    #expect(!said.contains("unexpected eof"), "without a close_notify an answer could be cut unseen (RFC 8446 §6.1)")
  }

  @Test func `older versions and ciphers without forward secrecy or authentication are refused`() throws {
    #expect(try client("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", input: get).contains("Cipher is (NONE)"))
    for cipher in ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256"] {
      let said = try client("-tls1_2", "-cipher", "\(cipher)@SECLEVEL=0", "-servername", "b.test", input: get)
      #expect(said.contains("Cipher is (NONE)"), "\(cipher)")
    }
  }

  @Test func `http 1·1 is agreed on, and a client that offers only others is told so (RFC 7301 §3·2)`() throws {
    #expect(try client("-alpn", "h2,http/1.1", input: get).contains("ALPN protocol: http/1.1"))
    #expect(try client(input: get).contains("No ALPN negotiated"))
    #expect(try client("-alpn", "h2", input: get).contains("no application protocol"))
  }

  // MARK: Certificates

  @Test(arguments: [
    ("a.test", "CN = a.test"), ("b.test", "CN = b.test"), ("x.c.test", "CN = b.test"), ("unknown.test", "CN = a.test"),
    ("x.y.c.test", "CN = a.test"),
  ])
  func `the certificate is the one of the host that is asked for, or the first (RFC 6066 §3)`(host: String, subject: String) throws {
    #expect(try client("-servername", host, input: get).contains("subject=\(subject)"))
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func `a session is taken up again by its ticket`(version: String) throws {
    let ticket = certificates.folder + "/ticket"
    #expect(try client(version, "-sess_out", ticket, input: get).contains("New, TLSv1"))
    #expect(try client(version, "-sess_in", ticket, input: get).contains("Reused, TLSv1"))
  }

  @Test func `certificates are loaded anew while connections go on, and a broken file changes nothing`() throws {
    let kept = Process()
    let (input, output) = (Pipe(), Pipe())
    kept.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    kept.arguments = ["s_client", "-connect", "127.0.0.1:\(server.port)", "-quiet"]
    (kept.standardInput, kept.standardOutput, kept.standardError) = (input, output, FileHandle.nullDevice)
    try kept.run()
    try input.fileHandleForWriting.write(contentsOf: Data("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).contains("200 OK"))

    try certificates.make("a", for: ["new.test"])
    try server.server.reloadCertificates()
    #expect(try client(input: get).contains("subject=CN = new.test"))
    try Data("no certificate".utf8).write(to: URL(fileURLWithPath: certificates.folder + "/b.pem"))
    #expect(throws: ServerConfigurationError.self) { try server.server.reloadCertificates() }
    #expect(try client(input: get).contains("subject=CN = new.test"))
    #expect(try client("-servername", "b.test", input: get).contains("subject=CN = b.test"))

    try input.fileHandleForWriting.write(contentsOf: Data(get.utf8))
    #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains("hello"))
    kept.waitUntilExit()
  }

  @Test func `what can't be used is refused by its file's name before the server listens`() throws {
    let good = try certificates.make("good", for: ["a.test"])
    let locked = TLSFiles(certificate: good.certificate, key: certificates.folder + "/locked.key")
    let encrypted = try Program.openssl(["ec", "-in", good.key, "-aes128", "-passout", "pass:secret", "-out", locked.key])
    try #require(encrypted.status == 0, "\(encrypted.text)")
    let other = try certificates.make("other", for: ["b.test"])
    for files in [
      TLSFiles(certificate: "/nowhere.pem", key: good.key), TLSFiles(certificate: good.certificate, key: good.certificate), locked,
      TLSFiles(certificate: good.certificate, key: other.key),
    ] {
      let error = #expect(throws: ServerConfigurationError.self) { try TestServer { $0.tls = [good, files] } }
      #expect(error?.description.contains(files.key) == true || error?.description.contains(files.certificate) == true, "\(files)")
    }
  }

  // MARK: Bytes

  @Test func `large bodies come through in both directions`() throws {
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    try Data(bytes).write(to: URL(fileURLWithPath: certificates.folder + "/body"))
    #expect(try curl("/file", "--data-binary", "@\(certificates.folder)/body").output == bytes)
    #expect(try curl("/large").output == [UInt8](repeating: 9, count: 5_000_000))
    #expect(try curl("/picture").output == [UInt8](repeating: 7, count: 300_000))
    #expect(try curl("/stream?parts=50&bytes=10000").output == [UInt8](repeating: UInt8(ascii: "x"), count: 500_000))
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `a pipeline is answered in order, and an answer that comes later too`() throws {
    let requests = (0..<40).map { "GET /\($0.isMultiple(of: 3) ? "later?n=\($0)" : "echo/\($0)") HTTP/1.1\r\nHost: a\r\n\r\n" }
    let said = try client("-quiet", input: requests.joined() + get)
    let bodies = said.components(separatedBy: "\r\n\r\n").compactMap { $0.components(separatedBy: "HTTP/1.1").first }
    let expected = (0..<40).map { $0.isMultiple(of: 3) ? "later \($0)" : "\($0)" } + ["hello"]
    #expect(Array(bodies.suffix(41)) == expected)
  }

  @Test func `a slow reader gets all of a large answer`() throws {
    let slow = try Program.curl("-k", "--limit-rate", "3M", "https://127.0.0.1:\(server.port)/large")
    #expect(slow.output == [UInt8](repeating: 9, count: 5_000_000))
  }

  @Test func `a plain request gets 400, and noise an end`() throws {
    let client = try server.connect()
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try client.readAnswer()
    #expect(answer.status == 400 && answer.text.contains("https"))
    #expect(client.readEnd())
    for _ in 0..<20 {
      let noisy = try server.connect()
      noisy.send((0..<300).map { _ in UInt8.random(in: 0...255) })
      noisy.shutDownSending()
      _ = try noisy.readAll()
    }
    // A record's head, and then nothing that fits.
    let cut = try server.connect()
    cut.send([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])
    cut.shutDownSending()
    _ = try cut.readAll()
    #expect(try curl("/hello").text == "hello")
  }

  // MARK: Handshakes

  @Test func `a client that shakes no hand is cut off, and others are served meanwhile`() throws {
    let silent = try (0..<8).map { _ in try server.connect() }
    usleep(100_000)
    // The ninth is beyond the cap.
    let beyond = try server.connect()
    #expect(try beyond.readAll().isEmpty)
    let begun = Date()
    for client in silent { #expect(try client.readAll().isEmpty) }
    #expect((0.5...5).contains(Date().timeIntervalSince(begun)))
    #expect(try curl("/hello").text == "hello")
  }

  @Test func `connections that have shaken hands are answered while many others begin to`() throws {
    let server = try TestServer {
      $0.tls = [TLSFiles(certificate: certificates.folder + "/b.pem", key: certificates.folder + "/b.key")]
    }
    let port = server.port
    let crowd = Thread {
      for _ in 0..<4 {
        _ = try? Program.curl(
          "-k", "--parallel", "--parallel-immediate", "--parallel-max", "100", "-o", "/dev/null", "https://127.0.0.1:\(port)/hello?[1-100]")
      }
    }
    crowd.start()
    let kept = try Program.curl("-k", "-w", "%{http_code} ", "-o", "/dev/null", "https://127.0.0.1:\(port)/hello?[1-200]")
    #expect(kept.text.components(separatedBy: "200 ").count == 201)
  }
}
