import Foundation
import JSON
import Testing

/// A real `fount serve` on a port of its own, asked by a real curl.
final class FountProcess {
  let data: String
  private(set) var port = 0
  private let process = Process()
  private let flags: [String]

  /// The program that was built beside the tests.
  static let executable: String = {
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("fount").path
  }()

  /// Starts it on a folder, and returns when it listens.
  /// - Parameters:
  ///   - port: 0 takes any free one.
  ///   - log: the file that it logs to, warnings too; nil passes its errors on.
  init(data: String, port: Int = 0, flags: [String] = [], environment: [String: String] = [:], log: String? = nil) throws {
    self.data = data
    self.flags = flags
    process.executableURL = URL(fileURLWithPath: Self.executable)
    process.arguments = ["serve", "--port", String(port), "--data", data, "--log-level", log == nil ? "error" : "warning"] + flags
    if let log {
      _ = FileManager.default.createFile(atPath: log, contents: nil)
      process.standardError = FileHandle(forWritingAtPath: log)
    }
    var environment = environment
    environment["PATH"] = "/usr/bin:/bin"
    // The address sanitizer would insist on being loaded first.
    if environment["LD_PRELOAD"] != nil { environment["ASAN_OPTIONS"] = "verify_asan_link_order=0" }
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    var said = ""
    while !said.contains("\n") {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw DidNotListen(said: said) }
      said += String(decoding: more, as: UTF8.self)
    }
    guard let address = said.split(separator: ":").last.flatMap({ Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }) else {
      throw DidNotListen(said: said)
    }
    self.port = address
  }

  /// The server ended before it listened, or said something else first.
  struct DidNotListen: Error { let said: String }

  deinit { kill() }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }
  var base: String { "http://127.0.0.1:\(port)" }

  /// SIGKILL, and waits for the end.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// SIGTERM, and waits for the end.
  func stop() -> Int32 {
    process.terminate()
    return waitForEnd()
  }

  /// The exit status, or the number of the signal that ended it.
  func waitForEnd() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }
}

/// What curl got.
struct Answer {
  let status: Int
  let headers: [String: String]
  let body: Data

  var json: JSONValue { get throws { try JSONValue(parsing: Array(body)) } }
  var text: String { String(decoding: body, as: UTF8.self) }

  /// The detail of every fault, by its pointer or parameter.
  var faults: [String: String] {
    get throws {
      let errors = try json["errors"]?.array ?? []
      return Dictionary(
        errors.map { (($0["pointer"] ?? $0["parameter"])?.string ?? "?", $0["detail"]?.string ?? "") }, uniquingKeysWith: { $0 + "|" + $1 })
    }
  }
}

extension FountProcess {
  /// Sends a request as a user would: `curl ARGUMENTS BASE/PATH`.
  func curl(_ path: String, _ arguments: String...) throws -> Answer { try curl(path, arguments) }

  func curl(_ path: String, _ arguments: [String]) throws -> Answer {
    let folder = try TemporaryFolder()
    let curl = try Program.run(
      "/usr/bin/curl",
      ["-sS", "--max-time", "300", "-D", folder.path + "/head", "-o", folder.path + "/body", "-w", "%{http_code}"] + arguments
        + ["\(base)\(path)"])
    try #require(curl.status == 0, "curl \(arguments) \(path): \(curl.errors)")
    var headers: [String: String] = [:]
    // Of several heads (100-continue) the last one counts.
    for line in try String(contentsOfFile: folder.path + "/head", encoding: .utf8).components(separatedBy: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    let body = FileManager.default.contents(atPath: folder.path + "/body") ?? Data()
    let answer = Answer(status: Int(curl.output) ?? 0, headers: headers, body: body)
    // Whatever a test asks for, the answer is to be as openapi.json says.
    let method = Self.method(of: arguments)
    let faults = InterfaceDocument.preset.faults(ofAnswer: answer, to: method, path)
    #expect(faults.isEmpty, "\(method) \(path): \(answer.status) \(answer.text.prefix(300))")
    return answer
  }

  /// As curl chooses it.
  private static func method(of arguments: [String]) -> String {
    if let place = arguments.firstIndex(of: "-X") { return arguments[place + 1] }
    if arguments.contains("-I") || arguments.contains("--head") { return "HEAD" }
    if arguments.contains("-T") { return "PUT" }
    return arguments.contains { $0 == "-F" || $0 == "-d" || $0.hasPrefix("--data") } ? "POST" : "GET"
  }

  func upload(_ bytes: [UInt8], query: String = "") throws -> Answer {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/upload"))
    return try curl("/v1/datasets\(query)", "--data-binary", "@\(folder.path)/upload")
  }

  func post(_ path: String, _ body: JSONValue) throws -> Answer {
    try curl(path, "-H", "Content-Type: application/json", "-d", body.serialized())
  }

  /// Uploads examples and returns the dataset's id.
  func dataset(_ bytes: [UInt8]) throws -> String {
    let answer = try upload(bytes)
    try #require(answer.status == 201 || answer.status == 200, "\(answer.text)")
    return try #require(try answer.json["id"]?.string)
  }

  /// Posts a job and returns it as it was accepted.
  func submit(_ body: JSONValue) throws -> JSONValue {
    let answer = try post("/v1/jobs", body)
    try #require(answer.status == 202, "\(answer.text)")
    return try answer.json
  }

  func job(_ id: String) throws -> JSONValue { try curl("/v1/jobs/\(id)").json }

  /// Polls until the job satisfies a condition; a minute and a half is far more than any job of these tests takes.
  @discardableResult
  func wait(for id: String, seconds: Double = 90, until condition: (JSONValue) -> Bool) throws -> JSONValue {
    let end = Date.now + seconds
    while true {
      let job = try self.job(id)
      if condition(job) { return job }
      try #require(Date.now < end, "the job did not get there: \(job.serialized())")
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// Waits for a job's end, which must be a success.
  @discardableResult
  func finish(_ id: String) throws -> JSONValue {
    let job = try wait(for: id) { ["succeeded", "failed", "cancelled"].contains($0["status"]?.string ?? "") }
    try #require(job["status"] == "succeeded", "\(job.serialized())")
    return job
  }
}

/// A program run to its end.
enum Program {
  /// What sets the tests' own rounds and seed would be an unknown key to the program.
  static let ownEnvironment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FOUNT_") }

  static func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (status: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let folder = try TemporaryFolder()
    let (output, errors) = ("\(folder.path)/out", "\(folder.path)/err")
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    process.standardInput = FileHandle.nullDevice
    process.environment = ownEnvironment.merging(environment) { $1 }
    try process.run()
    process.waitUntilExit()
    return (
      process.terminationStatus, try String(contentsOfFile: output, encoding: .utf8), try String(contentsOfFile: errors, encoding: .utf8)
    )
  }
}

/// A folder that goes with its owner.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "fount-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }  // A folder left over harms no test.
}
