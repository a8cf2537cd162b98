import Foundation
import JSON
import Testing

@Suite struct `A job's metrics` {
  private static func trained(_ fount: FountProcess, epochs: Int = 5) throws -> String {
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 10))
    let training: JSONValue = ["epochs": .integer(epochs), "batch_size": 20, "learning_rate": 0.01, "validation_fraction": 0.2]
    let id = try #require(try fount.submit(`The main job`.body(dataset, ["training": training]))["id"]?.string)
    try fount.finish(id)
    return id
  }

  @Test func `are series over steps, as JSON and as CSV that Python reads alike`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let id = try Self.trained(fount)
    let answer = try fount.curl("/v1/jobs/\(id)/metrics")
    #expect(try answer.status == 200 && answer.json["every"] == 1)
    let series = try #require(try answer.json["series"]?.object)
    #expect(Set(series.keys) == ["train_nats", "validation_nats", "validation_bits_per_dim"])
    for name in series.keys {
      #expect(series[name]?["epoch"] == [1, 2, 3, 4, 5])
      let steps = series[name]?["step"]?.array?.compactMap(\.integer) ?? []
      #expect(steps.count == 5 && steps == steps.sorted() && Set(steps).count == 5)
      #expect(series[name]?["value"]?.array?.compactMap(\.number).count == 5)
    }
    #expect(try series["train_nats"]?["value"]?.array?.last == fount.job(id)["metrics"]?["train_nats"])
    let table = try fount.curl("/v1/jobs/\(id)/metrics", "-H", "Accept: text/csv")
    #expect(table.headers["content-type"]?.hasPrefix("text/csv") == true)
    try table.body.write(to: URL(fileURLWithPath: folder.path + "/metrics.csv"))
    try answer.body.write(to: URL(fileURLWithPath: folder.path + "/metrics.json"))
    let script = """
      import csv, json, sys
      rows = list(csv.DictReader(open(sys.argv[1] + "/metrics.csv", newline="")))
      series = json.load(open(sys.argv[1] + "/metrics.json"))["series"]
      assert len(rows) == 5
      for name, s in series.items():
          assert [float(r[name]) for r in rows] == s["value"], name
          assert [int(r["step"]) for r in rows] == s["step"]
      """
    let python = try Program.run("/usr/bin/python3", ["-c", script, folder.path])
    #expect(python.status == 0, "\(python.errors)")
    #expect(try fount.curl("/v1/jobs/\(id)/metrics", "-H", "Accept: image/png").status == 406)
    #expect(try fount.curl("/v1/jobs/job_x/metrics").status == 404)
  }

  @Test func `are drawn as a curve that other programs read`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let id = try Self.trained(fount)
    let curve = try fount.curl("/v1/jobs/\(id)/curve.png?width=640&height=300")
    #expect(curve.status == 200 && curve.headers["content-type"] == "image/png")
    try curve.body.write(to: URL(fileURLWithPath: folder.path + "/curve.png"))
    #expect(try Program.run("/usr/bin/pngcheck", ["-q", "\(folder.path)/curve.png"]).status == 0)
    let script = """
      import sys
      from PIL import Image
      i = Image.open(sys.argv[1] + "/curve.png")
      assert i.size == (640, 300) and i.mode == "RGB", (i.size, i.mode)
      colours = {c for n, c in i.getcolors(1 << 24) if n > 20}
      assert (0, 114, 178) in colours and (213, 94, 0) in colours, colours
      """
    let python = try Program.run("/usr/bin/python3", ["-c", script, folder.path])
    #expect(python.status == 0, "\(python.errors)")
    #expect(try fount.job(id)["links"]?["curve"] == .string("/v1/jobs/\(id)/curve.png"))
    for query in ["width=0", "width=100000", "height=-1", "width=x", "size=3"] {
      #expect(try fount.curl("/v1/jobs/\(id)/curve.png?\(query)").status == 400)
    }
    let model = try #require(try fount.job(id)["model"])
    let dataset = try #require(try fount.job(id)["dataset"])
    let evaluation = try #require(try fount.submit(["kind": "evaluate", "model": model, "dataset": dataset])["id"]?.string)
    #expect(try fount.curl("/v1/jobs/\(evaluation)/curve.png").status == 409)
  }

  @Test func `before there are any make an empty answer and an empty picture`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    let id = try #require(
      try fount.submit(`The main job`.body(try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 4))))["id"]?.string)
    #expect(try fount.curl("/v1/jobs/\(id)/metrics").json["series"] == [:])
    #expect(try fount.curl("/v1/jobs/\(id)/metrics", "-H", "Accept: text/csv").text == "step,epoch,at\r\n")
    #expect(try fount.curl("/v1/jobs/\(id)/curve.png").status == 200)
  }
}
