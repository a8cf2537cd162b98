import ArgumentParser
import JSON
import Service

/// A list of the server's, a row each.
protocol ListCommand: ClientCommand {
  static var noun: String { get }
  static var heads: [String] { get }
  static func row(of item: JSONValue) -> [String]
  var query: [(String, String?)] { get }
}

extension ListCommand {
  func run(with client: FountClient) throws {
    let answer = try client.get(["v1", Self.noun], query)
    if server.json { return Console.print(answer: answer.body) }
    let page = try answer.json()
    let rows = (page["data"]?.array ?? []).map(Self.row)
    if rows.isEmpty { return Console.tell("there are no \(Self.noun)") }
    Console.print(TextColumns.aligned([Self.heads] + rows).dropLast(1).description)
    if let next = page["next"]?.string { Console.tell("more: --after \(next)") }
  }
}

/// Which page of a list.
struct PageOptions: ParsableArguments {
  @Option(help: "How many, at most 100 (default: 20).") var limit: Int?
  @Option(help: "Those after this one, as the page before told.") var after: String?

  var query: [(String, String?)] { [("limit", limit.map(String.init)), ("after", after)] }
}

struct JobsCommand: ListCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "Lists jobs, the newest first.", discussion: ClientExit.help)
  static let noun = "jobs"
  static let heads = ["JOB", "STATUS", "KIND", "FAMILY", "DONE", "NATS", "CREATED", "NAME"]

  @Option(help: "Those of one status alone.") var status: String?
  @Option(help: "Those of one family alone.") var family: String?
  @Option(help: "Those of one dataset alone.") var dataset: String?
  @OptionGroup var page: PageOptions
  @OptionGroup var server: ServerOptions

  var query: [(String, String?)] { [("status", status), ("family", family), ("dataset", dataset)] + page.query }

  static func row(of job: JSONValue) -> [String] {
    let (step, steps) = (job["progress"]?["step"]?.number, job["progress"]?["steps"]?.number ?? 0)
    let share = step.flatMap { steps > 0 ? "\(Int(min(1, $0 / steps) * 100)) %" : nil } ?? "–"
    let nats = ["nats", "validation_nats", "train_nats"].lazy.compactMap { job["metrics"]?[$0] }.first
    return [
      job["id"]?.string ?? "", job["status"]?.string ?? "", job["kind"]?.string ?? "", job["family"]?.string ?? "", share,
      Shown.number(nats),
      Shown.time(job["created_at"]), job["name"]?.string ?? "",
    ]
  }
}

struct ModelsCommand: ListCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Lists models, the newest first.", discussion: ClientExit.help)
  static let noun = "models"
  static let heads = ["MODEL", "FAMILY", "STEP", "NATS", "SHAPE", "DATASET", "CREATED"]

  @Option(help: "Those of one family alone.") var family: String?
  @Option(help: "Those of one dataset alone.") var dataset: String?
  @OptionGroup var page: PageOptions
  @OptionGroup var server: ServerOptions

  var query: [(String, String?)] { [("family", family), ("dataset", dataset)] + page.query }

  static func row(of model: JSONValue) -> [String] {
    let nats = ["validation_nats", "train_nats"].lazy.compactMap { model["metrics"]?[$0] }.first
    return [
      model["id"]?.string ?? "", model["family"]?.string ?? "", Shown.number(model["step"]), Shown.number(nats),
      model["shape"]?.serialized() ?? "", model["dataset"]?.string ?? "–", Shown.time(model["created_at"]),
    ]
  }
}

struct DatasetsCommand: ListCommand {
  static let configuration = CommandConfiguration(
    commandName: "datasets", abstract: "Lists datasets, the newest first.", discussion: ClientExit.help)
  static let noun = "datasets"
  static let heads = ["DATASET", "EXAMPLES", "SHAPE", "KIND", "FORMAT", "BYTES", "CREATED", "NAME"]

  @OptionGroup var page: PageOptions
  @OptionGroup var server: ServerOptions

  var query: [(String, String?)] { page.query }

  static func row(of dataset: JSONValue) -> [String] {
    [
      dataset["id"]?.string ?? "", Shown.number(dataset["count"]), dataset["shape"]?.serialized() ?? "",
      dataset["bits"] == true ? "bits" : dataset["element"]?.string ?? "", dataset["format"]?.string ?? "",
      Shown.bytes(dataset["bytes"]?.integer ?? 0), Shown.time(dataset["created_at"]), dataset["name"]?.string ?? "",
    ]
  }
}

struct FamiliesCommand: ListCommand {
  static let configuration = CommandConfiguration(
    commandName: "families", abstract: "Lists what can be trained.", discussion: ClientExit.help)
  static let noun = "families"
  static let heads = ["FAMILY", "TREE", "ABILITIES", "TITLE"]

  @OptionGroup var server: ServerOptions

  var query: [(String, String?)] { [] }

  static func row(of family: JSONValue) -> [String] {
    func words(_ name: String) -> [String] { family[name]?.array?.compactMap(\.string) ?? [] }
    return [
      family["name"]?.string ?? "", words("taxonomy").joined(separator: " › "), words("abilities").joined(separator: ", "),
      family["title"]?.string ?? "",
    ]
  }
}
