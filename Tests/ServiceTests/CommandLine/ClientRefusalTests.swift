import Foundation
import JSON
import Testing

/// What a command that asks a server says where it fails, and its exit status.
@Suite struct `A command that fails` {
  typealias Client = `A command that asks a server`

  @Test func `for want of a server says how to have one`() throws {
    let run = try Client.fount(nil, "jobs", "--server", "http://127.0.0.1:1")
    #expect(run.status == 69 && run.output.isEmpty)
    #expect(run.errors.contains("no server answers at http://127.0.0.1:1") && run.errors.contains("fount serve"), "\(run.errors)")
    let nowhere = try Client.fount(nil, "jobs", environment: ["FOUNT_SERVER": "http://nowhere.invalid"])
    #expect(nowhere.status == 69 && nowhere.errors.contains("nowhere.invalid"), "\(nowhere.errors)")
  }

  @Test(arguments: [
    (["jobs", "--server", "127.0.0.1:8080"], "--server must be"), (["jobs", "--local", "--server", "http://localhost"], "two ways"),
    (["jobs", "--data", "x"], "--local"), (["sample", "mdl_x"], "output"), (["train", "--sett", "a=1"], "--sett"),
  ])
  func `for its own words is refused before a server is asked`(arguments: [String], words: String) throws {
    let run = try Program.run(FountProcess.executable, arguments)
    #expect(run.status == 64 && run.errors.contains(words), "\(run)")
  }

  @Test func `for what it asks names every field, and to programs says what the server said`() throws {
    let folder = try TemporaryFolder()
    let server = try FountProcess(data: folder.path + "/data", flags: ["--body-bytes-max", "1048576"])
    let dataset = try server.dataset(SampleData.barsAndStripes(side: 3, copies: 4))
    let wrong = try Client.fount(
      server, "train", "--family", "maed", "--dataset", dataset, "--set", "training.epochs=-1", "--set", "sede=1")
    #expect(wrong.status == 65 && wrong.output.isEmpty)
    for place in ["  /family: ", "  /training/epochs: must be 1 to 1000000; was -1", "  /sede: "] {
      #expect(wrong.errors.contains(place), "\(wrong.errors)")
    }
    let absent = try Client.fount(server, "job", "job_x", "--json")
    #expect(try absent.status == 65 && JSONValue(parsing: absent.errors)["status"] == 404)
    let query = try Client.fount(server, "jobs", "--limit", "1000")
    #expect(query.status == 65 && query.errors.contains("limit: must be"))
    // A path has one segment for an id, whatever is in it.
    #expect(try Client.fount(server, "job", "../../livez").status == 65)
    for setting in ["training", "training..epochs=1", "dataset.x=1"] {
      let run = try Client.fount(server, "train", "--family", "made", "--dataset", dataset, "--set", setting)
      #expect(run.status == 64 && run.errors.contains("--set"), "\(run)")
    }
    try "{\"seed\": 1,}".write(toFile: folder.path + "/job.json", atomically: true, encoding: .utf8)
    let syntax = try Client.fount(server, "train", "--file", folder.path + "/job.json")
    #expect(syntax.status == 65 && syntax.errors.contains("line 1"), "\(syntax.errors)")

    // What is too long is refused before all of it has gone.
    try Data(count: 64 << 20).write(to: URL(fileURLWithPath: folder.path + "/long"))
    let long = try Client.fount(server, "upload", folder.path + "/long")
    #expect(long.status == 65 && long.errors.contains("413"), "\(long.errors)")
  }

  @Test func `for a file says which`() throws {
    let folder = try TemporaryFolder()
    let server = try FountProcess(data: folder.path + "/data")
    let absent = try Client.fount(server, "upload", folder.path + "/absent")
    #expect(absent.status == 66 && absent.errors.contains(folder.path + "/absent"), "\(absent.errors)")
    #expect(try Client.fount(server, "train", "--file", folder.path + "/absent").status == 66)
    let dataset = try server.dataset(SampleData.barsAndStripes(side: 3, copies: 8))
    let job = try #require(try server.submit(`The main job`.body(dataset))["id"]?.string)
    let model = try #require(try server.finish(job)["model"]?.string)
    let unwritable = try Client.fount(server, "sample", model, "-o", folder.path + "/no/such.png")
    #expect(unwritable.status == 73 && unwritable.errors.contains("no/such.png"), "\(unwritable.errors)")
  }

  @Test func `for want of a key, or of its scope, says so`() throws {
    let folder = try TemporaryFolder()
    let key = try Program.run(FountProcess.executable, ["key", "create", "--scope", "read", "--data", folder.path]).output
    let server = try FountProcess(data: folder.path)
    let without = try Client.fount(server, "jobs")
    #expect(without.status == 77 && without.errors.contains("FOUNT_KEY"), "\(without.errors)")
    let environment = ["FOUNT_KEY": key.trimmingCharacters(in: .newlines)]
    #expect(try Client.fount(server, "jobs", "--json", environment: environment).status == 0)
    let scope = try Client.fount(server, "cancel", "job_x", environment: environment)
    #expect(scope.status == 77 && scope.errors.contains("train"), "\(scope.errors)")
    // The variables are the client's, and no fault of a server that is started beside it.
    let check = try Client.fount(server, "config", "show", environment: environment)
    #expect(check.status == 0, "\(check.errors)")
  }
}
