import Foundation
import JSON
import Testing

/// Bad input over the wire: each gets a 4xx that names the field, nothing stays of it, and the server goes on.
@Suite struct `A refusal` {
  @Test func `of an upload leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--body-bytes-max", "1048576"])
    let good = SampleData.barsAndStripes(side: 3, copies: 1)
    let uploads: [(name: String, bytes: [UInt8])] = [
      ("empty", []),
      ("cut-off IDX", Array(good.dropLast(5))),
      ("IDX of 2^32 - 1 items", [0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 28, 0, 0, 0, 28] + [UInt8](repeating: 0, count: 100)),
      ("IDX whose sides overflow", [0, 0, 8, 4] + [UInt8](repeating: 255, count: 16)),
      ("IDX with bytes left over", good + [1]),
      ("IDX of labels", SampleData.idx([10], [UInt8](repeating: 1, count: 10))),
      ("text", Array("hello, world".utf8)),
      ("NPY of pickles", Self.npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }")),
      ("NPY that overflows", Self.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }")),
      ("NPY of nothing", Self.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4), }")),
      ("NPY with a lying shape", Self.npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000), }")),
      ("gzip of nothing", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]),
    ]
    for (name, bytes) in uploads {
      let answer = try fount.upload(bytes)
      #expect(answer.status == 422, "\(name): \(answer.text)")
      #expect(answer.headers["content-type"] == "application/problem+json", "\(name)")
      #expect(try !(answer.json["detail"]?.string ?? "").isEmpty, "\(name)")
    }
    let huge = try fount.curl("/v1/datasets", "-X", "POST", "-H", "Content-Length: 10000000000", "--data-binary", "x")
    #expect(huge.status == 413)
    try Data([UInt8](repeating: 0, count: 1_100_000)).write(to: URL(fileURLWithPath: folder.path + "-long"))
    defer { try? FileManager.default.removeItem(atPath: folder.path + "-long") }  // A leftover harms nothing.
    let long = try fount.curl("/v1/datasets", "-H", "Transfer-Encoding: chunked", "--data-binary", "@\(folder.path)-long")
    #expect(long.status == 413)
    for (form, status, words) in [("file=abc", 422, "no table of numbers"), ("data=abc", 422, "\"data\""), ("file=", 422, "empty")] {
      let answer = try fount.curl("/v1/datasets", "-F", form)
      #expect(answer.status == status && answer.text.contains(words.replacing("\"", with: "\\\"")), "\(form): \(answer.text)")
    }
    let mixed = try fount.curl("/v1/datasets", "-H", "Content-Type: multipart/mixed; boundary=a", "--data-binary", "--a--")
    #expect(mixed.status == 415)
    #expect(try fount.curl("/v1/datasets").json["data"] == [])
    #expect(try Self.files(in: folder.path + "/incoming").isEmpty)
    #expect(try Self.files(in: folder.path + "/blobs").isEmpty)
    #expect(try fount.upload(good).status == 201)
  }

  @Test func `of what all datasets together may not take is a 507, and leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (SampleData.barsAndStripes(side: 4, copies: 2), SampleData.barsAndStripes(side: 4, copies: 3))
    let fount = try FountProcess(data: folder.path, flags: ["--datasets-bytes-max", "2048"])
    #expect(try fount.upload(first).status == 201)
    let answer = try fount.upload(second)
    #expect(try answer.status == 507 && answer.json["detail"]?.string?.contains("2048") == true)
    #expect(try Self.files(in: folder.path + "/blobs").count == 1)
    #expect(try Self.files(in: folder.path + "/incoming").isEmpty)
    #expect(try fount.upload(first).status == 200)
  }

  @Test func `of a megabyte of wrong names is neither slow nor long`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let names = (0..<80_000).map { "\"n\($0)\":1" }.joined(separator: ",")
    let file = folder.path + "-names"
    try Data("{\"kind\":\"train\",\(names)}".utf8).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    let answer = try fount.curl("/v1/jobs", "--data-binary", "@\(file)")
    #expect(answer.status == 422 && answer.body.count < 100_000)
  }

  private static func npy(_ header: String) -> [UInt8] {
    let padded = header + String(repeating: " ", count: (118 - header.utf8.count % 64 + 64 - 1) % 64) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(padded.utf8.count & 255), UInt8(padded.utf8.count >> 8)] + Array(padded.utf8)
      + [UInt8](repeating: 0, count: 24)
  }

  private static func files(in folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder) && !isFolder.boolValue
    }
  }

  @Test func `of a job names every field at once`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))
    let answer = try fount.post(
      "/v1/jobs",
      [
        "kind": "train", "dataset": .string(dataset), "family": "maed", "configuration": ["hidden_layers": [0]],
        "training": ["epochs": -3, "learning_rate": "NaN", "batchsize": 10], "sede": 1, "validation_dataset": "ds_none",
      ])
    #expect(answer.status == 422)
    let faults = try answer.faults
    #expect(faults["/family"]?.contains("\"made\"") == true)
    #expect(faults["/training/epochs"]?.contains("-3") == true)
    #expect(faults["/training/learning_rate"]?.contains("NaN") == true)
    #expect(faults["/training/batchsize"]?.contains("batch_size") == true)
    #expect(faults["/sede"]?.contains("seed") == true)
    #expect(faults["/validation_dataset"]?.contains("ds_none") == true)
    let layers = try fount.post("/v1/jobs", `The main job`.body(dataset, ["configuration": ["hidden_layers": [0], "orderngs": 2]]))
    #expect(try Set(layers.faults.keys) == ["/configuration/hidden_layers/0", "/configuration/orderngs"])
    #expect(try fount.curl("/v1/jobs").json["data"] == [])
  }

  @Test(arguments: [
    "{\"kind\": \"train\",}", "{\"seed\": NaN}", "", "[1", "{\"kind\": \"train\", \"kind\": \"train\"}", "\u{FEFF}{}",
  ])
  func `of text that is not JSON is a 400 with line and column`(text: String) throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let answer = try fount.curl("/v1/jobs", "-X", "POST", "--data-binary", text)
    #expect(answer.status == 400, "\(answer.text)")
    #expect(text.isEmpty || answer.text.contains("line 1"))
  }

  @Test func `of numbers beyond all bounds does not reach a trap`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))
    for number in ["1e999", "-1e999", "99999999999999999999", "1e300", "9223372036854775807", "-9223372036854775808", "0.5", "-0"] {
      for field in ["epochs", "batch_size", "learning_rate", "threads", "max_seconds", "validation_fraction", "checkpoint_every_seconds"] {
        let text = #"{"kind":"train","dataset":"\#(dataset)","family":"made","training":{"\#(field)":\#(number),"x":1}}"#
        let answer = try fount.curl("/v1/jobs?dry_run=1", "-d", text)
        #expect(answer.status == 422, "\(field) \(number): \(answer.text)")
      }
      let query = number.replacing("+", with: "%2B")
      for (path, names) in [("/v1/jobs", ["limit"]), ("/v1/datasets/\(dataset)/preview.png", ["count", "columns", "scale"])] {
        for name in names where number != "0.5" || name != "x" {
          let answer = try fount.curl("\(path)?\(name)=\(query)")
          #expect(answer.status == 400, "\(name)=\(number): \(answer.text)")
        }
      }
    }
    #expect(fount.isRunning)
  }

  @Test func `of what is not there, or not so named, says what is`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let absent = [
      "/v1/jobs/job_x", "/v1/models/mdl_x", "/v1/models/mdl_x/samples", "/v1/datasets/ds_x/preview.png", "/v1/families/x", "/x",
    ]
    for path in absent {
      let answer = try fount.curl(path)
      #expect(answer.status == 404, "\(path)")
      #expect(try answer.json["status"] == 404 && answer.json["request_id"]?.string != nil, "\(path)")
      #expect(try answer.json["instance"] == .string(path))
    }
    let method = try fount.curl("/v1/jobs", "-X", "PUT")
    #expect(method.status == 405 && method.headers["allow"]?.contains("POST") == true)
    let typo = try fount.curl("/v1/jobs?limt=3")
    #expect(try typo.status == 400 && typo.faults["limt"]?.contains("limit") == true)
    #expect(try fount.curl("/v1/jobs?after=nowhere").status == 400)
    for path in ["/livez", "/readyz", "/version", "/v1/families"] { #expect(try fount.curl("\(path)?verbose=1").status == 400) }
    #expect(try fount.curl("/v1/jobs?status=runing").status == 400)
  }

  @Test func `of foreign hosts and origins keeps browsers' other pages out`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    #expect(try fount.curl("/v1/jobs", "-H", "Host: evil.example").status == 421)
    #expect(try fount.curl("/v1/jobs", "-H", "Host: localhost:\(fount.port)").status == 200)
    #expect(try fount.curl("/v1/jobs", "-H", "Host: [::1]:\(fount.port)").status == 200)
    #expect(try fount.curl("/v1/jobs", "-H", "Origin: https://evil.example").status == 403)
    #expect(try fount.curl("/v1/jobs", "-H", "Origin: null").status == 403)
    #expect(try fount.curl("/v1/jobs", "-H", "Origin: http://localhost:3000").status == 200)
  }

  @Test func `of a wrong digest names the right one`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let file = folder.path + "/bars"
    try Data(SampleData.barsAndStripes(side: 3, copies: 1)).write(to: URL(fileURLWithPath: file))
    let zeros = Data([UInt8](repeating: 0, count: 32)).base64EncodedString()
    let wrong = try fount.curl("/v1/datasets", "--data-binary", "@\(file)", "-H", "Repr-Digest: sha-256=:\(zeros):")
    #expect(wrong.status == 400)
    let digest = try Program.run("/usr/bin/sha256sum", [file]).output.prefix(64)
    #expect(try wrong.json["detail"]?.string?.contains(digest) == true)
  }

  @Test func `of a second server keeps a data folder to the first`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let second = try Program.run(FountProcess.executable, ["serve", "--port", "0", "--data", folder.path])
    #expect(second.status == 1 && second.errors.contains("in use by another server (process \(fount.pid))"))
    #expect(fount.isRunning)
  }
}
