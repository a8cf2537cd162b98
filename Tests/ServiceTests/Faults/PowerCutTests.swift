import Foundation
import JSON
import Testing

/// A kill takes nothing that the kernel has already been given; a power cut takes all that was not synced. Here the kill is followed by
/// taking back every change that no sync has made durable, and what was acknowledged must be there all the same.
@Suite(.serialized) struct `A power cut` {
  /// What the server said it had, and how to see whether it has.
  private struct Acknowledged {
    var datasets: [String] = []
    var jobs: [String] = []
    var cancelled: [String] = []
    var paused: String?
    var finished: String?
  }

  private static func start(_ folder: TemporaryFolder, journal: String, forgetting word: String? = nil) throws -> FountProcess {
    var environment = ["LD_PRELOAD": try PreloadedLibrary.journal(), "SHIM_ROOT": folder.path, "SHIM_JOURNAL": journal]
    environment["SHIM_FORGET"] = word
    return try FountProcess(data: folder.path, flags: ["--workers", "1"], environment: environment)
  }

  private static func work(_ fount: FountProcess, round: Int) throws -> Acknowledged {
    var done = Acknowledged()
    done.datasets.append(try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 1 + round)))
    let finished = try fount.submit(`The main job`.body(done.datasets[0]))["id"]?.string ?? ""
    try fount.finish(finished)
    done.finished = finished
    let steered = try fount.submit(`A job that is steered`.longJob(done.datasets[0], ["epochs": 100_000]))["id"]?.string ?? ""
    // One that is paused before its worker hears signals has no checkpoint to lose.
    try fount.wait(for: steered) { $0["status"] == "running" && ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    #expect(try fount.curl("/v1/jobs/\(steered)/pause", "-X", "POST").status == 202)
    try fount.wait(for: steered) { $0["status"] == "paused" }
    done.paused = steered
    done.datasets.append(try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 1 + round)))
    for index in 0..<4 {
      let id = try fount.submit(`A job that is steered`.longJob(done.datasets[1], ["epochs": 100_000]))["id"]?.string ?? ""
      done.jobs.append(id)
      if index.isMultiple(of: 2) {
        #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
        done.cancelled.append(id)
      }
    }
    return done
  }

  /// What is missing of it.
  private static func losses(_ done: Acknowledged, _ fount: FountProcess) throws -> [String] {
    var losses: [String] = []
    for id in done.datasets where try fount.curl("/v1/datasets/\(id)/preview.png").status != 200 { losses.append(id) }
    for id in done.jobs + [done.finished, done.paused].compactMap({ $0 }) where try fount.curl("/v1/jobs/\(id)").status != 200 {
      losses.append(id)
    }
    guard losses.isEmpty else { return losses }
    for id in done.cancelled where try fount.job(id)["status"] != "cancelled" { losses.append("the cancel of \(id)") }
    if let id = done.paused {
      let job = try fount.job(id)
      if job["status"] != "paused" { losses.append("the pause of \(id)") }
      if try fount.curl("/v1/models/\(job["model"]?.string ?? "")/samples?count=1&seed=1").status != 200 { losses.append("\(id)'s model") }
    }
    if let id = done.finished {
      let job = try fount.job(id)
      if job["status"] != "succeeded" { losses.append("the end of \(id)") }
      if try fount.curl("/v1/models/\(job["model"]?.string ?? "")/samples?count=1&seed=1").status != 200 { losses.append("\(id)'s model") }
    }
    return losses
  }

  private static func endAll(_ fount: FountProcess, _ folder: TemporaryFolder) throws {
    let children = try Program.run("/usr/bin/pgrep", ["-P", "\(fount.pid)"]).output.split(separator: "\n").compactMap { Int32($0) }
    fount.kill()
    for child in children { Foundation.kill(child, SIGKILL) }
    let end = Date.now + 30
    while try Program.run("/usr/bin/pgrep", ["-f", folder.path]).status == 0 {
      try #require(Date.now < end, "a process outlived its kill")
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  @Test func `takes nothing that was acknowledged`() throws {
    let rounds = 2 * Seeds.rounds
    let folder = try TemporaryFolder()
    let aside = try TemporaryFolder()
    for round in 0..<rounds {
      let journal = "\(aside.path)/journal-\(round)"
      var fount = try Self.start(folder, journal: journal)
      let done = try Self.work(fount, round: round)
      try Self.endAll(fount, folder)
      #expect(try PowerCut.apply(journal: journal) > 0)
      fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
      let losses = try Self.losses(done, fount)
      #expect(losses == [], "round \(round)")
      // Those that go on for long would keep the next round's waiting; those that have come to an end meanwhile are a 409.
      for id in done.jobs + [done.paused].compactMap({ $0 }) { _ = try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST") }
      #expect(fount.stop() == 0)
      let check = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
      #expect(check.status == 0, "round \(round): \(check.output)")
    }
  }

  @Test(arguments: ["fount.sqlite-wal", "/blobs", "/models"])
  func `would show if syncs were missing`(word: String) throws {
    let folder = try TemporaryFolder()
    let aside = try TemporaryFolder()
    let fount = try Self.start(folder, journal: "\(aside.path)/journal", forgetting: word)
    let done = try Self.work(fount, round: 0)
    try Self.endAll(fount, folder)
    #expect(try PowerCut.apply(journal: "\(aside.path)/journal") > 0)
    let log = aside.path + "/log"
    do {
      let again = try FountProcess(data: folder.path, flags: ["--workers", "1"], log: log)
      #expect(try Self.losses(done, again) != [])
    } catch is FountProcess.DidNotListen {
      // A record that was torn, or lost as a whole, keeps the server from starting, which is a loss as well; nothing else may.
      let said = try String(contentsOfFile: log, encoding: .utf8)
      let isOfTheRecord = ["is damaged", "belongs to another record"].contains { said.contains($0) }
      #expect(word == "fount.sqlite-wal" && isOfTheRecord, "\(said)")
    }
  }
}
