import ArgumentParser
import Foundation
import HTTP
import JSON

/// `fount train`: starts training, and follows it where asked.
struct TrainCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a model.",
    discussion: """
      The job is made of --file, then of the options, then of each --set. Prints the job's id or, with --watch, follows the job to its end.
      With --local it is always followed, for the server ends with the command; Ctrl-C lets it write a checkpoint.

      fount train --family made --dataset ds_… --set training.epochs=3 --set 'configuration.hidden_layers=[500]' --watch

      \(ClientExit.help)
      """)

  @Option(help: "The kind of model; fount families lists them.") var family: String?
  @Option(help: "The id of a dataset.") var dataset: String?
  @Option(help: "The id of another one to validate on.") var validationDataset: String?
  @Option(help: "Named values of the family's configuration: small or paper.") var preset: String?
  @Option(help: "What the job is called.") var name: String?
  @Option(help: "The seed that all randomness comes from.") var seed: Int?
  @OptionGroup var job: JobOptions
  @OptionGroup var server: ServerOptions

  func run(with client: FountClient) throws {
    var given: [(String, JSONValue)] = []
    for (path, text) in [
      ("family", family), ("dataset", dataset), ("validation_dataset", validationDataset), ("configuration.preset", preset), ("name", name),
    ] {
      if let text { given.append((path, .string(text))) }
    }
    if let seed { given.append(("seed", .integer(seed))) }
    try job.start(kind: "train", given, with: client, server)
  }
}

/// `fount evaluate MODEL`: measures a model on a dataset.
struct EvaluateCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Evaluates a model on a dataset.",
    discussion: """
      fount evaluate mdl_… --dataset ds_… --metrics nats,mmd,c2st --watch

      \(ClientExit.help)
      """)

  @Argument(help: "The id of a model.") var model: String
  @Option(help: "The id of a dataset.") var dataset: String?
  @Option(help: "What to measure, with commas between (default: what the model admits).") var metrics: String?
  @Option(help: "What the job is called.") var name: String?
  @Option(help: "The seed that all randomness comes from.") var seed: Int?
  @OptionGroup var job: JobOptions
  @OptionGroup var server: ServerOptions

  func run(with client: FountClient) throws {
    var given: [(String, JSONValue)] = [("model", .string(model))]
    if let dataset { given.append(("dataset", .string(dataset))) }
    if let metrics { given.append(("metrics", .array(metrics.split(separator: ",").map { .string(String($0)) }))) }
    if let name { given.append(("name", .string(name))) }
    if let seed { given.append(("seed", .integer(seed))) }
    try job.start(kind: "evaluate", given, with: client, server)
  }
}

/// What commands that start a job share.
struct JobOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), help: ArgumentHelp("A field of the job, as in training.epochs=3; may be repeated.", valueName: "path=value"))
  var settings: [String] = []
  @Option(help: ArgumentHelp("The job as JSON; - reads it from standard input.", valueName: "file"), completion: .file()) var file: String?
  @Flag(help: "Follow the job to its end.") var watch = false
  @Flag(help: "Only check, and print the job with every default filled in.") var dryRun = false

  func start(kind: String, _ given: [(String, JSONValue)], with client: FountClient, _ server: ServerOptions) throws {
    var body = JobBody(try file.map(JobBody.read) ?? [:])
    try body.set("kind", .string(kind))
    for (path, value) in given { try body.set(path, value) }
    for setting in settings { try body.set(assignment: setting) }
    let answer = try client.post(
      ["v1", "jobs"], [("dry_run", dryRun ? "1" : nil)], body: .bytes(JSONValue.object(body.fields).serializedBytes()))
    if dryRun { return Console.print(answer: answer.body) }
    let job = try answer.json()
    guard let id = job["id"]?.string else { throw ClientFailure(ClientExit.unavailable, "the server names no job") }
    guard watch || server.local else {
      return server.json ? Console.print(answer: answer.body) : Console.print(id)
    }
    try JobWatching(client: client, isForPrograms: server.json).follow(id)
  }
}

/// A job on its way to the server.
struct JobBody {
  private(set) var fields: JSONObject

  init(_ fields: JSONObject) { self.fields = fields }

  /// The object in a file.
  static func read(_ file: String) throws -> JSONObject {
    let bytes: Data
    do {
      bytes = file == "-" ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(fileURLWithPath: file))
    } catch {
      throw ClientFailure(ClientExit.noInput, "\(file) can't be read")
    }
    do {
      guard let object = try JSONValue(parsing: Array(bytes)).object else {
        throw ClientFailure(ClientExit.refused, "\(file) must hold a JSON object")
      }
      return object
    } catch let error as JSONSyntaxError {
      throw ClientFailure(ClientExit.refused, "\(file): \(error)")
    }
  }

  /// `training.epochs=3`: the value as JSON where it is JSON, else as a text.
  mutating func set(assignment: String) throws {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw ClientFailure(ExitCode.validationFailure, "--set must be as in training.epochs=3; was \(assignment)")
    }
    try set(parts[0], (try? JSONValue(parsing: parts[1])) ?? .string(parts[1]))  // What is no JSON is a text.
  }

  /// - Parameter path: names with dots between.
  mutating func set(_ path: String, _ value: JSONValue) throws {
    let names = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard names.allSatisfy({ !$0.isEmpty }) else { throw ClientFailure(ExitCode.validationFailure, "--set: \(path) is no path of names") }
    fields = try Self.setting(names[...], to: value, in: fields, path)
  }

  private static func setting(_ names: ArraySlice<String>, to value: JSONValue, in object: JSONObject, _ path: String) throws -> JSONObject
  {
    guard let name = names.first else { return object }
    var object = object
    if names.count == 1 {
      object[name] = value
    } else {
      let inner = object[name] ?? [:]
      guard let members = inner.object else {
        throw ClientFailure(ExitCode.validationFailure, "--set: \(path) leads into \(name), which is \(inner.kindName)")
      }
      object[name] = .object(try setting(names.dropFirst(), to: value, in: members, path))
    }
    return object
  }
}
