import Foundation
import JSON
import Testing

/// The commands that ask a server, as the real program against a real server.
@Suite struct `A command that asks a server` {
  /// `fount ARGUMENTS` with that server in its environment.
  static func fount(
    _ server: FountProcess?, _ arguments: String..., environment: [String: String] = [:]
  ) throws -> (status: Int32, output: String, errors: String) {
    let named = server.map { ["FOUNT_SERVER": $0.base] } ?? [:]
    return try Program.run(FountProcess.executable, arguments, environment: named.merging(environment) { $1 })
  }

  static func file(_ name: String, in folder: TemporaryFolder, copies: Int = 20) throws -> String {
    let path = "\(folder.path)/\(name)"
    try Data(SampleData.barsAndStripes(side: 3, copies: copies)).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  @Test func `uploads, trains, lists, samples and evaluates, telling what the server tells to the letter`() throws {
    let folder = try TemporaryFolder()
    let server = try FountProcess(data: folder.path + "/data")
    let bars = try Self.file("bars.idx", in: folder)
    let uploaded = try Self.fount(server, "upload", bars)
    let dataset = uploaded.output.trimmingCharacters(in: .newlines)
    #expect(uploaded.status == 0 && uploaded.errors.contains("320 examples of [3,3,1], idx"), "\(uploaded)")
    #expect(try server.curl("/v1/datasets/\(dataset)").json["name"] == "bars.idx")
    // The same file is the same dataset.
    #expect(try Self.fount(server, "upload", bars, "--json").output == server.curl("/v1/datasets/\(dataset)").text)

    let trained = try Self.fount(
      server, "train", "--family", "made", "--dataset", dataset, "--seed", "5", "--name", "first", "--set", "training.epochs=3", "--set",
      "configuration.hidden_layers=[16]", "--watch")
    #expect(trained.status == 0, "\(trained)")
    let told = Self.lines(trained.output)
    let job = try #require(told.first?.split(separator: " ").first.map(String.init))
    #expect(told.prefix(2) == ["\(job) queued", "\(job) running"])
    #expect(told.filter { $0.hasPrefix("epoch ") }.map { String($0.prefix(9)) } == ["epoch 1/3", "epoch 2/3", "epoch 3/3"])
    #expect(told.contains("\(job) succeeded") && told.contains { $0.hasPrefix("curve") })
    let record = try server.job(job)
    #expect(record["request"]?["training"]?["epochs"] == 3 && record["request"]?["configuration"]?["hidden_layers"] == [16])
    #expect(record["seed"] == 5 && record["name"] == "first")

    let model = try #require(record["model"]?.string)
    for (arguments, path) in [
      (["jobs"], "/v1/jobs"), (["jobs", "--status", "succeeded", "--limit", "1"], "/v1/jobs?status=succeeded&limit=1"),
      (["job", job], "/v1/jobs/\(job)"), (["models"], "/v1/models"), (["datasets"], "/v1/datasets"), (["families"], "/v1/families"),
    ] {
      let answer = try Program.run(FountProcess.executable, arguments + ["--json", "--server", server.base])
      #expect(try answer.status == 0 && answer.output == server.curl(path).text, "\(arguments)")
      let table = try Program.run(FountProcess.executable, arguments + ["--server", server.base])
      #expect(table.status == 0 && Self.lines(table.output).count > 1, "\(arguments)")
    }
    #expect(try Self.fount(server, "jobs").output.contains("\(job)  succeeded  train  made    100 %"))

    for (name, type) in [("grid.png", "image/png"), ("grid.npy", "application/x-npy")] {
      let drawn = try Self.fount(
        server, "sample", model, "-o", "\(folder.path)/\(name)", "--count", "9", "--seed", "3", "--temperature", "0.5")
      #expect(drawn.status == 0 && drawn.output.contains("seed 3"), "\(drawn)")
      let answer = try server.curl("/v1/models/\(model)/samples?count=9&seed=3&temperature=0.5", "-H", "Accept: \(type)")
      #expect(FileManager.default.contents(atPath: "\(folder.path)/\(name)") == answer.body, "\(name)")
    }
    // Without a seed the one that was drawn is told, and gives the same bytes.
    let drawn = try JSONValue(parsing: Self.fount(server, "sample", model, "-o", folder.path + "/any.png", "--json").output)
    let seed = try #require(drawn["seed"]?.integer)
    #expect(
      try FileManager.default.contents(atPath: folder.path + "/any.png") == server.curl("/v1/models/\(model)/samples?seed=\(seed)").body)

    let evaluated = try Self.fount(server, "evaluate", model, "--dataset", dataset, "--metrics", "nats", "--watch", "--json")
    let last = try #require(Self.lines(evaluated.output).last)
    let evaluation = try JSONValue(parsing: last)
    #expect(try evaluated.status == 0 && last + "\n" == server.curl("/v1/jobs/\(evaluation["id"]?.string ?? "")").text)
    #expect(evaluation["results"]?.array?.first?["metric"] == "nats")
  }

  @Test func `takes a job from a file, options and fields, the later over the earlier`() throws {
    let folder = try TemporaryFolder()
    let server = try FountProcess(data: folder.path + "/data", flags: ["--workers", "0"])
    let dataset = try server.dataset(SampleData.barsAndStripes(side: 3, copies: 4))
    let file = folder.path + "/job.json"
    try #"{"family": "nade", "training": {"epochs": 7, "batch_size": 10}, "seed": 1}"#.write(
      toFile: file, atomically: true, encoding: .utf8)
    let arguments = ["train", "--file", file, "--dataset", dataset, "--seed", "2", "--set", "training.epochs=9", "--set", "name=a b"]
    let dry = try Program.run(FountProcess.executable, arguments + ["--dry-run", "--server", server.base])
    let request = try JSONValue(parsing: dry.output)["request"]
    #expect(request?["family"] == "nade" && request?["training"]?["epochs"] == 9 && request?["training"]?["batch_size"] == 10)
    #expect(try request?["seed"] == 2 && server.curl("/v1/jobs").json["data"] == [])

    let started = try Program.run(FountProcess.executable, arguments + ["--server", server.base])
    let job = started.output.trimmingCharacters(in: .newlines)
    #expect(try started.status == 0 && server.job(job)["name"] == "a b")
    for (verb, status) in [("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")] {
      #expect(try Self.fount(server, verb, job).output == "\(job) \(status)\n")
    }
    let again = try Self.fount(server, "resume", job)
    #expect(again.status == 65 && again.errors.hasPrefix("fount: 409 Conflict: "))
    // A job that was cancelled is no success to who follows it.
    let followed = try Self.fount(server, "job", job, "--watch")
    #expect(followed.status == 1 && followed.errors.contains("cancelled"))
  }

  @Test func `draws a bar and a curve on a terminal`() throws {
    let folder = try TemporaryFolder()
    let server = try FountProcess(data: folder.path + "/data")
    let dataset = try server.dataset(SampleData.barsAndStripes(side: 4, copies: 200))
    let command = [
      FountProcess.executable, "train", "--family", "made", "--dataset", dataset, "--set", "training.epochs=100000", "--set",
      "training.max_seconds=3", "--watch", "--server", server.base,
    ].joined(separator: " ")
    // script(1) gives the command a terminal, and ends with its status.
    let run = try Program.run("/usr/bin/script", ["-qec", command, "/dev/null"])
    #expect(run.status == 0, "\(run)")
    #expect(run.output.contains("\r\u{1B}[K") && run.output.contains("░") && run.output.contains(" % epoch "), "\(run.output)")
    #expect(run.output.contains { "▁▂▃▄▅▆▇█".contains($0) } && run.output.contains("succeeded"))
  }

  @Test func `goes on following after the server has been killed and started anew`() throws {
    let folder = try TemporaryFolder()
    var server = try FountProcess(data: folder.path + "/data")
    let port = server.port
    let dataset = try server.dataset(SampleData.barsAndStripes(side: 4, copies: 40))
    let job = try #require(
      try server.submit(`The main job`.body(dataset, ["training": ["epochs": 100_000, "max_seconds": 6, "validation_fraction": 0.2]]))[
        "id"]?
        .string)
    let watching = Process()
    watching.executableURL = URL(fileURLWithPath: FountProcess.executable)
    watching.arguments = ["job", job, "--watch", "--json", "--server", server.base]
    watching.environment = Program.ownEnvironment
    let output = folder.path + "/events"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    watching.standardOutput = FileHandle(forWritingAtPath: output)
    try watching.run()
    try server.wait(for: job) { ($0["progress"]?["epoch"]?.integer ?? 0) > 2 }
    server.kill()
    server = try FountProcess(data: folder.path + "/data", port: port)
    watching.waitUntilExit()
    #expect(watching.terminationStatus == 0)
    let lines = try Self.lines(String(contentsOfFile: output, encoding: .utf8)).map { try JSONValue(parsing: $0) }
    let ids = lines.dropLast().compactMap { $0["id"]?.integer }
    // Each event once, in their order, and then the job.
    #expect(ids == Array(Set(ids)).sorted() && ids.count == lines.count - 1)
    let statuses = lines.filter { $0["type"] == "status" }.compactMap { $0["data"]?["status"]?.string }
    #expect(statuses == ["queued", "running", "interrupted", "queued", "running", "succeeded"])
    #expect(try lines.last == server.job(job))
  }

  @Test func `has a completion for the shell`() throws {
    let folder = try TemporaryFolder()
    let script = try Self.fount(nil, "--generate-completion-script", "bash")
    #expect(script.status == 0 && ["upload", "sample", "--burn-in"].allSatisfy { script.output.contains($0) })
    try script.output.write(toFile: folder.path + "/completion", atomically: true, encoding: .utf8)
    #expect(try Program.run("/bin/bash", ["-n", folder.path + "/completion"]).status == 0)
  }
}
