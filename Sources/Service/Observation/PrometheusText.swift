/// Metrics in Prometheus' text format, version 0.0.4.
struct PrometheusText {
  enum Kind: String { case counter, gauge, histogram }

  static let contentType = "text/plain; version=0.0.4; charset=utf-8"
  private(set) var text = ""

  /// Begins a metric; its samples follow.
  mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  /// A metric that has but one sample.
  mutating func add(_ name: String, _ value: Double) { text += "\(name) \(Self.number(value))\n" }

  mutating func add(_ name: String, _ labels: [(String, String)], _ value: Double) {
    let told = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
    text += "\(name){\(told)} \(Self.number(value))\n"
  }

  /// A histogram's buckets hold those below them.
  mutating func add(_ name: String, _ labels: [(String, String)], bounds: [Double], _ histogram: RequestMetrics.Histogram) {
    var below = 0
    for (index, bound) in bounds.enumerated() {
      below += histogram.counts[index]
      add("\(name)_bucket", labels + [("le", Self.number(bound))], Double(below))
    }
    add("\(name)_bucket", labels + [("le", "+Inf")], Double(histogram.count))
    add("\(name)_sum", labels, histogram.sumSeconds)
    add("\(name)_count", labels, Double(histogram.count))
  }

  private static func number(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? String(value) }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
