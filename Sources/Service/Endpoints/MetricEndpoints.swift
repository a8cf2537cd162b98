import Files
import HTTP
import HTTPTypes
import Images
import JSON
import Jobs
import Training

/// How a job's numbers have gone: as series, and as a picture.
extension FountService {
  /// Far more than a screen has pixels; of a longer series every so-many-th value is told, and of how many.
  private static let pointsMax = 20_000
  private static let csv = "text/csv"

  func listMetrics(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let job = try job(named: request.parameters["id"])
    let form = ContentNegotiation.choose(["application/json", Self.csv], accept: request.headers[.accept])
    guard let form else { throw Problem(.notAcceptable, "metrics are given as application/json or \(Self.csv)") }
    let (events, every) = try record.metrics(of: job.id, countMax: Self.pointsMax)
    let series = MetricSeries(events)
    let headers: HTTPFields = [.cacheControl: "no-store", .vary: "Accept"]
    guard form == Self.csv else {
      return .json(["job": .string(job.id), "every": .integer(every), "series": series.json], headers: headers)
    }
    var table = headers
    table[.contentType] = "text/csv; charset=utf-8; header=present"
    return Response(status: .ok, headers: table, body: .bytes(Array(series.csv.utf8)))
  }

  /// The learning curve: loss or nats of training and validation, over epochs.
  func drawCurve(_ request: Request) throws -> Response {
    let query = QueryReader(request)
    let width = query.integer("width", in: LineChart.sides) ?? 800
    let height = query.integer("height", in: LineChart.sides) ?? 480
    try query.finish()
    let job = try job(named: request.parameters["id"])
    guard job.kind == "train" else { throw Problem(.conflict, "a job that evaluates has no learning curve") }
    let series = MetricSeries(try record.metrics(of: job.id, countMax: Self.pointsMax).events)
    let lines = series.names.filter { !$0.hasSuffix("bits_per_dim") }.map { name in
      LineChart.Line(
        name: name,
        points: series.points.compactMap { point in point.values[name].map { (x: point.epochs ?? Double(point.step), y: $0) } })
    }
    let title = "\(job.name ?? job.id) \(job.family ?? "")"
    let chart = LineChart(
      title: String(title.prefix(60)), xName: "epoch", yName: lines.contains { $0.name.hasSuffix("loss") } ? "loss" : "nats", lines: lines,
      width: width, height: height)
    let texts = [(keyword: "job", text: job.id), (keyword: "step", text: String(series.points.last?.step ?? 0))]
    let png = encodePNG(try chart.picture(), text: texts)
    return Response(status: .ok, headers: [.contentType: "image/png", .cacheControl: "no-store"], body: .bytes(png))
  }

  /// The picture that a run made at the end of an epoch, which an event names.
  func showEpochSamples(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let job = try job(named: request.parameters["id"])
    let text = request.parameters["epoch"] ?? ""
    guard let epoch = Int(text), epoch >= 1, String(epoch) == text,
      let file = try folder.openedFile("\(folder.jobs)/\(job.id)/\(EpochSamples.name(epoch: epoch))")
    else {
      let epochs = try EpochSamples.epochs(in: "\(folder.jobs)/\(job.id)").map(String.init)
      let those = epochs.isEmpty ? "it has none yet" : "it has those of \(epochs.joined(separator: ", ")), of a long run a part"
      throw Problem(.notFound, "the job has no samples of the end of epoch \(text.prefix(60)); \(those)")
    }
    return Response(
      status: .ok, headers: [.contentType: "image/png", .cacheControl: "private, no-cache"], body: .file(file, 0..<file.count))
  }
}
