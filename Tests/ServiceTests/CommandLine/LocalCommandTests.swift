import Foundation
import JSON
import Testing

/// `--local`: the same commands with no server.
@Suite struct `A command without a server` {
  typealias Client = `A command that asks a server`

  @Test func `does the whole job on a folder, with the bytes that a server gives`() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let local = ["--local", "--data", data]
    func fount(_ arguments: String...) throws -> String {
      let run = try Program.run(FountProcess.executable, arguments + local)
      try #require(run.status == 0, "\(arguments): \(run)")
      return run.output
    }
    let bars = try Client.file("bars.idx", in: folder)
    let dataset = try fount("upload", bars).trimmingCharacters(in: .newlines)
    // Followed without being asked to: the server ends with the command.
    let trained = try fount("train", "--family", "made", "--dataset", dataset, "--seed", "5", "--set", "training.epochs=3", "--json")
    let job = try JSONValue(parsing: try #require(trained.split(separator: "\n").last.map(String.init)))
    let model = try #require(job["model"]?.string)
    #expect(job["status"] == "succeeded")
    _ = try fount("sample", model, "-o", folder.path + "/grid.png", "--seed", "1")
    let check = try Program.run(FountProcess.executable, ["check", "--data", data])
    #expect(check.status == 0, "\(check.output)")

    let server = try FountProcess(data: data)
    #expect(try server.curl("/v1/models/\(model)/samples?seed=1").body == FileManager.default.contents(atPath: folder.path + "/grid.png"))
    let taken = try Program.run(FountProcess.executable, ["jobs"] + local)
    #expect(taken.status == 75 && taken.errors.contains("in use by another server (process \(server.pid))"), "\(taken)")
  }

  @Test func `that is interrupted lets the job write a checkpoint, from which it goes on`() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let bars = try Client.file("bars.idx", in: folder, copies: 40)
    let uploaded = try Program.run(FountProcess.executable, ["upload", bars, "--local", "--data", data])
    let dataset = uploaded.output.trimmingCharacters(in: .newlines)
    let training = Process()
    training.executableURL = URL(fileURLWithPath: FountProcess.executable)
    training.arguments = [
      "train", "--local", "--data", data, "--family", "made", "--dataset", dataset, "--set", "training.epochs=1000000", "--set",
      "training.max_seconds=5",
    ]
    training.environment = Program.ownEnvironment
    let output = Pipe()
    training.standardOutput = output
    try training.run()
    var said = ""
    while !said.contains("epoch 3/") {
      let more = output.fileHandleForReading.availableData
      try #require(!more.isEmpty, "the command ended: \(said)")
      said += String(decoding: more, as: UTF8.self)
    }
    training.interrupt()
    training.waitUntilExit()
    #expect(training.terminationStatus == 130 && training.terminationReason == .exit)

    let id = try #require(said.split(separator: " ").first.map(String.init))
    let followed = try Program.run(FountProcess.executable, ["job", id, "--watch", "--json", "--local", "--data", data])
    #expect(followed.status == 0, "\(followed.errors)")
    let job = try JSONValue(parsing: try #require(followed.output.split(separator: "\n").last.map(String.init)))
    let history = job["history"]?.array?.compactMap { $0["status"]?.string }
    #expect(history == ["queued", "running", "interrupted", "queued", "running", "succeeded"])
  }
}
