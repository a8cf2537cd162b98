import Foundation
import JSON
import Testing

@Suite struct `Uploads in parts` {
  private let file = SampleData.greys(side: 16, count: 400)

  private func begin(_ fount: FountProcess, _ arguments: String...) throws -> String {
    let answer = try fount.curl("/v1/uploads", ["-X", "POST"] + arguments)
    #expect(answer.status == 201, "\(answer.text)")
    return try #require(answer.headers["location"])
  }

  private func write(_ bytes: some Sequence<UInt8>, _ folder: TemporaryFolder, as name: String = "part") throws -> String {
    let path = "\(folder.path)-\(name)"
    try Data(Array(bytes)).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func `by curl -C N -T go on where they broke off, also after a restart, and become the dataset that one upload makes`() throws {
    let folder = try TemporaryFolder()
    let path = try write(file, folder, as: "whole")
    defer { try? FileManager.default.removeItem(atPath: path) }  // A leftover harms nothing.
    var fount = try FountProcess(data: folder.path)
    let place = try begin(fount, "-G", "-d", "name=greys")
    let first = try write(file[..<40_000], folder)
    defer { try? FileManager.default.removeItem(atPath: first) }
    let some = try fount.curl(place, "-T", first, "-H", "Content-Range: bytes 0-39999/\(file.count)")
    #expect(some.status == 308 && some.headers["range"] == "bytes=0-39999" && some.headers["upload-offset"] == "40000")
    fount.kill()
    fount = try FountProcess(data: folder.path)
    let told = try fount.curl(place)
    #expect(try told.json["offset"] == 40_000 && told.json["length"] == .integer(file.count) && told.json["name"] == "greys")
    let rest = try fount.curl(place, "-C", "40000", "-T", path)
    #expect(rest.status == 201 && rest.headers["location"]?.hasPrefix("/v1/datasets/ds_") == true, "\(rest.text)")
    #expect(try rest.json["count"] == 400 && rest.json["name"] == "greys")
    #expect(try fount.curl(place).status == 404)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/uploads").isEmpty)
    // The same bytes at once are the same dataset.
    let again = try fount.upload(file)
    #expect(try again.status == 200 && again.json["id"] == rest.json["id"])
  }

  @Test func `of which the connection breaks keep what has come`() throws {
    let folder = try TemporaryFolder()
    let path = try write(file, folder, as: "whole")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let fount = try FountProcess(data: folder.path)
    let place = try begin(fount)
    let client = Process()
    client.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    let program = """
      import socket, sys
      data = open(sys.argv[2], 'rb').read()
      server = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
      head = f'PUT {sys.argv[3]} HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: {len(data)}\\r\\n\\r\\n'
      server.sendall(head.encode() + data[:70000])
      server.close()
      """
    client.arguments = ["-c", program, String(fount.port), path, place]
    try client.run()
    client.waitUntilExit()
    let end = ContinuousClock.now + .seconds(10)
    var offset = 0
    while offset == 0, ContinuousClock.now < end {
      offset = try fount.curl(place).json["offset"]?.integer ?? -1
      Thread.sleep(forTimeInterval: 0.02)
    }
    #expect(offset == 70_000)
    #expect(try fount.curl(place, "-C", String(offset), "-T", path).status == 201)
  }

  @Test func `by tus 1.0 are begun, asked for, gone on with and ended`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let tus = ["-H", "Tus-Resumable: 1.0.0"]
    let begun = try fount.curl(
      "/v1/uploads",
      ["-X", "POST", "-H", "Upload-Length: \(file.count)", "-H", "Upload-Metadata: filename Z3JleXM=,filetype YQ==,format aWR4"] + tus)
    let place = try #require(begun.headers["location"])
    #expect(begun.status == 201 && begun.headers["tus-resumable"] == "1.0.0")
    func patch(_ bytes: some Sequence<UInt8>, at offset: Int, _ more: String...) throws -> Answer {
      let part = try write(bytes, folder)
      defer { try? FileManager.default.removeItem(atPath: part) }
      let fields = ["-H", "Content-Type: application/offset+octet-stream", "-H", "Upload-Offset: \(offset)"]
      return try fount.curl(place, ["-X", "PATCH", "--data-binary", "@\(part)"] + fields + tus + more)
    }
    for start in stride(from: 0, to: 90_000, by: 30_000) {
      let answer = try patch(file[start..<start + 30_000], at: start)
      #expect(answer.status == 204 && answer.headers["upload-offset"] == String(start + 30_000), "\(answer.text)")
    }
    let asked = try fount.curl(place, ["-I"] + tus)
    #expect(asked.status == 200 && asked.headers["upload-offset"] == "90000" && asked.headers["upload-length"] == String(file.count))
    #expect(asked.headers["cache-control"] == "no-store")
    let wrong = try patch(file[..<10], at: 5)
    #expect(wrong.status == 409 && wrong.headers["upload-offset"] == "90000")
    #expect(try patch(file + [0], at: 90_000).status == 413)
    let last = try patch(file[90_000...], at: 90_000)
    #expect(last.status == 204 && last.headers["location"]?.hasPrefix("/v1/datasets/") == true, "\(last.text)")
    #expect(try fount.curl(#require(last.headers["location"])).json["name"] == "greys")
    let other = try begin(fount, "-H", "Upload-Length: 5")
    #expect(try fount.curl(other, ["-X", "DELETE"] + tus).status == 204)
    #expect(try fount.curl(other, ["-I"] + tus).status == 404)
    #expect(try fount.curl(other, "-I", "-H", "Tus-Resumable: 0.2.0").status == 412)
  }

  @Test func `are held against the digest that was given, and end with a refusal`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let path = try write(file, folder)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let place = try begin(fount, "-H", "Repr-Digest: sha-256=:\(Data(repeating: 7, count: 32).base64EncodedString()):")
    let answer = try fount.curl(place, "-T", path)
    #expect(answer.status == 400 && answer.text.contains("Repr-Digest does not match"))
    #expect(try fount.curl(place).status == 404)
    let bad = try write([0, 0, 7, 1], folder, as: "bad")
    defer { try? FileManager.default.removeItem(atPath: bad) }
    let refused = try fount.curl(begin(fount), "-T", bad)
    #expect(refused.status == 422 && refused.text.contains("IDX header, type"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/uploads").isEmpty)
  }

  @Test func `that say nonsense are refused and lose nothing`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    #expect(try fount.curl("/v1/uploads", "-X", "POST", "-H", "Upload-Length: -1").status == 400)
    #expect(try fount.curl("/v1/uploads", "-X", "POST", "-H", "Upload-Length: 99999999999999").status == 413)
    #expect(try fount.curl("/v1/uploads?format=x", "-X", "POST").status == 400)
    #expect(try fount.curl("/v1/uploads/up_x", "-T", "/etc/hostname").status == 404)
    #expect(try [400, 404].contains(fount.curl("/v1/uploads/..%2f..%2flock").status))
    let place = try begin(fount)
    let part = try write(file[..<100], folder)
    defer { try? FileManager.default.removeItem(atPath: part) }
    for range in ["bytes 0-98/200", "bytes 0-99/50", "bytes 5-2/100", "bits 0-99/200", "bytes 0-99", "bytes 99999999999999999999-1/2"] {
      #expect(try fount.curl(place, "-T", part, "-H", "Content-Range: \(range)").status == 400, "\(range)")
    }
    #expect(try fount.curl(place, "-T", part, "-H", "Content-Range: bytes 0-99/200").status == 308)
    #expect(try fount.curl(place, "-T", part, "-H", "Content-Range: bytes 100-199/300").status == 400)
    #expect(try fount.curl(place, "-T", part, "-H", "Content-Range: bytes 50-149/200").status == 409)
    let asked = try fount.curl(place, "-X", "PUT", "-H", "Content-Length: 0", "-H", "Content-Range: bytes */200")
    #expect(asked.status == 308 && asked.headers["range"] == "bytes=0-99")
    #expect(try fount.curl(place).json["offset"] == 100)
  }

  @Test func `to which nothing was added for long are swept`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--upload-idle-seconds-max", "60"])
    let (old, new) = try (begin(fount), begin(fount))
    let path = folder.path + "/uploads/" + (old.split(separator: "/").last ?? "")
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -100)], ofItemAtPath: path)
    _ = try begin(fount)
    #expect(try fount.curl(old).status == 404)
    #expect(try fount.curl(new).status == 200)
  }

  @Test func `that are whole take nothing more while they are decoded: a second one neither replaces nor ends them`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--decoders", "1"])
    // The one decoder stands still over another file, so that the upload waits for it.
    let large = try write(SampleData.idx([600_000, 8, 8], [UInt8](repeating: 1, count: 38_400_000)), folder, as: "large")
    let (ones, twos) = (
      SampleData.idx([9, 4, 4], [UInt8](repeating: 1, count: 144)), SampleData.idx([9, 4, 4], [UInt8](repeating: 2, count: 144))
    )
    let (first, second) = (try write(ones, folder, as: "ones"), try write(twos, folder, as: "twos"))
    let answer = "\(folder.path)-answer"
    defer { for path in [large, first, second, answer] { try? FileManager.default.removeItem(atPath: path) } }  // A leftover harms nothing.
    let place = try begin(fount)
    func inBackground(_ arguments: String...) throws -> Process {
      let curl = Process()
      curl.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
      curl.arguments = ["-sS", "--max-time", "300"] + arguments
      try curl.run()
      return curl
    }
    let stopper = Process()
    stopper.executableURL = URL(fileURLWithPath: "/bin/sh")
    stopper.arguments = ["-c", "while ! pkill -STOP -P \(fount.pid) -f 'fount decode'; do :; done"]
    try stopper.run()
    let other = try inBackground("-o", "/dev/null", "--data-binary", "@\(large)", "\(fount.base)/v1/datasets")
    stopper.waitUntilExit()
    let upload = try inBackground("-o", answer, "-T", first, "\(fount.base)\(place)")
    let end = Date.now + 60
    while try fount.curl(place).json["offset"] != .integer(ones.count) {
      try #require(Date.now < end)
      Thread.sleep(forTimeInterval: 0.02)
    }
    // It has come; that it waits for the decoder is a moment later.
    Thread.sleep(forTimeInterval: 0.3)
    for refused in [
      try fount.curl(place, "-T", second), try fount.curl(place, "-X", "DELETE"),
      try fount.curl(place, "-T", second, "-H", "Content-Range: bytes 0-\(twos.count - 1)/\(twos.count)"),
    ] { #expect(refused.status == 409 && refused.text.contains("is being decoded"), "\(refused.text)") }
    _ = try Program.run("/usr/bin/pkill", ["-CONT", "-P", "\(fount.pid)", "-f", "fount decode"])
    for process in [other, upload] { process.waitUntilExit() }
    let made = try JSONValue(parsing: Array(FileManager.default.contents(atPath: answer) ?? Data()))
    let known = try fount.upload(ones)
    #expect(
      try known.status == 200 && known.json["id"] == made["id"] && known.json["maximum"]?.number == 1 && made["maximum"]?.number == 1,
      "\(made.serialized())")
    #expect(try fount.upload(twos).status == 201)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/uploads").isEmpty)
  }
}
