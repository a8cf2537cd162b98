import Foundation

/// What `Package.swift` declares, as SwiftPM itself reads it.
struct Manifest {
  struct Target {
    let name: String
    /// `executable`, `regular`, `system`, `test`.
    let kind: String
    /// Names of targets and products; here every product has the name of its module.
    let dependencies: Set<String>
  }

  let targets: [Target]

  static func ofRepository() throws -> Manifest {
    // A scratch folder of its own: the usual one is locked by the `swift test` that waits for us.
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("fount-manifest-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }  // A leftover folder in the temporary one harms nobody.
    let arguments = ["package", "--package-path", SourceTree.root.path, "--scratch-path", scratch.path, "dump-package"]
    return try Manifest(dump: Command.output(of: Command.swift, arguments))
  }

  init(targets: [Target]) { self.targets = targets }

  init(dump: Data) throws {
    targets = try JSONDecoder().decode(Dump.self, from: dump).targets.map { target in
      // {"byName": ["HTTP", null]} or {"product": ["Yams", "Yams", null, null]}: the name comes first.
      let names = target.dependencies.compactMap { dependency in dependency.values.first.flatMap { $0.first?.name } }
      return Target(name: target.name, kind: target.type, dependencies: Set(names))
    }
  }

  private struct Dump: Decodable {
    struct Target: Decodable {
      let name: String
      let type: String
      let dependencies: [[String: [Part]]]
    }
    let targets: [Target]
  }

  /// A text; null, or a condition, which names nothing.
  private struct Part: Decodable {
    let name: String?
    init(from decoder: any Decoder) throws {
      name = try? decoder.singleValueContainer().decode(String.self)  // What is no text is no name, and that is all we ask.
    }
  }
}

/// A child process and what it said.
enum Command {
  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// The toolchain's driver: beside the program that runs the tests, or the first on the path.
  static var swift: URL {
    let runner = URL(fileURLWithPath: "/proc/\(getppid())/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let folders =
      [runner] + (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { URL(fileURLWithPath: String($0)) }
    let candidates = folders.map { $0.appendingPathComponent("swift") }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? URL(fileURLWithPath: "/usr/bin/swift")
  }

  static func output(of program: URL, _ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.standardError
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: "\(program.path) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
    }
    return bytes
  }
}
