import Foundation
import JSON
import Testing

/// Rules and dashboard against a server: a metric, a label or a status that it does not give would alert nobody, and draw nothing.
@Suite struct `What is monitored` {
  /// Every metric that `/metrics` gives, with the names of its labels, and the statuses that it tells of jobs.
  private struct Given {
    var labels: [String: Set<String>] = [:]
    var jobStatuses: Set<String> = []

    init(_ text: String) throws {
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        let name = String(line.prefix { $0 != "{" && $0 != " " })
        let found = line.matches(of: /([a-z_]+)="([^"]*)"/)
        // What Prometheus adds by itself.
        labels[name, default: ["instance", "job"]].formUnion(found.map { String($0.output.1) })
        if name == "fount_jobs" { jobStatuses.formUnion(found.map { String($0.output.2) }) }
      }
    }
  }

  private static func given() throws -> Given {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0"])
    #expect(try fount.curl("/v1/jobs").status == 200)
    return try Given(fount.curl("/metrics").text)
  }

  /// The expressions of the dashboard's panels, and the texts of the rules as they are.
  private static func expressions(_ file: String) throws -> [String] {
    let text = try DeployFolder.text(file)
    guard file.hasSuffix(".json") else { return [text] }
    let panels = try #require(try JSONValue(parsing: Array(text.utf8))["panels"]?.array)
    return panels.flatMap { $0["targets"]?.array ?? [] }.compactMap { $0["expr"]?.string }
  }

  @Test(arguments: ["prometheus/rules.yaml", "grafana/dashboard.json"])
  func `is what the server gives, by the labels that it has`(file: String) throws {
    let given = try Self.given()
    var used: Set<String> = []
    for expression in try Self.expressions(file) {
      for match in expression.matches(of: /\bfount_[a-z_0-9]+\b(\{[^}]*(?:\\+\}[^}]*)*\})?/) {
        let name = String(match.output.0.prefix { $0 != "{" })
        // The sizes of settings and tools' own texts have no such prefix.
        let labels = try #require(given.labels[name], "\(file) names \(name)")
        used.insert(name)
        for selector in (match.output.1 ?? "").matches(of: /([a-z_]+)(?:=~|!~|!=|=)"([^"]*)"/) {
          #expect(labels.contains(String(selector.output.1)), "\(name) has no label \(selector.output.1)")
          guard name == "fount_jobs", selector.output.1 == "status" else { continue }
          let statuses = selector.output.2.split(separator: "|").map(String.init)
          #expect(given.jobStatuses.isSuperset(of: statuses), "\(statuses)")
        }
      }
    }
    #expect(used.count >= 8)
  }

  @Test func `on the dashboard is everything that the server gives`() throws {
    let text = try Self.expressions("grafana/dashboard.json").joined(separator: "\n")
    for name in try Self.given().labels.keys {
      let metric = name.replacing(/_(sum|count|bucket)$/, with: "")
      #expect(text.contains(metric), "\(metric)")
    }
  }

  @Test func `is laid out without gaps in what a panel needs, and no panel covers another`() throws {
    let dashboard = try JSONValue(parsing: Array(DeployFolder.text("grafana/dashboard.json").utf8))
    let panels = try #require(dashboard["panels"]?.array)
    #expect(Set(panels.compactMap { $0["id"]?.integer }).count == panels.count)
    var taken: Set<[Int]> = []
    for panel in panels {
      let place = try #require(panel["gridPos"])
      let sides = try ["x", "y", "w", "h"].map { try #require(place[$0]?.integer) }
      #expect(sides[0] >= 0 && sides[0] + sides[2] <= 24, "the grid has 24 columns")
      for x in sides[0]..<sides[0] + sides[2] {
        for y in sides[1]..<sides[1] + sides[3] { #expect(taken.insert([x, y]).inserted, "\(panel["title"]?.string ?? "?")") }
      }
      guard panel["type"] != "row" else { continue }
      #expect(panel["title"]?.string?.isEmpty == false && panel["targets"]?.array?.isEmpty == false)
      #expect(panel["datasource"]?["uid"] == "${datasource}" && panel["fieldConfig"]?["defaults"]?["unit"]?.string != nil)
    }
  }
}
