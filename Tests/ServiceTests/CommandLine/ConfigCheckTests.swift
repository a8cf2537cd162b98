import Foundation
import Testing

/// `fount config check`: before a server is started with it.
@Suite struct `A check of the configuration` {
  private static func check(_ text: String, _ arguments: String..., environment: [String: String] = [:]) throws -> (
    status: Int32, lines: [String], file: String
  ) {
    let folder = try TemporaryFolder()
    let file = folder.path + "/fount.yaml"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let run = try Program.run(FountProcess.executable, ["config", "check", file] + arguments, environment: environment)
    return (run.status, run.output.split(separator: "\n").map(String.init), file)
  }

  @Test func `of a file that a server starts with finds nothing`() throws {
    let good = try Self.check("port: 9000\nworkers: auto\n", "--samplers", "2")
    #expect(good.status == 0 && good.lines == ["all is in order"])
    let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../Config/fount.yaml")
    #expect(try Program.run(FountProcess.executable, ["config", "check", example.standardizedFileURL.path]).status == 0)
    #expect(try Program.run(FountProcess.executable, ["config", "check"]).status == 0)
  }

  @Test func `tells every fault with its file, line and key, wherever it was given`() throws {
    let (status, lines, file) = try Self.check(
      "port: 70000\n\nwokers: 2\nhost: [1, 2]\nport: 1\n", "--samplers", "x", environment: ["FOUNT_SHARDS": "0"])
    #expect(status == 1)
    #expect(
      lines == [
        "\(file):5: port is given before, in line 1", "\(file):4: host must be a single value; was a list or a mapping",
        "\(file):1: port must be a whole number from 0 to 65535; was 70000", "\(file):3: wokers is not a known key; did you mean workers?",
        "FOUNT_SHARDS: shards must be a whole number from 1 to 64, or auto (one for every four cores, at most 4); was 0",
        "flag --samplers: samplers must be a whole number from 1 to 64, or auto (one for every two cores, at most 4); was x",
      ], "\(lines)")
  }

  @Test func `tells certificates that can't be used, and a file that can't be read`() throws {
    let tls = try Self.check("tls_certificates: /absent.pem\ntls_keys: /absent.key\n")
    #expect(tls.status == 1 && tls.lines.count == 1)
    #expect(tls.lines.first?.hasPrefix("\(tls.file):1: tls_certificates the certificate /absent.pem can't be used") == true, "\(tls.lines)")
    let absent = try Program.run(FountProcess.executable, ["config", "check", "/absent.yaml"])
    #expect(absent.status == 1 && absent.output.hasPrefix("/absent.yaml: can't be read"), "\(absent)")
  }
}
