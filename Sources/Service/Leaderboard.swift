import Foundation
import JSON
import Jobs

/// Every model that was evaluated on one dataset, the best first, for each metric.
struct Leaderboard {
  /// Which of two values of a metric is the better one.
  enum Better: Sendable, Equatable {
    case less
    case more
    case nearer(to: Double)

    /// Nats and discrepancies want to be small, shares large; a classifier should be right half of the time, and samples as far from the
    /// training examples, and as dense, as new data are.
    init(metric: String) {
      self =
        switch metric {
        case "precision", "recall", "coverage": .more
        case "c2st": .nearer(to: 0.5)
        case "memorization", "density": .nearer(to: 1)
        default: .less
        }
    }

    /// Smaller for better values.
    func rank(_ value: Double) -> Double {
      switch self {
      case .less: value
      case .more: -value
      case .nearer(let aim): abs(value - aim)
      }
    }

    var text: String {
      switch self {
      case .less: "less"
      case .more: "more"
      case .nearer(let aim): "nearer to \(JSONValue.number(aim).serialized())"
      }
    }
  }

  private struct Entry {
    let model: String
    let value: Double
    let json: JSONObject
  }

  private var entries: [String: [Entry]] = [:]

  /// - Parameter jobs: evaluations that succeeded, the newest first; of a model's several the newest counts.
  init(of jobs: [JobRecord]) {
    for job in jobs where job.kind == "evaluate" {
      guard let model = job.model else { continue }
      for result in job.result?.array ?? [] {
        guard let metric = result["metric"]?.string, let value = result["value"]?.number,
          !(entries[metric] ?? []).contains(where: { $0.model == model })
        else { continue }
        var json: JSONObject = [
          "model": .string(model), "family": JSONValue(job.family), "value": .number(value), "interval": result["interval"] ?? .null,
        ]
        json["settings"] = result["settings"] ?? [:]
        json["job"] = .string(job.id)
        json["evaluated_at"] = (job.history.last?.at ?? job.createdAt).rfc3339
        entries[metric, default: []].append(Entry(model: model, value: value, json: json))
      }
    }
  }

  /// By metric: what is better, and the models with their ranks; equals share one.
  var json: JSONValue {
    var metrics = JSONObject()
    for metric in entries.keys.sorted() {
      let better = Better(metric: metric)
      let sorted = (entries[metric] ?? []).enumerated().sorted {
        let (a, b) = (better.rank($0.element.value), better.rank($1.element.value))
        return a < b || a == b && $0.offset > $1.offset
      }
      let ranks = sorted.map { better.rank($0.element.value) }
      let rows = sorted.enumerated().map { place, entry -> JSONValue in
        var row: JSONObject = ["rank": .integer((ranks.firstIndex(of: ranks[place]) ?? place) + 1)]
        for (key, value) in entry.element.json { row[key] = value }
        return .object(row)
      }
      metrics[metric] = ["better": .string(better.text), "models": .array(rows)]
    }
    return .object(metrics)
  }
}
