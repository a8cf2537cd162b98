import JSON
import Service

/// A job in some lines.
struct JobCard {
  let job: JSONValue
  var curve = Sparkline()

  func print() {
    var rows = [("job", job["id"]?.string ?? "")]
    if let name = job["name"]?.string { rows.append(("name", name)) }
    rows.append(("status", status))
    rows.append((job["kind"]?.string ?? "", "\(job["family"]?.string ?? "")  on \(job["dataset"]?.string ?? "")"))
    rows.append(("model", job["model"]?.string ?? ""))
    rows.append(("seed", Shown.number(job["seed"])))
    for (name, value) in job["metrics"]?.object ?? [:] where job["results"]?.array?.isEmpty != false {
      rows.append((name, Shown.number(value)))
    }
    for result in job["results"]?.array ?? [] { rows.append((result["metric"]?.string ?? "", Self.result(result))) }
    if !curve.text.isEmpty { rows.append(("curve", curve.text)) }
    if let error = job["error"], !error.isNull {
      rows.append(("error", "\(error["reason"]?.string ?? ""): \(error["detail"]?.string ?? "")"))
    }
    Console.print(TextColumns.aligned(rows.map { [$0.0, $0.1] }).dropLast(1).description)
  }

  private var status: String {
    let status = job["status"]?.string ?? ""
    if let queue = job["queue"], !queue.isNull { return "\(status): \(queue["detail"]?.string ?? "")" }
    guard let progress = job["progress"], let steps = progress["steps"]?.number, steps > 0, let step = progress["step"]?.number else {
      return status
    }
    return step < steps ? "\(status), \(Int(step / steps * 100)) %" : status
  }

  /// A value with its interval.
  private static func result(_ result: JSONValue) -> String {
    let ends = result["interval"]?.array?.map(Shown.number) ?? []
    return Shown.number(result["value"]) + (ends.count == 2 ? "  (95 %: \(ends[0]) to \(ends[1]))" : "")
  }
}
