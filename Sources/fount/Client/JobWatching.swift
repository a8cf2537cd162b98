import ArgumentParser
import Foundation
import HTTP
import JSON

/// Follows a job to its end: a bar and a curve on a terminal, plain lines elsewhere, the events themselves for programs.
struct JobWatching {
  let client: FountClient
  let isForPrograms: Bool

  /// How often a bar moves; chosen.
  private static let refreshMilliseconds: Int32 = 500

  /// Returns the job as it ended; one that failed or was cancelled ends the command.
  func follow(_ id: String) throws {
    var stream = EventStream(of: id, from: client)
    var told = JobStory(id: id)
    let draws = !isForPrograms && Console.tellsTerminal
    var drawnAt = ContinuousClock.now
    while !stream.isOver {
      if let event = try stream.next(withinMilliseconds: Self.refreshMilliseconds) {
        if isForPrograms { Console.print(event.serialized()) }
        let lines = told.hear(event)
        if !isForPrograms, !draws { lines.forEach(Console.print) }
      }
      // Events of a quick job come without a pause.
      if draws, !stream.isOver, .now - drawnAt >= .milliseconds(Int(Self.refreshMilliseconds)) {
        Console.redraw(told.line(of: try job(id)))
        drawnAt = .now
      }
    }
    try end(id, told, draws)
  }

  private func job(_ id: String) throws -> JSONValue { try client.get(["v1", "jobs", id]).json() }

  private func end(_ id: String, _ told: JobStory, _ draws: Bool) throws {
    let answer = try client.get(["v1", "jobs", id])
    let job = try answer.json()
    if isForPrograms {
      Console.print(answer: answer.body)
    } else {
      if draws { Console.redraw("") }
      JobCard(job: job, curve: told.curve).print()
    }
    guard job["status"] == "succeeded" else {
      if !isForPrograms { Console.tell("fount: the job \(id) is \(job["status"]?.string ?? "gone")") }
      throw ClientExit.jobFailed
    }
  }
}

/// What has been heard of a job, and how it is told in a line.
struct JobStory {
  let id: String
  private(set) var curve = Sparkline()
  private var status = ""

  init(id: String) { self.id = id }

  /// The lines that an event is worth where nobody redraws one.
  mutating func hear(_ event: JSONValue) -> [String] {
    let data = event["data"] ?? .null
    switch event["type"]?.string {
    case "status":
      status = data["status"]?.string ?? ""
      return ["\(id) \(status)"]
    case "metrics":
      let metrics = data["metrics"]?.object ?? [:]
      guard let epoch = data["epoch"]?.integer else { return [] }
      if let leading = Self.leading(metrics) { curve.values.append(leading) }
      return ["epoch \(epoch)/\(Shown.number(data["progress"]?["epochs"]))  \(Self.shown(metrics))"]
    case "warning": return ["warning: \(data["detail"]?.string ?? "")"]
    default: return []
    }
  }

  /// The number whose way is the learning curve.
  private static func leading(_ metrics: JSONObject) -> Double? {
    ["validation_nats", "train_nats", "train_loss"].lazy.compactMap { metrics[$0]?.number }.first
  }

  static func shown(_ metrics: JSONObject) -> String { metrics.map { "\($0.key) \(Shown.number($0.value))" }.joined(separator: "  ") }

  /// Where it stands, in a terminal's line.
  func line(of job: JSONValue) -> String {
    let progress = job["progress"]
    guard let steps = progress?["steps"]?.number, steps > 0, let step = progress?["step"]?.number else {
      return "\(id) \(job["status"]?.string ?? status): \(job["queue"]?["detail"]?.string ?? "…")"
    }
    let share = min(1, step / steps)
    let eta = progress?["eta_seconds"]?.number.map { ", \(Shown.duration($0)) left" } ?? ""
    let epochs = progress?["epochs"].map { " epoch \(Shown.number(progress?["epoch"]))/\(Shown.number($0))" } ?? ""
    let bar = ProgressBar.shown(share)
    let metrics = (job["metrics"]?.object ?? [:]).filter { $0.key.hasSuffix("nats") || $0.key.hasSuffix("loss") }.last
    let newest = metrics.map { "  \($0.key) \(Shown.number($0.value))" } ?? ""
    return "\(job["status"]?.string ?? status) \(bar) \(Int(share * 100)) %\(epochs)\(eta)\(newest) \(curve.text)"
  }
}

enum ProgressBar {
  private static let cells = 20

  /// - Parameter share: 0…1.
  static func shown(_ share: Double) -> String {
    let full = Int((share * Double(cells)).rounded(.down))
    return String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
  }
}

/// A curve in a line of text: eight heights, from the least of its values to the greatest.
struct Sparkline {
  var values: [Double] = []

  private static let heights = Array("▁▂▃▄▅▆▇█")
  private static let cells = 24

  var text: String {
    guard let least = values.min(), let greatest = values.max() else { return "" }
    let count = min(values.count, Self.cells)
    return String(
      (0..<count).map { cell -> Character in
        // The last cell is the last value.
        let value = values[(cell + 1) * values.count / count - 1]
        guard greatest > least else { return Self.heights[0] }
        return Self.heights[Int(((value - least) / (greatest - least) * Double(Self.heights.count - 1)).rounded())]
      })
  }
}
