import Foundation
import JSON
import Testing

/// What a job tells, over real sockets, restarts and children.
@Suite struct `A job's events` {
  /// Goes on until it is cancelled, with a checkpoint a second.
  private static func endlessJob(_ dataset: String) -> JSONValue {
    `The main job`.body(
      dataset,
      [
        "training": ["epochs": 100_000, "batch_size": 20, "learning_rate": 0.001, "checkpoint_every_seconds": 1],
        "configuration": ["hidden_layers": [256]],
      ])
  }

  private static func page(_ fount: FountProcess, _ id: String, _ query: String = "") throws -> JSONValue {
    try fount.curl("/v1/jobs/\(id)/events\(query)").json
  }

  @Test func `are a page of JSON, oldest first, with the samples that were made among them`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 10))
    let training: JSONValue = ["epochs": 6, "batch_size": 20, "learning_rate": 0.01, "sample_every_epochs": 3]
    let id = try #require(try fount.submit(`The main job`.body(dataset, ["training": training]))["id"]?.string)
    #expect(try fount.finish(id)["links"]?["events"] == .string("/v1/jobs/\(id)/events"))
    let page = try Self.page(fount, id)
    let events = try #require(page["data"]?.array)
    #expect(page["has_more"] == false && page["next"] == .null)
    let ids = events.compactMap { $0["id"]?.integer }
    #expect(ids == Array(Set(ids)).sorted() && ids.count == events.count)
    #expect(events.allSatisfy { $0["job"] == .string(id) && $0["at"]?.string != nil })
    func data(_ type: String) -> [JSONValue] { events.filter { $0["type"]?.string == type }.compactMap { $0["data"] } }
    #expect(data("status").compactMap { $0["status"]?.string } == ["queued", "running", "succeeded"])
    #expect(data("metrics").compactMap { $0["epoch"]?.integer } == [1, 2, 3, 4, 5, 6])
    #expect(data("metrics").allSatisfy { $0["metrics"]?["train_nats"]?.number != nil })
    #expect(!data("checkpoint").isEmpty && data("checkpoint").allSatisfy { $0["step"]?.integer != nil })
    #expect(data("samples").compactMap { $0["epoch"]?.integer } == [3, 6])
    for samples in data("samples") {
      let picture = try fount.curl(try #require(samples["picture"]?.string))
      #expect(picture.status == 200 && picture.headers["content-type"] == "image/png")
      #expect(Array(picture.body.prefix(4)) == [0x89, 0x50, 0x4E, 0x47])
    }
    #expect(try fount.curl("/v1/jobs/\(id)/samples/4.png").status == 404)

    var paged: [JSONValue] = []
    var query: String? = "?limit=4"
    while let asked = query {
      let part = try Self.page(fount, id, asked)
      paged += part["data"]?.array ?? []
      query = part["next"]?.string.map { "?limit=4&after=\($0)" }
    }
    #expect(paged == events)
  }

  @Test func `are refused where they are asked for wrongly`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let id = try #require(
      try fount.submit(`The main job`.body(try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))))["id"]?.string)
    let stream = ["-H", "Accept: text/event-stream"]
    #expect(try fount.curl("/v1/jobs/\(id)/samples/1.png").status == 404)
    #expect(try fount.curl("/v1/jobs/job_x/events").status == 404)
    #expect(try fount.curl("/v1/jobs/job_x/events", stream).status == 404)
    #expect(try fount.curl("/v1/jobs/\(id)/events?limit=0").status == 400)
    #expect(try fount.curl("/v1/jobs/\(id)/events?after=-1").status == 400)
    #expect(try fount.curl("/v1/jobs/\(id)/events?limit=3", stream).status == 400)
    #expect(try fount.curl("/v1/jobs/\(id)/events", "-H", "Accept: text/html").status == 406)
    for number in ["x", "-1", "99999999999999999999"] {
      #expect(try fount.curl("/v1/jobs/\(id)/events", stream + ["-H", "Last-Event-ID: \(number)"]).status == 400)
    }
    #expect(fount.isRunning)
  }

  @Test func `stream live until the job has finished, and are those of the page`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))
    let id = try #require(try fount.submit(Self.endlessJob(dataset))["id"]?.string)
    let clients = try (0..<3).map { _ in try EventClient(fount, job: id) }
    // Something happens before each of them while the job runs.
    for client in clients {
      while let event = try client.next(), event.type != "metrics" {}
    }
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    for client in clients {
      let rest = try client.rest()
      #expect(rest.last?.type == "status" && rest.last?.data["data"]?["status"] == "cancelled")
      #expect(client.endStatus == 0)
    }
    let late = try EventClient(fount, job: id)
    let all = try late.rest()
    #expect(late.endStatus == 0)
    var expected: [JSONValue] = []
    var next: String? = ""
    while let after = next {
      let page = try Self.page(fount, id, "?limit=1000" + after)
      expected += page["data"]?.array ?? []
      next = page["next"]?.string.map { "&after=\($0)" }
    }
    #expect(all.map(\.data) == expected)
    #expect(all.allSatisfy { $0.data["id"]?.integer == $0.id && $0.data["type"]?.string == $0.type })
    // What is over and heard is not worth coming back to.
    let last = try #require(all.last?.id)
    #expect(try fount.curl("/v1/jobs/\(id)/events", "-H", "Accept: text/event-stream", "-H", "Last-Event-ID: \(last)").status == 204)
  }

  @Test func `end with the job for a client that says it has more than there are, as after a restored backup`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let id = try #require(
      try fount.submit(`The main job`.body(try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))))["id"]?.string)
    let client = try EventClient(fount, job: id, after: 999_999_999)
    // Without events it has nothing to wait for before the end; that it listens is seen by those who listen.
    Thread.sleep(forTimeInterval: 0.3)
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    #expect(try client.rest().isEmpty)
    #expect(client.endStatus == 0)
  }

  @Test func `come each once to a client that goes on after a server was killed`() throws {
    let folder = try TemporaryFolder()
    var fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 5, copies: 20))
    let id = try #require(try fount.submit(Self.endlessJob(dataset))["id"]?.string)
    var heard: [StreamedEvent] = []
    for round in 0..<3 {
      let client = try EventClient(fount, job: id, after: heard.last?.id)
      let before = heard.count
      while let event = try client.next() {
        heard.append(event)
        if event.type == "checkpoint", heard.count > before + 1 { break }
      }
      if round == 2 {
        #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
        heard += try client.rest()
        #expect(client.endStatus == 0)
      } else if round == 1 {
        // A server that leaves ends its streams in good order.
        #expect(fount.stop() == 0)
        heard += try client.rest()
        #expect(client.endStatus == 0)
        fount = try FountProcess(data: folder.path)
      } else {
        fount.kill()
        heard += try client.rest()
        #expect(client.endStatus != 0)
        fount = try FountProcess(data: folder.path)
      }
    }
    // What attempts told twice is one point of the series.
    let steps = try fount.curl("/v1/jobs/\(id)/metrics").json["series"]?["train_nats"]?["step"]?.array?.compactMap(\.integer) ?? []
    #expect(steps.count > 3 && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
    let replayed = try EventClient(fount, job: id).rest()
    #expect(heard == replayed)
    let statuses = replayed.filter { $0.type == "status" }.compactMap { $0.data["data"]?["status"]?.string }
    #expect(statuses.suffix(2) == ["cancelling", "cancelled"])
    #expect(Set(replayed.map(\.id)).count == replayed.count)
  }

  @Test func `keep a silent stream alive`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let id = try #require(
      try fount.submit(`The main job`.body(try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))))["id"]?.string)
    let client = try EventClient(fount, job: id)
    #expect(try client.next()?.data["data"]?["status"] == "queued")
    Thread.sleep(forTimeInterval: 16)
    #expect(try fount.curl("/v1/jobs/\(id)/cancel", "-X", "POST").status == 202)
    #expect(try client.rest().map(\.type) == ["status"])
    #expect(client.comments.contains(": still here"))
  }
}
