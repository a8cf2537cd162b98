import Foundation
import JSON
import Testing

/// A record that is damaged, or another one than the data are of.
@Suite struct `A record` {
  private static let examples = SampleData.barsAndStripes(side: 4, copies: 10)

  private static func check(_ folder: TemporaryFolder, _ flags: String...) throws -> (status: Int32, output: String, errors: String) {
    try Program.run(FountProcess.executable, ["check", "--data", folder.path] + flags)
  }

  /// With thirty jobs that wait, so that every table has pages of its own.
  private static func filled() throws -> (TemporaryFolder, dataset: String) {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(Self.examples)
    for _ in 0..<30 { _ = try fount.submit(`The main job`.body(dataset)) }
    #expect(fount.stop() == 0)
    return (folder, dataset)
  }

  /// Everything under a folder: what each file holds, and when it was last written.
  private static func snapshot(_ folder: String) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      var status = stat()
      lstat("\(folder)/\(path)", &status)
      let contents = FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data("a folder".utf8)
      found[path] = Data("\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino) ".utf8) + contents
    }
    return found
  }

  @Test func `with a damaged page starts no server: it says which file, what is wrong and what to do, and nothing changes`() throws {
    let (folder, _) = try Self.filled()
    let database = folder.path + "/fount.sqlite"
    let sound = try #require(FileManager.default.contents(atPath: database))
    let pages = sound.count / 4096
    var refusals = 0
    func expectRefusal(of damaged: Data, _ what: String) throws {
      try damaged.write(to: URL(fileURLWithPath: database))
      // What the check finds, the start finds: pages that nothing uses are no damage to either.
      let check = try Self.check(folder)
      guard check.status != 0 else { return }
      #expect(check.status == 1 && check.output.contains("fount.sqlite: it is damaged"), "\(what): \(check)")
      let refused = try Program.run(FountProcess.executable, ["serve", "--port", "0", "--data", folder.path])
      #expect(refused.status == 1, "\(what): \(refused)")
      for word in [database, "is damaged", "backup", ".recover"] { #expect(refused.errors.contains(word), "\(what): \(refused.errors)") }
      #expect(FileManager.default.contents(atPath: database) == damaged, "\(what)")
      refusals += 1
    }
    for page in stride(from: 0, to: pages, by: max(1, pages / 8)) {
      var damaged = sound
      damaged.replaceSubrange((page * 4096)..<(page * 4096 + 4096), with: Data(repeating: 0xA5, count: 4096))
      try expectRefusal(of: damaged, "page \(page) of \(pages)")
    }
    #expect(refusals >= 5)
    try expectRefusal(of: Data("this was a record once".utf8), "text")
    try expectRefusal(of: sound.prefix(pages / 2 * 4096), "cut in half")
    #expect(refusals >= 7)
    // The backup in its place, all is there.
    try sound.write(to: URL(fileURLWithPath: database))
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    #expect(try fount.curl("/v1/jobs?limit=100").json["data"]?.array?.count == 30)
  }

  @Test func `with damaged rows hides nothing else from the check`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let damagedRow = try fount.dataset(Self.examples)
    let damagedBytes = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 1))
    let model = try `The main job`.trainedModel(fount, Self.examples)
    let jobs = try (0..<2).map { _ in
      try #require(
        try fount.submit(`The main job`.body(damagedRow, ["training": ["epochs": 2, "sample_every_epochs": 1]]))["id"]?.string)
    }
    for job in jobs { try fount.finish(job) }
    #expect(fount.stop() == 0)
    #expect(try Self.check(folder).status == 0)
    let program = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      db.execute("UPDATE datasets SET description = '{' WHERE id = ?", (sys.argv[2],))
      db.execute("UPDATE models SET description = 'nonsense' WHERE id = ?", (sys.argv[3],))
      db.execute("UPDATE jobs SET status = 'dancing' WHERE id = ?", (sys.argv[4],))
      db.commit()
      """
    let python = try Program.run("/usr/bin/python3", ["-c", program, "\(folder.path)/fount.sqlite", damagedRow, model, jobs[0]])
    try #require(python.status == 0, "\(python.errors)")
    let picture = "\(folder.path)/jobs/\(jobs[1])/samples-2.png"
    var pixels = try #require(FileManager.default.contents(atPath: picture))
    pixels[pixels.count / 2] ^= 1
    try pixels.write(to: URL(fileURLWithPath: picture))
    let blobs = try FileManager.default.subpathsOfDirectory(atPath: "\(folder.path)/blobs").filter { $0.utf8.count > 60 }
    for blob in blobs { try Data("damaged".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/blobs/\(blob)")) }
    let state = "\(folder.path)/models/\(model)/model.json"
    try Data("{".utf8).write(to: URL(fileURLWithPath: state))

    let found = try Self.check(folder)
    #expect(found.status == 1)
    for what in [damagedRow, damagedBytes, model, jobs[0], "dancing", picture, state] { #expect(found.output.contains(what), "\(found)") }
    // What can be mended is, and the rest is told again.
    #expect(try Self.check(folder, "--mend").status == 1)
    let left = try Self.check(folder)
    #expect(!left.output.contains(picture) && !left.output.contains(damagedBytes) && left.output.contains(jobs[0]), "\(left)")
    fount = try FountProcess(data: folder.path)
    #expect(try fount.curl("/v1/datasets/\(damagedBytes)").status == 404)
    #expect(try fount.curl("/v1/jobs/\(jobs[1])").status == 200)
    let answer = try fount.curl("/v1/jobs/\(jobs[0])")
    #expect(answer.status == 500 && answer.text.contains("record is damaged"), "\(answer.text)")
  }

  @Test func `with damaged rows of jobs that are not over fails those, and keeps nobody else from their turn`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    let dataset = try fount.dataset(Self.examples)
    let running = try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 100_000]))["id"]?.string ?? ""
    let queued = try (0..<3).map { _ in try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string) }
    try fount.wait(for: running) { $0["status"] == "running" }
    fount.kill()
    let program = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      db.execute("UPDATE jobs SET progress = '{' WHERE id = ?", (sys.argv[2],))
      db.execute("UPDATE jobs SET metadata = '{' WHERE id = ?", (sys.argv[3],))
      db.execute("UPDATE jobs SET request = 'nonsense' WHERE id = ?", (sys.argv[4],))
      db.commit()
      """
    let python = try Program.run("/usr/bin/python3", ["-c", program, "\(folder.path)/fount.sqlite", running] + queued.prefix(2))
    try #require(python.status == 0, "\(python.errors)")
    fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    try fount.finish(queued[2])
    for id in [running] + queued.prefix(2) {
      let job = try fount.wait(for: id) { $0["status"] == "failed" }
      #expect(job["error"]?["reason"] == "damaged_record", "\(job.serialized())")
      #expect(job["error"]?["detail"]?.string?.contains(id) == true)
    }
    #expect(try fount.curl("/v1/jobs?limit=10").json["data"]?.array?.count == 4)
    #expect(fount.stop() == 0)
  }

  @Test func `is only read by a check that is not told to mend, and so is everything else`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, Self.examples)
    let dataset = try fount.dataset(Self.examples)
    let running = try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 100_000]))["id"]?.string ?? ""
    try fount.wait(for: running) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    // Killed: the record's log is not in its file yet, an attempt stands half done, and a blob is damaged.
    fount.kill()
    let end = Date.now + 60
    while try Program.run("/usr/bin/pgrep", ["-f", "worker .*\(folder.path)"]).status == 0, Date.now < end {
      Thread.sleep(forTimeInterval: 0.05)
    }
    #expect(FileManager.default.fileExists(atPath: folder.path + "/fount.sqlite-wal"))
    try FileManager.default.createDirectory(atPath: folder.path + "/models/mdl_aaaaaaaaaaaaaaaa", withIntermediateDirectories: true)
    try Data("{".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/models/\(model)/model.json"))
    let before = try Self.snapshot(folder.path)
    let found = try Self.check(folder)
    #expect(found.status == 1 && found.output.contains(model) && found.output.contains("mdl_aaaaaaaaaaaaaaaa"), "\(found)")
    #expect(try Self.snapshot(folder.path) == before)
    #expect(try Self.check(folder, "--mend").status == 0)
    #expect(try Self.check(folder).output == "all is in order\n")
  }

  @Test func `from an older backup keeps what is newer aside, and the newer one, put back, has it again`() throws {
    let folder = try TemporaryFolder()
    let database = folder.path + "/fount.sqlite"
    let log = folder.path + "-log"
    defer { try? FileManager.default.removeItem(atPath: log) }  // A leftover harms nothing.
    var fount = try FountProcess(data: folder.path)
    let older = try `The main job`.trainedModel(fount, Self.examples)
    #expect(fount.stop() == 0)
    let backup = try #require(FileManager.default.contents(atPath: database))

    fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 5))
    let newer = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 3, copies: 5))
    let paths = ["/v1/datasets/\(dataset)/preview.png", "/v1/models/\(newer)/samples?count=4&seed=1"]
    let told = try paths.map { try fount.curl($0).body }
    #expect(fount.stop() == 0)
    let newest = try #require(FileManager.default.contents(atPath: database))

    try backup.write(to: URL(fileURLWithPath: database))
    fount = try FountProcess(data: folder.path, log: log)
    #expect(try fount.curl("/v1/models/\(older)/samples?count=4&seed=1").status == 200)
    for path in paths { #expect(try fount.curl(path).status == 404) }
    let said = try String(contentsOfFile: log, encoding: .utf8)
    #expect(said.contains("moving") && said.contains(newer) && said.contains("older record"), "\(said)")
    #expect(fount.stop() == 0)
    #expect(try Self.check(folder).output == "all is in order\n")

    try newest.write(to: URL(fileURLWithPath: database))
    fount = try FountProcess(data: folder.path)
    #expect(try paths.map { try fount.curl($0).body } == told)
    #expect(fount.stop() == 0)
    #expect(try Self.check(folder).output == "all is in order\n")
  }
}
