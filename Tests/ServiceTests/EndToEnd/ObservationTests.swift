import Foundation
import JSON
import Testing

/// What an operator sees of a server: its metrics, its access log, and what its answers say to browsers.
@Suite(.serialized) struct `An operator` {
  /// The samples of a metric, by their labels.
  private func samples(_ fount: FountProcess, _ name: String) throws -> [String: Double] {
    let answer = try fount.curl("/metrics")
    #expect(answer.status == 200 && answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    var samples: [String: Double] = [:]
    for line in answer.text.split(separator: "\n") where line.hasPrefix(name + "{") || line.hasPrefix(name + " ") {
      let end = try #require(line.lastIndex(of: " "))
      let value: Double = try #require(Double(String(line[line.index(after: end)...])))
      samples[String(line[..<end].dropFirst(name.count))] = value
    }
    return samples
  }

  @Test func `reads in the metrics what has been asked, and what waits`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 8))
    for _ in 0..<3 { #expect(try fount.curl("/v1/datasets/\(dataset)").status == 200) }
    #expect(try fount.curl("/v1/datasets/ds_none").status == 404)
    _ = try fount.submit(["kind": "train", "dataset": .string(dataset), "family": "made"])
    let counts = try samples(fount, "fount_http_request_seconds_count")
    #expect(counts["{method=\"GET\",route=\"/v1/datasets/{id}\",status=\"200\"}"] == 3)
    #expect(counts["{method=\"GET\",route=\"/v1/datasets/{id}\",status=\"404\"}"] == 1)
    #expect(counts["{method=\"POST\",route=\"/v1/datasets\",status=\"201\"}"] == 1)
    let buckets = try samples(fount, "fount_http_request_seconds_bucket").filter { $0.key.contains("datasets/{id}\",status=\"200\"") }
    #expect(buckets.count == 10 && buckets.first { $0.key.contains("+Inf") }?.value == 3)
    #expect(try samples(fount, "fount_jobs")["{status=\"queued\"}"] == 1)
    #expect(try samples(fount, "fount_queue_depth") == ["{queue=\"work\"}": 0, "{queue=\"samplers\"}": 0, "{queue=\"decoders\"}": 0])
    #expect(try samples(fount, "fount_http_connections")[""] == 1)
    #expect(try (samples(fount, "fount_http_shard_busy_seconds_total")["{shard=\"0\"}"] ?? 0) > 0)
    #expect(try fount.curl("/metrics?x=1").status == 400)
  }

  @Test func `finds a line for every answer in the access log, and no secret in it`() throws {
    let folder = try TemporaryFolder()
    let log = folder.path + "-log"
    defer { try? FileManager.default.removeItem(atPath: log) }  // A leftover harms nothing.
    let made = try Program.run(FountProcess.executable, ["key", "create", "--scope", "read", "--data", folder.path])
    let key = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let fount = try Program.run(
      "/bin/sh",
      [
        "-c",
        """
        "$0" serve --port 0 --data "$1" --access-log stderr --log-level error >"$2-out" 2>"$2" & pid=$!
        until grep -q listens "$2-out"; do sleep 0.05; done
        url=$(sed 's/.* on //' "$2-out")
        curl -sS -o /dev/null -A spider "$url/v1/jobs?limit=3" -H "Authorization: Bearer $3"
        curl -sS -o /dev/null "$url/v1/jobs" -H "Authorization: Bearer not-$3"
        curl -sS -o /dev/null --path-as-is "$url/%22%0a"
        kill $pid; wait $pid; rm "$2-out"
        """, FountProcess.executable, folder.path, log, key,
      ])
    #expect(fount.status == 0, "\(fount.errors)")
    let text = try String(contentsOfFile: log, encoding: .utf8)
    #expect(!text.contains(key.dropFirst(6)) && !text.contains("limit=3"))
    let lines = try text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    let jobs = lines.filter { $0["path"]?.string == "/v1/jobs" }
    #expect(jobs.map { $0["status"]?.integer } == [200, 401])
    #expect(jobs[0]["user_agent"]?.string == "spider" && jobs[0]["method"]?.string == "GET" && jobs[0]["route"]?.string == "/v1/jobs")
    #expect(jobs[0]["key"]?.string?.hasPrefix("key_") == true && jobs[1]["key"] == nil)
    #expect((jobs[0]["bytes"]?.integer ?? 0) > 10 && (jobs[0]["seconds"]?.number ?? 9) < 5)
    #expect(jobs[0]["remote"]?.string == "127.0.0.1" && jobs[0]["request_id"]?.string?.hasPrefix("req_") == true)
    #expect(lines.contains { $0["status"]?.integer == 400 })
  }

  @Test func `need not fear that a browser takes an answer for something else`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    for path in ["/version", "/v1/jobs", "/nowhere", "/v1/jobs/none"] {
      #expect(try fount.curl(path).headers["x-content-type-options"] == "nosniff", "\(path)")
    }
  }

  @Test func `saves the network's time: JSON and CSV go out under gzip`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let (plain, coded) = try (fount.curl("/v1/families"), fount.curl("/v1/families", "-H", "Accept-Encoding: gzip"))
    #expect(plain.headers["vary"] == "Accept-Encoding" && plain.headers["content-encoding"] == nil)
    #expect(coded.headers["content-encoding"] == "gzip" && coded.body.count * 2 < plain.body.count)
    let read = try fount.curl("/v1/families", "--compressed")
    #expect(read.body == plain.body)
  }
}
