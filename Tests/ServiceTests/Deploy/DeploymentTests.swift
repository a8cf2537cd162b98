import Foundation
import JSON
import Service
import Testing

/// The files that people deploy with, against the program that they start.
@Suite struct `What starts the server elsewhere` {
  /// Every `FOUNT_…` that a file sets.
  private static func settings(_ file: String) throws -> [String: String] {
    let text = try DeployFolder.text(file)
    var settings: [String: String] = [:]
    for match in text.matches(of: /(FOUNT_[A-Z_]+)(?:: "?([^"\n]*)"?$|=(\S+))/.anchorsMatchLineEndings()) {
      settings[String(match.output.1)] = String(match.output.2 ?? match.output.3 ?? "")
    }
    return settings
  }

  @Test(arguments: [("fount.service", 2), ("Dockerfile", 2), ("compose.yaml", 1), ("kubernetes/fount.yaml", 9)])
  func `sets what the server knows, to what it takes`(file: String, countMin: Int) throws {
    let settings = try Self.settings(file)
    #expect(settings.count >= countMin, "\(settings)")
    let loaded = try ServiceConfiguration.load(file: nil, environment: settings, flags: [:])
    for (name, value) in settings {
      let key = try #require(ConfigurationKey.all.first { $0.environmentName == name })
      #expect(key.shown(loaded.configuration) == value)
    }
  }

  @Test func `as a unit runs the program's own commands`() throws {
    let unit = try DeployFolder.text("fount.service")
    let line = try #require(unit.firstMatch(of: /ExecStart=\/usr\/local\/bin\/fount serve (.+)/)).output.1
    let arguments = line.replacing("/etc/fount/fount.yaml", with: DeployFolder.path("../Config/fount.yaml")).split(separator: " ")
    let shown = try Program.run(FountProcess.executable, ["config", "show"] + arguments.map(String.init))
    #expect(shown.status == 0, "\(shown.errors)")
  }

  @Test func `as an image holds every library that the program is linked with`() throws {
    let image = try #require(try DeployFolder.text("Dockerfile").components(separatedBy: "FROM debian").last)
    let installed = Set(image.split(separator: /\s+/).map(String.init)).union(["libc6", "libgcc-s1"])
    let needed = try Program.run("/usr/bin/readelf", ["-d", FountProcess.executable]).output.matches(of: /Shared library: \[([^\]]+)\]/)
    // The image's program has Swift's own libraries inside.
    let swifts = ["libswift", "libFoundation", "lib_Foundation", "libdispatch", "libBlocksRuntime"]
    let libraries = needed.map { String($0.output.1) }.filter { name in !swifts.contains { name.hasPrefix($0) } }
    #expect(libraries.contains { $0.hasPrefix("libsqlite3") })
    for library in libraries where !library.hasPrefix("ld-linux") {
      let found = try Program.run("/usr/bin/dpkg", ["-S", "*/\(library)"]).output.split(separator: "\n")
      let owners = found.map { String($0.prefix { $0 != ":" }) }
      #expect(!installed.isDisjoint(with: owners), "\(library) is in \(owners)")
    }
  }

  @Test func `as an image is asked for its health by a command that tells ready from leaving and from gone`() throws {
    let text = try DeployFolder.text("Dockerfile").replacing("\\\n", with: "")
    let list = try #require(text.firstMatch(of: /HEALTHCHECK [^\[]*(\[.*\])/)).output.1
    let command = try #require(try JSONValue(parsing: Array(list.utf8)).array).compactMap(\.string)
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--drain-seconds-max", "20"])
    func status() throws -> Int32 {
      try Program.run(command[0], command.dropFirst().map { $0.replacing("8080", with: "\(fount.port)") }).status
    }
    #expect(try status() == 0)
    let dataset = try fount.dataset(`A job that is steered`.examples)
    let id = try #require(try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 100_000]))["id"]?.string)
    try fount.wait(for: id) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    let worker = try #require(Int32(try Program.run("/usr/bin/pgrep", ["-P", "\(fount.pid)", "-f", "fount worker"]).output.dropLast()))
    kill(worker, SIGSTOP)
    kill(fount.pid, SIGTERM)
    while try fount.curl("/readyz").status == 200 {}
    #expect(try status() != 0)
    kill(worker, SIGCONT)
    #expect(fount.waitForEnd() == 0)
    #expect(try status() != 0)
  }

  @Test func `in Kubernetes makes a first key once, and the server asks for it`() throws {
    let text = try DeployFolder.text("kubernetes/fount.yaml")
    let script = String(try #require(text.firstMatch(of: /- '(umask .*)'/)).output.1)
    let folder = try TemporaryFolder()
    let fount = URL(fileURLWithPath: FountProcess.executable).deletingLastPathComponent().path
    let data = folder.path + "/data"
    func initialize() throws -> String {
      let ran = try Program.run(
        "/bin/sh", ["-c", "cd \(folder.path); export PATH=\(fount):/usr/bin:/bin FOUNT_HOST=0.0.0.0 FOUNT_DATA=\(data); \(script)"])
      try #require(ran.status == 0, "\(ran.errors)")
      return try String(contentsOfFile: folder.path + "/first-key", encoding: .utf8).trimmingCharacters(in: .newlines)
    }
    let key = try initialize()
    #expect(try initialize() == key)
    let permissions = try FileManager.default.attributesOfItem(atPath: folder.path + "/first-key")[.posixPermissions] as? Int
    #expect(permissions == 0o600)
    let server = try FountProcess(data: data, flags: ["--host", "0.0.0.0"])
    #expect(try server.curl("/v1/jobs").status == 401)
    #expect(try server.curl("/v1/jobs", "-H", "Authorization: Bearer \(key)").status == 200)
    for probe in text.matches(of: /path: (\/[a-z]+), port: http/) { #expect(try server.curl(String(probe.output.1)).status == 200) }
  }
}
