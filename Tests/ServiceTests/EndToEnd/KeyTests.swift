import Foundation
import JSON
import Service
import Testing

/// Keys of access, made by the real program and asked by a real curl.
@Suite(.serialized) struct `Keys` {
  /// What `fount key` prints on its standard output.
  private func key(_ arguments: String..., data: String) throws -> (status: Int32, output: String, errors: String) {
    let run = try Program.run(FountProcess.executable, ["key"] + arguments + ["--data", data])
    return (run.status, run.output.trimmingCharacters(in: .whitespacesAndNewlines), run.errors)
  }

  private func bearer(_ key: String) -> [String] { ["-H", "Authorization: Bearer \(key)"] }

  @Test func `of each scope open what they are for, and nothing else`() throws {
    let folder = try TemporaryFolder()
    let keys = try ["read", "train", "admin"].map { try key("create", "--scope", $0, data: folder.path).output }
    #expect(keys.allSatisfy { $0.hasPrefix("fount_") && $0.count == 70 } && Set(keys).count == 3)
    let fount = try FountProcess(data: folder.path)
    let file = folder.path + "-bars"
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    try Data(SampleData.barsAndStripes(side: 3, copies: 2)).write(to: URL(fileURLWithPath: file))
    let upload = ["--data-binary", "@\(file)"]
    for path in ["/livez", "/readyz", "/version"] { #expect(try fount.curl(path).status == 200) }
    let none = try fount.curl("/v1/datasets")
    #expect(none.status == 401 && none.headers["www-authenticate"] == "Bearer realm=\"fount\"")
    #expect(try fount.curl("/v1/datasets", upload).status == 401)
    for wrong in [keys[0].dropLast() + "x", "", "fount_", keys[0] + " "] {
      #expect(try fount.curl("/v1/datasets", bearer(String(wrong))).status == (wrong == keys[0] + " " ? 200 : 401))
    }
    #expect(try fount.curl("/v1/datasets", ["-H", "Authorization: Basic \(keys[2])"]).status == 401)
    let statuses = try keys.map { try fount.curl("/v1/datasets", bearer($0)).status }
    #expect(statuses == [200, 200, 200])
    let refused = try fount.curl("/v1/datasets", upload + bearer(keys[0]))
    #expect(refused.status == 403 && refused.headers["www-authenticate"]?.contains("scope=\"train\"") == true)
    let made = try fount.curl("/v1/datasets", upload + bearer(keys[1]))
    #expect(made.status == 201)
    let dataset = try #require(try made.json["id"]?.string)
    let deletions = try keys.map { try fount.curl("/v1/datasets/\(dataset)", ["-X", "DELETE"] + bearer($0)).status }
    #expect(deletions == [403, 403, 204])
    #expect(try fount.curl("/v1/datasets", ["-H", "Host: example.org"] + bearer(keys[0])).status == 200, "a key is enough, under any name")
  }

  @Test func `are kept as digests alone, listed without themselves, and end when they are revoked`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    #expect(try fount.curl("/v1/jobs").status == 200)
    let made = try key("create", "--scope", "admin", "--name", "ada's", data: folder.path)
    let id = try #require(made.errors.split(separator: ",").first.map(String.init))
    // A server that runs asks for the key from then on.
    #expect(try status(of: fount, [], becomes: 401))
    #expect(try fount.curl("/v1/jobs", bearer(made.output)).status == 200)
    let list = try key("list", data: folder.path).output
    #expect(list.contains(id) && list.contains("ada's") && list.contains("in force"))
    #expect(!list.contains(made.output.dropFirst(6)))
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix("fount.sqlite") {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
      #expect(bytes.range(of: Data(made.output.utf8)) == nil && bytes.range(of: Data(made.output.dropFirst(6).utf8)) == nil, "\(name)")
    }
    _ = try key("create", "--scope", "read", data: folder.path)
    #expect(try key("revoke", id, data: folder.path).status == 0)
    #expect(try status(of: fount, bearer(made.output), becomes: 401))
    #expect(try key("list", data: folder.path).output.contains("revoked 20"))
    #expect(try key("revoke", "key_unknown", data: folder.path).status != 0)
    #expect(try key("create", "--scope", "root", data: folder.path).status != 0)
  }

  private func status(of fount: FountProcess, _ arguments: [String], becomes wanted: Int) throws -> Bool {
    for _ in 0..<100 {
      if try fount.curl("/v1/jobs", arguments).status == wanted { return true }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return false
  }

  @Test func `are needed before a server is open to others, and it says how to make one`() throws {
    let folder = try TemporaryFolder()
    let closed = try Program.run(FountProcess.executable, ["serve", "--port", "0", "--host", "0.0.0.0", "--data", folder.path])
    #expect(closed.status == 1 && closed.errors.contains("fount key create --scope admin --database \(folder.path)"))
    let made = try key("create", "--scope", "read", data: folder.path)
    let fount = try FountProcess(data: folder.path, flags: ["--host", "0.0.0.0"])
    #expect(try fount.curl("/v1/jobs").status == 401)
    #expect(try fount.curl("/v1/jobs", bearer(made.output)).status == 200)
    let id = try #require(made.errors.split(separator: ",").first.map(String.init))
    #expect(try key("revoke", id, data: folder.path).status == 0)
    // Without any key it stays closed.
    #expect(try status(of: fount, bearer(made.output), becomes: 401))
    #expect(try fount.curl("/v1/jobs").status == 401)
  }

  @Test func `have a rate, told with every answer`() throws {
    let folder = try TemporaryFolder()
    let keys = try (0..<2).map { _ in try key("create", "--scope", "read", data: folder.path).output }
    let (one, other) = (keys[0], keys[1])
    let fount = try FountProcess(data: folder.path, flags: ["--key-requests-per-second-max", "3", "--key-requests-per-day-max", "6"])
    let first = try fount.curl("/v1/jobs", bearer(one))
    #expect(first.headers["ratelimit-policy"] == "\"second\";q=3;w=1, \"day\";q=6;w=86400")
    #expect(first.headers["ratelimit"]?.hasPrefix("\"second\";r=") == true)
    // Asked in a row within one connection, so that they come faster than they may.
    let urls = (0..<20).flatMap { _ in ["-o", "/dev/null", "\(fount.base)/v1/jobs"] }
    let many = try Program.run("/usr/bin/curl", ["-sS", "-w", "%{http_code} %header{retry-after};"] + bearer(one) + urls)
    let answers = many.output.split(separator: ";")
    #expect(answers.count == 20 && answers.contains("429 1") && answers.contains("200 "), "\(many.output)")
    #expect(try fount.curl("/v1/jobs", bearer(other)).status == 200)
    var last = first
    for _ in 0..<300 where last.status != 429 || last.headers["ratelimit"]?.hasPrefix("\"day\";r=0") != true {
      Thread.sleep(forTimeInterval: 0.02)
      last = try fount.curl("/v1/jobs", bearer(one))
    }
    #expect(last.status == 429 && last.headers["ratelimit"]?.hasPrefix("\"day\";r=0;t=") == true, "\(last.headers)")
    #expect((1...86_400).contains(Int(last.headers["retry-after"] ?? "") ?? 0))
  }

  @Test func `make their holders take turns, each by a round of its own`() throws {
    let folder = try TemporaryFolder()
    let keys = try (0..<2).map { _ in try key("create", "--scope", "train", data: folder.path).output }
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0", "--queued-jobs-max", "2"])
    let file = folder.path + "-bars"
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    try Data(SampleData.barsAndStripes(side: 3, copies: 8)).write(to: URL(fileURLWithPath: file))
    let dataset = try #require(try fount.curl("/v1/datasets", ["--data-binary", "@\(file)"] + bearer(keys[0])).json["id"]?.string)
    let body = "{\"kind\": \"train\", \"dataset\": \"\(dataset)\", \"family\": \"made\"}"
    func submit(_ key: String, once: String? = nil) throws -> Answer {
      let idempotency = once.map { ["-H", "Idempotency-Key: \($0)"] } ?? []
      return try fount.curl("/v1/jobs", ["-H", "Content-Type: application/json", "-d", body] + idempotency + bearer(key))
    }
    #expect(try [submit(keys[0]), submit(keys[0]), submit(keys[0])].map(\.status) == [202, 202, 429])
    // Two holders may use the same word for different requests.
    let (one, again, other) = try (submit(keys[1], once: "w"), submit(keys[1], once: "w"), submit(keys[0], once: "w"))
    #expect(one.status == 202 && again.headers["idempotency-replayed"] == "true" && other.status == 429)
    // The newcomer's one job is before the other's second.
    #expect(try one.json["queue"]?["position"]?.integer == 1, "\(one.text)")
  }
}
