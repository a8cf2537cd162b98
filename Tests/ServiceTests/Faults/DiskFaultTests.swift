import Foundation
import JSON
import Testing

/// Disks that fail: what is told, what stays, and that the service goes on where it can.
@Suite struct `A disk that fails` {
  private static let examples = SampleData.barsAndStripes(side: 4, copies: 10)

  private static func check(_ folder: TemporaryFolder, _ flags: String...) throws -> (status: Int32, output: String, errors: String) {
    try Program.run(FountProcess.executable, ["check", "--data", folder.path] + flags)
  }

  private static func files(in folder: String, ending: String = "") throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder) && !isFolder.boolValue
        && path.hasSuffix(ending)
    }.map { "\(folder)/\($0)" }
  }

  @Test func `by an fsync acknowledges nothing that it did not keep, and goes on when it can`() throws {
    let folder = try TemporaryFolder()
    let control = folder.path + "-control"
    defer { try? FileManager.default.removeItem(atPath: control) }  // A leftover harms nothing.
    let fount = try FountProcess(
      data: folder.path, environment: ["LD_PRELOAD": try PreloadedLibrary.failingSync(), "SHIM_CONTROL": control])
    let dataset = try fount.dataset(Self.examples)
    func fail(_ path: String?) throws { try (path ?? "").write(toFile: control, atomically: true, encoding: .utf8) }

    try fail("/blobs/")
    let refused = try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1))
    #expect(refused.status == 507 && refused.text.contains("nothing of this request was kept"))
    try fail("fount.sqlite")
    #expect(try fount.post("/v1/jobs", `The main job`.body(dataset)).status == 507)
    #expect(try fount.upload(SampleData.barsAndStripes(side: 3, copies: 2)).status == 507)
    #expect(try fount.curl("/v1/datasets/\(dataset)").status == 200)
    try fail(nil)
    #expect(try fount.curl("/v1/datasets").json["data"]?.array?.count == 1)
    #expect(try fount.curl("/v1/jobs").json["data"] == [])
    #expect(try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1)).status == 201)
    try fount.finish(try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string))

    // A worker that can't keep its checkpoint dies with the disk's own words, and after three times has failed.
    try fail("/models/")
    let job = try fount.submit(`The main job`.body(dataset))
    let failed = try fount.wait(for: job["id"]?.string ?? "") { $0["status"] == "failed" }
    #expect(failed["attempt"] == 3)
    #expect(failed["error"]?["detail"]?.string?.contains("fsync") == true, "\(failed.serialized())")
    try fail(nil)
    #expect(fount.stop() == 0)
    let check = try Self.check(folder)
    #expect(check.status == 0, "\(check.output)")
  }

  @Test(.enabled(if: canMount, "mounting is root's"))
  func `by being full refuses with a 507, loses nothing, and goes on when there is room`() throws {
    let folder = try TemporaryFolder()
    let disk = try SmallDisk(at: folder.path, megabytes: 24)
    let fount = try FountProcess(data: folder.path, flags: ["--disk-free-bytes-min", "4 MiB"])
    let dataset = try fount.dataset(Self.examples)
    let done = try fount.finish(try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string))
    let running = try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 100_000]))
    try disk.fill(leaving: 6 << 20)
    let large = try fount.upload(SampleData.idx([70_000, 10, 10], [UInt8](repeating: 1, count: 7_000_000)))
    #expect(large.status == 507, "\(large.text)")
    // In chunks, so that nobody knows beforehand how much there will be.
    let file = folder.path + "-large"
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    try Data(SampleData.idx([70_000, 10, 10], [UInt8](repeating: 1, count: 7_000_000))).write(to: URL(fileURLWithPath: file))
    let chunked = try fount.curl("/v1/datasets", "-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file)")
    #expect(chunked.status == 507, "\(chunked.text)")
    try disk.fill(leaving: 3 << 20)
    #expect(try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1)).status == 507)
    #expect(try fount.post("/v1/jobs", `The main job`.body(dataset)).status == 507)
    #expect(try fount.curl("/v1/models/\(done["model"]?.string ?? "")/samples?count=4&seed=1").status == 200)
    // To the last byte: what runs fails or waits, and the answers are answers.
    try disk.fill(leaving: 0)
    for _ in 0..<5 {
      let status = try fount.curl("/v1/jobs/\(running["id"]?.string ?? "")/pause", "-X", "POST").status
      #expect([202, 409, 507].contains(status), "\(status)")
      #expect(try fount.curl("/v1/jobs/\(done["id"]?.string ?? "")").status == 200)
    }
    try disk.empty()
    try fount.wait(for: running["id"]?.string ?? "") {
      ["paused", "running", "pausing", "failed", "queued"].contains($0["status"]?.string ?? "")
    }
    let after = try fount.submit(`The main job`.body(dataset))
    if try fount.job(running["id"]?.string ?? "")["status"] != "failed" {
      #expect(try fount.curl("/v1/jobs/\(running["id"]?.string ?? "")/cancel", "-X", "POST").status == 202)
    }
    try fount.finish(after["id"]?.string ?? "")
    #expect(try fount.upload(SampleData.barsAndStripes(side: 3, copies: 1)).status == 201)
    #expect(fount.stop() == 0)
    let check = try Self.check(folder)
    #expect(check.status == 0, "\(check.output)")
  }

  @Test(.enabled(if: canMount, "mounting is root's"))
  func `by being full for a while ends no running job: it goes on when there is room`() throws {
    let folder = try TemporaryFolder()
    let disk = try SmallDisk(at: folder.path, megabytes: 24)
    let log = folder.path + "-log"
    defer { try? FileManager.default.removeItem(atPath: log) }  // A leftover harms nothing.
    let fount = try FountProcess(data: folder.path, flags: ["--disk-free-bytes-min", "0"], log: log)
    let id = try fount.submit(`A job that is steered`.longJob(try fount.dataset(Self.examples), ["epochs": 20_000]))["id"]?.string ?? ""
    let checkpoint = { (job: JSONValue) in try? fount.curl("/v1/models/\(job["model"]?.string ?? "")").json["step"]?.integer }
    try fount.wait(for: id) { checkpoint($0) ?? 0 > 0 }
    try disk.fill(leaving: 0)
    // The worker has gone for want of room when its place is free; the record may have no room to say so.
    let end = Date.now + 60
    while try Program.run("/usr/bin/pgrep", ["-f", "worker .*\(id)"]).status == 0, Date.now < end { Thread.sleep(forTimeInterval: 0.05) }
    try disk.empty()
    let before = checkpoint(try fount.job(id)) ?? 0
    try fount.wait(for: id) { checkpoint($0) ?? 0 > before }
    let job = try fount.job(id)
    #expect(job["status"] == "running" && job["attempt"]?.integer ?? 0 >= 2, "\(job.serialized())")
    var (warnings, next) = ([String](), String?.some("0"))
    while let after = next {
      let page = try fount.curl("/v1/jobs/\(id)/events?limit=1000&after=\(after)").json
      warnings += page["data"]?.array?.filter { $0["type"] == "warning" }.compactMap { $0["data"]?["detail"]?.string } ?? []
      next = page["next"]?.string
    }
    #expect(warnings.contains { $0.contains("no room") }, "\(warnings)")
    #expect(fount.stop() == 0)
    #expect(try Self.check(folder).status == 0)
  }

  @Test(.enabled(if: canMount, "mounting is root's"))
  func `by being read-only is told at the start, and nothing of it is lost`() throws {
    let folder = try TemporaryFolder()
    let disk = try SmallDisk(at: folder.path, megabytes: 64)
    let fount = try FountProcess(data: folder.path, flags: ["--disk-free-bytes-min", "0"])
    let dataset = try fount.dataset(Self.examples)
    let done = try fount.finish(try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string))
    fount.kill()
    try disk.remount(readOnly: true)
    let refused = try Program.run(FountProcess.executable, ["serve", "--port", "0", "--data", folder.path])
    #expect(refused.status == 1 && refused.errors.contains("Read-only file system"), "\(refused.errors)")
    // A check that mends nothing needs no more than to read.
    let check = try Self.check(folder)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
    try disk.remount(readOnly: false)
    let again = try FountProcess(data: folder.path, flags: ["--disk-free-bytes-min", "0"])
    #expect(try again.job(done["id"]?.string ?? "")["status"] == "succeeded")
    #expect(again.stop() == 0)
  }

  @Test func `under a checkpoint is found by the check wherever it is`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(Self.examples)
    let done = try fount.finish(try #require(try fount.submit(`The main job`.body(dataset))["id"]?.string))
    let model = done["model"]?.string ?? ""
    #expect(fount.stop() == 0)
    let state = try JSONValue(parsing: Array(FileManager.default.contents(atPath: "\(folder.path)/models/\(model)/model.json") ?? Data()))
    let used = "\(folder.path)/models/\(model)/checkpoint-\(state["step"]?.integer ?? -1).safetensors"
    let sound = try #require(FileManager.default.contents(atPath: used))
    // The length, the header's names and shapes, its metadata, the first tensor, the last byte; and a file cut short.
    for offset in [0, 9, 60, 300, sound.count / 2, sound.count - 1] {
      var damaged = sound
      damaged[offset] ^= 0x10
      try damaged.write(to: URL(fileURLWithPath: used))
      let check = try Self.check(folder)
      #expect(check.status == 1 && check.output.contains(used), "byte \(offset): \(check.output)")
    }
    for cut in [0, 7, sound.count / 3, sound.count - 1] {
      try sound.prefix(cut).write(to: URL(fileURLWithPath: used))
      #expect(try Self.check(folder).status == 1, "cut at \(cut)")
    }
    #expect(try Self.check(folder, "--mend").status == 0)
    let check = try Self.check(folder)
    #expect(check.status == 0, "\(check.output)")
  }

  @Test func `under a page of the record is found by the check`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(Self.examples)
    for _ in 0..<30 { _ = try fount.submit(`The main job`.body(dataset)) }
    #expect(fount.stop() == 0)
    let database = folder.path + "/fount.sqlite"
    let sound = try #require(FileManager.default.contents(atPath: database))
    try #require(sound.count > 20 * 4096)
    for page in [1, 3, sound.count / 4096 / 2] {
      var damaged = sound
      damaged.replaceSubrange((page * 4096)..<(page * 4096 + 4096), with: Data(repeating: 0xA5, count: 4096))
      try damaged.write(to: URL(fileURLWithPath: database))
      let check = try Self.check(folder)
      #expect(check.status == 1 && check.output.contains("fount.sqlite"), "page \(page): \(check.output)\(check.errors)")
    }
    try sound.write(to: URL(fileURLWithPath: database))
    #expect(try Self.check(folder).status == 0)
  }

  @Test func `under a dataset's bytes is found by the check, and uploading again makes it good`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(Self.examples)
    #expect(try Self.check(folder).status == 75)
    #expect(fount.stop() == 0)
    let blob = try #require(try Self.files(in: folder.path + "/blobs").first)
    var bytes = try #require(FileManager.default.contents(atPath: blob))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: URL(fileURLWithPath: blob))
    let orphan = folder.path + "/models/mdl_nobodynobodynobo"
    let foreign = folder.path + "/models/lost+found"
    for path in [orphan, foreign] { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    let found = try Self.check(folder)
    #expect(found.status == 1 && found.output.contains(dataset) && found.output.contains(orphan), "\(found.output)")
    #expect(FileManager.default.fileExists(atPath: orphan))
    #expect(try Self.check(folder, "--mend").status == 0)
    #expect(try Self.check(folder).output == "all is in order\n")
    fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    #expect(FileManager.default.fileExists(atPath: foreign) && !FileManager.default.fileExists(atPath: orphan))
    #expect(try fount.upload(Self.examples).status == 201)
    #expect(try fount.curl("/v1/datasets/\(dataset)/preview.png").status == 200)
  }

  @Test func `by a kill between a file and its row is swept at the next start`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(Self.examples)
    fount.kill()
    // As a server leaves them that dies between a blob's adoption and its row, a fork's link and its row, an upload and its decoding.
    let digest = String(repeating: "ab", count: 32)
    let blob = "\(folder.path)/blobs/sha256/ab/\(digest)"
    let strays = [blob, "\(folder.path)/models/mdl_aaaaaaaaaaaaaaaa/origin.safetensors", "\(folder.path)/incoming/bodies/upload-1.part"]
    for path in strays {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("stray".utf8).write(to: URL(fileURLWithPath: path))
    }
    let check = try Self.check(folder)
    #expect(check.status == 1)
    for name in [digest, "mdl_aaaaaaaaaaaaaaaa", "bodies"] { #expect(check.output.contains(name), "\(check.output)") }
    fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    for path in strays { #expect(!FileManager.default.fileExists(atPath: path), "\(path)") }
    #expect(try fount.curl("/v1/datasets/\(dataset)/preview.png").status == 200)
    #expect(fount.stop() == 0)
    #expect(try Self.check(folder).status == 0)
  }

  @Test func `by a lost blob has it back with the next upload`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(Self.examples)
    for blob in try Self.files(in: folder.path + "/blobs") { try FileManager.default.removeItem(atPath: blob) }
    #expect(try fount.dataset(Self.examples) == dataset)
    #expect(try fount.curl("/v1/datasets/\(dataset)/preview.png").status == 200)
  }

  @Test func `by another record's folder is not swept: the server does not start`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    _ = try fount.dataset(Self.examples)
    #expect(fount.stop() == 0)
    let refused = try Program.run(
      FountProcess.executable, ["serve", "--port", "0", "--data", folder.path, "--database", folder.path + "/elsewhere"])
    #expect(refused.status == 1 && refused.errors.contains("belongs to another record"), "\(refused.errors)")
    // Nor where nothing tells whose the data are, and the record has never heard of any.
    try FileManager.default.removeItem(atPath: folder.path + "/record")
    let empty = try Program.run(
      FountProcess.executable, ["serve", "--port", "0", "--data", folder.path, "--database", folder.path + "/empty"])
    #expect(empty.status == 1 && empty.errors.contains("is empty"), "\(empty.errors)")
    #expect(try Self.files(in: folder.path + "/blobs").count == 1)
  }
}

/// Others than root skip what needs it.
private let canMount = (try? SmallDisk.canBeMounted) ?? false

/// A file system of its own in memory, small enough to fill. A class because it is unmounted with its owner.
final class SmallDisk {
  private let path: String

  /// Mounting is root's.
  static var canBeMounted: Bool {
    get throws {
      guard geteuid() == 0 else { return false }
      let folder = try TemporaryFolder()
      guard try Program.run("/bin/mount", ["-t", "tmpfs", "tmpfs", folder.path]).status == 0 else { return false }
      return try Program.run("/bin/umount", [folder.path]).status == 0
    }
  }

  init(at path: String, megabytes: Int) throws {
    self.path = path
    let mounted = try Program.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
    try #require(mounted.status == 0, "\(mounted.errors)")
  }

  deinit { _ = try? Program.run("/bin/umount", ["-l", path]) }  // What stays mounted holds no other test.

  /// Writes a file until only so many bytes are free.
  func fill(leaving bytes: Int) throws {
    var status = statvfs()
    statvfs(path, &status)
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    guard let file = fopen(path + "/filler", "a") else { return }
    defer { fclose(file) }
    let block = [UInt8](repeating: 1, count: 4096)
    for _ in 0..<max(0, (free - bytes) / 4096) where fwrite(block, 1, block.count, file) < block.count { break }
  }

  func empty() throws { try FileManager.default.removeItem(atPath: path + "/filler") }

  func remount(readOnly: Bool) throws {
    let done = try Program.run("/bin/mount", ["-o", "remount,\(readOnly ? "ro" : "rw")", path])
    try #require(done.status == 0, "\(done.errors)")
  }
}
