import Foundation
import Service
import Testing

@Suite struct `Configuration texts` {
  @Test func `the example file holds every key with its default, as the table says`() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let path = tests.appendingPathComponent("../../../Config/fount.yaml").standardizedFileURL.path
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text == ConfigurationKey.exampleFile, "write Config/fount.yaml anew from ConfigurationKey.exampleFile")

    let machine = Machine(cores: 6, memoryBytes: 1 << 36)
    let loaded = try ServiceConfiguration.load(file: path, environment: [:], flags: [:], machine: machine, currentFolder: "/srv")
    let preset = try ServiceConfiguration.load(file: nil, environment: [:], flags: [:], machine: machine, currentFolder: "/srv")
    #expect(loaded.configuration == preset.configuration)
    #expect(loaded.sources.count == ConfigurationKey.all.count)
  }

  @Test func `every property has a row, and every row its own name and property`() {
    let properties = Mirror(reflecting: ServiceConfiguration()).children.compactMap(\.label)
    #expect(properties.map(ConfigurationTestNames.snakeCased).sorted() == ConfigurationKey.all.map(\.name).sorted())
    #expect(Set(ConfigurationKey.all.map(\.name)).count == ConfigurationKey.all.count)
  }

  @Test(arguments: ConfigurationKey.all.map(\.name))
  func `what is shown of a default can be read back`(name: String) throws {
    let key = try #require(ConfigurationKey.named(name))
    let preset = try ServiceConfiguration.load(file: nil, environment: [:], flags: [:]).configuration
    let again = try ServiceConfiguration.load(file: nil, environment: [key.environmentName: key.shown(preset)], flags: [:]).configuration
    #expect(again == preset)
  }

  @Test func `the rendering tells each value with its source`() throws {
    let loaded = try ServiceConfiguration.load(
      file: nil, environment: ["FOUNT_BODY_BYTES_MAX": "1048576"], flags: ["--port": "0", "samplers": "auto"],
      machine: Machine(cores: 8, memoryBytes: 1 << 36), currentFolder: "/srv")
    let lines = loaded.rendered().split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.count == ConfigurationKey.all.count)
    #expect(lines.contains("host 127.0.0.1 default"))
    #expect(lines.contains("port 0 flag --port"))
    #expect(lines.contains("body_bytes_max 1 MiB FOUNT_BODY_BYTES_MAX"))
    #expect(lines.contains("data /srv/fount-data default"))
    #expect(lines.contains("workers 8 default (auto)"))
    #expect(lines.contains("samplers 4 flag --samplers"))
  }

  @Test func `the help names every flag`() {
    let lines = ConfigurationKey.flagsHelp.split(separator: "\n")
    for key in ConfigurationKey.all { #expect(lines.contains { $0.hasPrefix("  \(key.flag) <") }, "\(key.flag)") }
    #expect(lines.contains { $0.hasSuffix("The TCP port; 0 takes any free one. (default: 8080)") })
  }
}

private enum ConfigurationTestNames {
  static func snakeCased(_ name: String) -> String { name.map { $0.isUppercase ? "_\($0.lowercased())" : "\($0)" }.joined() }
}
