import Foundation
import Service
import Testing

/// What a configuration comes to, or the faults as the operator reads them.
private func load(
  _ file: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:], cores: Int = 4
) throws -> ServiceConfiguration.Loaded {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fount-configuration-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }  // A leftover folder in the temporary one harms nobody.
  var path: String?
  if let file {
    let url = folder.appendingPathComponent("fount.yaml")
    try Data(file.utf8).write(to: url)
    path = url.path
  }
  do {
    return try ServiceConfiguration.load(
      file: path, environment: environment, flags: flags, machine: Machine(cores: cores, memoryBytes: 16 << 30), currentFolder: "/srv/here")
  } catch {
    throw Faults(lines: error.all.map { $0.description.replacing(folder.path + "/", with: "") })
  }
}

private struct Faults: Error { let lines: [String] }

private func faults(
  _ file: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> [String] {
  let error = #expect(throws: Faults.self) { try load(file, environment: environment, flags: flags) }
  return try #require(error).lines
}

@Suite struct Configuration {
  @Test func `nothing given gives the defaults on loopback`() throws {
    let loaded = try load()
    #expect(loaded.configuration.host == "127.0.0.1")
    #expect(loaded.configuration.port == 8080)
    #expect(loaded.configuration.data == "/srv/here/fount-data")
    #expect(loaded.configuration.database == "/srv/here/fount-data")
    #expect(loaded.configuration.workers == 4)
    #expect(loaded.configuration.jobThreads == 1)
    #expect(loaded.configuration.bodyBytesMax == 4 << 30)
    #expect(loaded.sources.isEmpty)
  }

  @Test func `a flag overrules the environment, which overrules the file, which overrules the default`() throws {
    let file = "port: 1001\nworkers: 11\nsamplers: 21\n"
    let loaded = try load(file, environment: ["FOUNT_PORT": "1002", "FOUNT_WORKERS": "12"], flags: ["--port": "1003"])
    #expect(loaded.configuration.port == 1003)
    #expect(loaded.configuration.workers == 12)
    #expect(loaded.configuration.samplers == 21)
    #expect(loaded.configuration.decoders == 2)
    #expect(loaded.sources["port"] == .flag("--port"))
    #expect(loaded.sources["workers"] == .environment("FOUNT_WORKERS"))
    #expect(loaded.sources["samplers"]?.description.hasSuffix("fount.yaml:3") == true)
    #expect(loaded.sources["decoders"] == nil)
  }

  @Test func `FOUNT_CONFIG names the file when no flag does`() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("fount-\(UUID().uuidString).yaml").path
    try Data("port: 7\n".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }  // A leftover file in the temporary folder harms nobody.
    let loaded = try ServiceConfiguration.load(file: nil, environment: ["FOUNT_CONFIG": path], flags: [:])
    #expect(loaded.configuration.port == 7)
    let overruled = try? ServiceConfiguration.load(file: path + ".absent", environment: ["FOUNT_CONFIG": path], flags: [:])
    #expect(overruled == nil)
  }

  @Test func `a port of 0 and a folder of one's own are taken`() throws {
    let configuration = try load(flags: ["--port": "0", "--data": "/var/lib/fount/", "database": "../db"]).configuration
    #expect(configuration.port == 0)
    #expect(configuration.data == "/var/lib/fount")
    #expect(configuration.database == "/srv/db")
  }

  @Test func `an automatic default follows the machine and the keys above it`() throws {
    #expect(try load(cores: 1).configuration.shards == 1)
    #expect(try load(cores: 64).configuration.shards == 4)
    #expect(try load(cores: 64).configuration.workers == 64)
    #expect(try load("workers: auto", cores: 3).configuration.workers == 3)
    #expect(try load("workers: 2").configuration.workerMemoryBytesMax == 8 << 30)
    #expect(try load("workers: 0").configuration.workerMemoryBytesMax == 16 << 30)
    #expect(try load("data: /a").configuration.database == "/a")
  }

  @Test(arguments: [
    ("4 GiB", 4 << 30), ("4GiB", 4 << 30), ("1_048_576", 1 << 20), ("1024", 1024), ("2 kB", 2000), ("3 MB", 3_000_000), ("1 TiB", 1 << 40),
  ])
  func `bytes are read plain and with units`(text: String, bytes: Int) throws {
    #expect(try load("body_bytes_max: \(text)").configuration.bodyBytesMax == bytes)
  }

  @Test(arguments: [
    "", "x", "-1", "1.5", "1e6", "0x400", "02048", "1__024 QB", "_1024", "1024_", "9223372036854775807 TiB", "17 TiB",
    "99999999999999999999",
  ])
  func `bytes that are none, or out of range, are refused`(text: String) throws {
    let lines = try faults(environment: ["FOUNT_BODY_BYTES_MAX": text])
    #expect(
      lines == [
        "FOUNT_BODY_BYTES_MAX: body_bytes_max must be bytes, plain or as in 64 KiB or 1 GB, from 1 KiB to 16 TiB;"
          + " was \(text.isEmpty ? "empty" : text)"
      ])
  }

  @Test(arguments: ["localhost", "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "192.168.0.1", "fe80::1"])
  func `a numeric host is taken`(host: String) throws {
    #expect(try load(flags: ["--host": host]).configuration.host == host)
  }

  @Test(arguments: [
    "example.org", "127.0.0.1.evil.org", "127.0.0", "127.0.0.256", "127.0.0.01", "127.0.0.-1", "127.0.0.1 ",
    "*", ":", "[::1]", "fe80::1%lo",
  ])
  func `any other host is refused with the reason`(host: String) throws {
    let lines = try faults(flags: ["--host": host])
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("flag --host: host must be a numeric address, or localhost") == true)
    #expect(lines.first?.hasSuffix("; was \(host)") == true)
  }

  @Test func `every fault of every layer is told at once, each with its place, even one that is overruled`() throws {
    let lines = try faults(
      "prot: 1\nport: 65536\nworkers: [1]\nlog_level: loud\n", environment: ["FOUNT_WORKER": "2", "FOUNT_SHARDS": "0", "PATH": "/bin"],
      flags: ["--port": "80", "--dtaa": "x", "--drain-seconds-max": "soon"])
    #expect(
      lines == [
        "fount.yaml:3: workers must be a single value; was a list or a mapping",
        "fount.yaml:1: prot is not a known key; did you mean port?",
        "fount.yaml:2: port must be a whole number from 0 to 65535; was 65536",
        "fount.yaml:4: log_level must be one of trace, debug, info, notice, warning, error, critical; was loud",
        "FOUNT_SHARDS: shards must be a whole number from 1 to 64, or auto (one for every four cores, at most 4); was 0",
        "FOUNT_WORKER: FOUNT_WORKER is not a known variable; did you mean FOUNT_WORKERS?",
        "flag --drain-seconds-max: drain_seconds_max must be a whole number of seconds from 0 to 3600; was soon",
        "flag --dtaa: --dtaa is not a known flag; did you mean --data?",
      ])
  }

  @Test func `values that disagree are refused with both places`() throws {
    let lines = try faults("job_threads: 8\njob_threads_max: 4\n")
    #expect(lines == ["fount.yaml:1: job_threads must be at most job_threads_max, which is 4 (fount.yaml:2); was 8"])
  }

  @Test func `a name that is near nothing gets no suggestion, and lower case is not the environment's`() throws {
    #expect(try faults("quux_frobnication: 1") == ["fount.yaml:1: quux_frobnication is not a known key"])
    #expect(try faults(environment: ["FOUNT_port": "1"]) == ["FOUNT_port: FOUNT_port is not a known variable; did you mean FOUNT_PORT?"])
  }

  @Test func `a folder with the shell's tilde is refused`() throws {
    #expect(try faults("data: ~/fount") == ["fount.yaml:1: data must be a folder's path, not empty and without a ~ in front; was ~/fount"])
  }

  @Test func `a long value is cut in the message`() throws {
    let line = try #require(try faults(flags: ["port": String(repeating: "9", count: 5000)]).first)
    #expect(line.count < 220)
    #expect(line.hasSuffix("… (5000 characters)"))
  }
}

@Suite struct `Configuration file` {
  @Test(arguments: ["", "# only a comment\n", "---\n", "{}", "~"])
  func `a file that says nothing leaves the defaults`(text: String) throws {
    #expect(try load(text).configuration == load().configuration)
  }

  @Test func `quoted values and flow style are YAML too`() throws {
    #expect(try load(#"{port: "81", 'workers': 3}"#).configuration.port == 81)
  }

  @Test func `an absent file is told with the system's reason`() throws {
    let error = #expect(throws: ConfigurationFaults.self) {
      try ServiceConfiguration.load(file: "/absent/fount.yaml", environment: [:], flags: [:])
    }
    #expect(try #require(error).description == "/absent/fount.yaml: can't be read: No such file or directory")
  }

  @Test func `a folder in place of a file is refused`() {
    #expect(throws: ConfigurationFaults.self) { try ServiceConfiguration.load(file: "/tmp", environment: [:], flags: [:]) }
  }

  @Test func `a key given twice is refused`() throws {
    #expect(try faults("port: 1\nworkers: 1\nport: 2\n") == ["fount.yaml:3: port is given before, in line 1"])
    // What is wrong beside it is told as well.
    #expect(
      try faults("port: 1\nport: 2\nwokers: 1\nport: 3\n") == [
        "fount.yaml:2: port is given before, in line 1", "fount.yaml:4: port is given before, in line 1",
        "fount.yaml:3: wokers is not a known key; did you mean workers?",
      ])
    #expect(try faults("{port: 1, port: 2}") == ["fount.yaml: gives a key more than once: port"])
  }

  @Test(arguments: [
    ("- 1\n- 2\n", "fount.yaml: must be a list of keys with their values, as in port: 8080"),
    ("port: 1\n---\nport: 2\n", "fount.yaml: is not valid YAML: but found another document, line 2, column 1"),
    ("port:\n", "fount.yaml:1: port must be a single value; was nothing; leave the line out for the default"),
    ("port: {a: 1}\n", "fount.yaml:1: port must be a single value; was a list or a mapping"),
    ("[1]: 1\n", "fount.yaml:1: a key must be a word"),
    ("port: 1\nhost: *nobody\n", "fount.yaml: is not valid YAML: found undefined alias, line 2, column 7"),
    ("port: 'open\n", "fount.yaml: is not valid YAML"),
    ("port: 1\n\thost: x\n", "fount.yaml: is not valid YAML"),
    ("\u{FEFF}port: x", "fount.yaml:1: port must be a whole number from 0 to 65535; was x"),
  ])
  func `what is no flat list of keys is refused`(text: String, start: String) throws {
    let lines = try faults(text)
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix(start) == true, "\(lines)")
  }

  @Test func `a file beyond a megabyte is refused`() throws {
    #expect(try faults(String(repeating: "#", count: (1 << 20) + 1)) == ["fount.yaml: is longer than 1048576 bytes"])
    #expect(try load(String(repeating: "#", count: 1 << 20)).sources.isEmpty)
  }

  @Test func `a deep or self-multiplying file ends in a refusal, not in memory`() throws {
    let deep = try faults("port: " + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000))
    #expect(deep.count == 1)
    var laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for (last, next) in zip("abcdefgh", "bcdefghi") {
      laughs += "\(next): &\(next) [\(Array(repeating: "*\(last)", count: 9).joined(separator: ", "))]\n"
    }
    #expect(try faults(laughs).count == 9)
  }

  @Test func `bytes that are not UTF-8 are refused`() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("fount-\(UUID().uuidString).yaml").path
    try Data([0x70, 0x3A, 0x20, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }  // A leftover file in the temporary folder harms nobody.
    let error = #expect(throws: ConfigurationFaults.self) { try ServiceConfiguration.load(file: path, environment: [:], flags: [:]) }
    #expect(try #require(error).description == "\(path): is not UTF-8")
  }
}

@Suite struct `Configuration flags` {
  @Test func `values stand after a flag or behind an equals sign`() throws {
    let flags = try ConfigurationFlags(parsing: ["--config", "a.yaml", "--port=80", "--data", "-x", "--host="])
    #expect(flags.file == "a.yaml")
    #expect(flags.values == ["--port": "80", "--data": "-x", "--host": ""])
  }

  @Test func `an address can be pasted, an IPv6 one too`() throws {
    #expect(try load(flags: ["--host": "localhost"]).configuration.address(port: 80) == "http://localhost:80")
    #expect(try load(flags: ["--host": "::1"]).configuration.address(port: 80) == "http://[::1]:80")
    let tls = try load(flags: ["--tls-certificates": "a.pem, /b.pem", "--tls-keys": "a.key,b.key"]).configuration
    #expect(tls.address(port: 443) == "https://127.0.0.1:443")
    #expect(tls.server.tls.map(\.certificate).map { $0.suffix(6) } == ["/a.pem", "/b.pem"])
    let lines = try faults(flags: ["--tls-certificates": "a.pem,b.pem", "--tls-keys": "a.key"])
    #expect(lines == ["flag --tls-keys: tls_keys must be as many as tls_certificates, which are 2 (flag --tls-certificates); were 1"])
  }

  @Test func `what is no flag, lacks its value or comes twice is refused, all at once`() throws {
    let error = #expect(throws: ConfigurationFaults.self) {
      try ConfigurationFlags(parsing: ["serve", "--port", "--data", "x", "--data", "y", "--workers"])
    }
    #expect(
      try #require(error).all.map(\.description) == [
        "serve: is not a flag; flags start with --", "--port: needs a value after it", "--data: is given twice",
        "--workers: needs a value after it",
      ])
  }
}
