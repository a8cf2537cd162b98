import Foundation
import JSON
import Testing

@Suite struct `Lists and descriptions` {
  @Test func `page through jobs newest first, each once`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "1"])
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 2))
    let submitted = try (0..<5).map { try fount.submit(`The main job`.body(dataset, ["name": "job \($0)"]))["id"] }
    var seen: [JSONValue?] = []
    var path: String? = "/v1/jobs?limit=2"
    while let next = path {
      let answer = try fount.curl(next)
      let page = try answer.json
      seen += (page["data"]?.array ?? []).map { $0["id"] }
      path = page["next"]?.string.map { "/v1/jobs?limit=2&after=\($0)" }
      #expect(page["has_more"] == .bool(path != nil))
      if let path { #expect(answer.headers["link"] == "<\(path)>; rel=\"next\"") }
    }
    #expect(seen == submitted.reversed())
    for job in submitted { try fount.finish(job?.string ?? "") }
    #expect(try fount.curl("/v1/jobs?status=succeeded&family=made&dataset=\(dataset)").json["data"]?.array?.count == 5)
    #expect(try fount.curl("/v1/jobs?status=failed").json["data"] == [])
  }

  @Test func `the same upload twice is one dataset, also gzipped ones are read`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let bars = SampleData.barsAndStripes(side: 4, copies: 2)
    let (first, second) = (try fount.upload(bars, query: "?name=a"), try fount.upload(bars, query: "?name=b"))
    #expect(first.status == 201 && second.status == 200)
    #expect(try first.json == second.json)
    #expect(first.headers["location"] == second.headers["location"])
    let file = folder.path + "/bars"
    try Data(bars).write(to: URL(fileURLWithPath: file))
    #expect(try Program.run("/bin/gzip", [file]).status == 0)
    let zipped = try fount.curl("/v1/datasets", "-T", file + ".gz", "-X", "POST")
    #expect(zipped.status == 201)
    #expect(try zipped.json["count"] == first.json["count"])
    #expect(try fount.curl("/v1/datasets").json["data"]?.array?.count == 2)
  }

  @Test func `tell families with their schema, place and paper`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let made = try fount.curl("/v1/families/made").json
    #expect(made["taxonomy"] == ["explicit", "tractable"])
    #expect(made["configuration"]?["properties"]?["hidden_layers"]?["default"] != nil)
    #expect(made["paper"]?.string?.contains("Germain") == true)
    #expect(try fount.curl("/v1/families").json["data"]?.array?.contains(made) == true)
  }

  @Test func `a dry run checks a job and starts none`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 2))
    let answer = try fount.post("/v1/jobs?dry_run=1", `The main job`.body(dataset))
    #expect(answer.status == 200)
    #expect(try answer.json["request"]?["training"]?["epochs"] == 30)
    #expect(try fount.curl("/v1/jobs").json["data"] == [])
  }

  @Test func `a server is alive and ready, and tells its version`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    #expect(try fount.curl("/livez").status == 200)
    #expect(try fount.curl("/readyz").status == 200)
    #expect(try fount.curl("/version").json["kernel_set"]?.string?.isEmpty == false)
  }

  @Test func `a table's samples are rows`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let values = (0..<200).flatMap { row in (0..<6).map { UInt8((row >> ($0 % 3)) & 1) } }
    let model = try `The main job`.trainedModel(fount, SampleData.idx([200, 6], values))
    let rows = try fount.curl("/v1/models/\(model)/samples?count=3&seed=2")
    #expect(rows.headers["content-type"] == "application/json")
    #expect(try fount.curl("/v1/models/\(model)/samples?count=3&seed=2", "-H", "Accept: image/png").status == 406)
    #expect(try fount.curl("/v1/models/\(model)/samples/0.png?seed=2").status == 409)
  }
}
