import ArgumentParser
import Foundation
import HTTPTypes
import JSON

/// `fount sample MODEL -o grid.png`: draws samples into a file.
struct SampleCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draws samples from a model.",
    discussion: "The same model, seed and options give the same bytes.\n\n\(ClientExit.help)")

  /// What an answer may be, by the end of the file's name.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case png, npy, json

    var mediaType: String {
      switch self {
      case .png: "image/png"
      case .npy: "application/x-npy"
      case .json: "application/json"
      }
    }
  }

  @Argument(help: "The id of a model.") var model: String
  @Option(name: .shortAndLong, help: "The file to write; - is standard output.", completion: .file()) var output: String
  @Option(help: "png, npy or json (default: as the file's name ends, else png).") var format: Format?
  @Option(help: "How many (default: 16).") var count: Int?
  @Option(help: "The seed (default: one that is drawn, and told).") var seed: Int?
  @Option(help: "Pictures in a row.") var columns: Int?
  @Option(help: "Every pixel becomes a square with sides of so many.") var scale: Int?
  @Option(help: "1 draws from the model itself; less is less varied.") var temperature: Double?
  @Option(help: "The step of a kept checkpoint.") var step: Int?
  @Option(help: "Of families that draw by Markov chains: steps before the first sample.") var burnIn: Int?
  @Option(help: "One chain, with so many steps between samples.") var thin: Int?
  @OptionGroup var server: ServerOptions

  func run(with client: FountClient) throws {
    let format = self.format ?? Format(rawValue: URL(fileURLWithPath: output).pathExtension.lowercased()) ?? .png
    let numbers = [
      ("count", count), ("seed", seed), ("columns", columns), ("scale", scale), ("step", step), ("burn_in", burnIn), ("thin", thin),
    ]
    let query = numbers.map { ($0.0, $0.1.map(String.init)) } + [("temperature", temperature.map { String($0) })]
    let answer = try client.get(["v1", "models", model, "samples"], query, accept: format.mediaType)
    let told = answer.headers[.contentLocation]?.firstMatch(of: /[?&]seed=(\d+)/).flatMap { Int($0.output.1) } ?? seed
    if output == "-" { return Console.write(Data(answer.body), to: .standardOutput) }
    do {
      try Data(answer.body).write(to: URL(fileURLWithPath: output), options: .atomic)
    } catch {
      throw ClientFailure(ClientExit.cannotWrite, "\(output) can't be written")
    }
    if server.json {
      let summary: JSONValue = [
        "model": .string(model), "file": .string(output), "content_type": .string(format.mediaType), "bytes": .integer(answer.body.count),
        "seed": JSONValue(told),
      ]
      return Console.print(summary.serialized())
    }
    Console.print("\(output): \(Shown.bytes(answer.body.count)), seed \(told.map(String.init) ?? "unknown")")
  }
}
