import Foundation
import JSON
import Jobs

/// The metrics that a job has told, as series over its steps.
///
/// An attempt that went on from a checkpoint tells again what the one before had told after it, to the same digits: of each step the last
/// telling counts.
struct MetricSeries {
  struct Point {
    var step: Int
    /// Epochs done, where they are whole.
    var epoch: Int?
    /// Epochs done as a number: within one, steps over the steps of an epoch.
    var epochs: Double?
    var at: Date
    var values: [String: Double]
  }

  /// In the order of their steps.
  let points: [Point]
  /// Names in the order in which they were first told.
  let names: [String]

  init(_ events: [JobEvent]) {
    var byStep: [Int: Point] = [:]
    var names: [String] = []
    for event in events {
      guard let metrics = event.body["metrics"]?.object, let step = event.body["progress"]?["step"]?.integer else { continue }
      var values: [String: Double] = [:]
      for (name, value) in metrics {
        guard let number = value.number else { continue }
        values[name] = number
        if !names.contains(name) { names.append(name) }
      }
      let progress = event.body["progress"]
      var epochs = event.body["epoch"]?.number
      if epochs == nil, let all = progress?["epochs"]?.number, let steps = progress?["steps"]?.number, steps > 0 {
        epochs = Double(step) * all / steps
      }
      byStep[step] = Point(step: step, epoch: event.body["epoch"]?.integer, epochs: epochs, at: event.at, values: values)
    }
    points = byStep.values.filter { !$0.values.isEmpty }.sorted { $0.step < $1.step }
    self.names = names
  }

  /// `{"train_nats": {"step": […], "epoch": […], "value": […]}, …}`: arrays of one length, as plotting programs take them.
  var json: JSONValue {
    var series = JSONObject()
    for name in names {
      let told = points.filter { $0.values[name] != nil }
      series[name] = [
        "step": .array(told.map { .integer($0.step) }), "epoch": .array(told.map { JSONValue($0.epoch) }),
        "value": .array(told.map { JSONValue($0.values[name]) }),
      ]
    }
    return .object(series)
  }

  /// RFC 4180, with a header line; a value that was not told is empty.
  var csv: String {
    var text = (["step", "epoch", "at"] + names).joined(separator: ",") + "\r\n"
    for point in points {
      let cells = [String(point.step), point.epoch.map(String.init) ?? "", point.at.rfc3339.string ?? ""]
      text += (cells + names.map { point.values[$0].map { JSONValue.number($0).serialized() } ?? "" }).joined(separator: ",") + "\r\n"
    }
    return text
  }
}
