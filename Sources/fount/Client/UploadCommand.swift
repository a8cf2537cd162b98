import ArgumentParser
import Foundation
import JSON

/// `fount upload FILE`: makes a dataset of it.
struct UploadCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload", abstract: "Uploads a dataset.",
    discussion: "The same file is always the same dataset. Prints its id.\n\n\(ClientExit.help)")

  @Argument(help: "IDX, NPY, NPZ, safetensors, CSV, CIFAR, or a ZIP or TAR of pictures; plain or compressed.", completion: .file())
  var file: String
  @Option(help: "What it is called (default: the file's name).") var name: String?
  @Option(help: "What the file must be: idx, npy, npz, safetensors, csv, cifar10, cifar100 or images.") var format: String?
  @Option(help: "Which array of several holds the examples.") var array: String?
  @Option(help: "Which array or column holds the labels.") var labels: String?
  @Option(help: "The sides that pictures are brought to, as in 28x28.") var resize: String?
  @OptionGroup var server: ServerOptions

  func run(with client: FountClient) throws {
    let query = [
      ("name", name ?? URL(fileURLWithPath: file).lastPathComponent), ("format", format), ("array", array), ("labels", labels),
      ("resize", resize),
    ]
    let draws = Console.tellsTerminal && !server.json
    // One that can't be looked at is refused when it is sent, with the reason.
    let total = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
    let answer = try client.post(["v1", "datasets"], query, body: .file(path: file)) { sent in
      if draws { Console.redraw("\(ProgressBar.shown(Double(sent) / Double(max(total, sent)))) \(Shown.bytes(sent))") }
    }
    if draws { Console.redraw("") }
    if server.json { return Console.print(answer: answer.body) }
    let dataset = try answer.json()
    Console.print(dataset["id"]?.string ?? "")
    Console.tell(
      "\(Shown.number(dataset["count"])) examples of \(dataset["shape"]?.serialized() ?? ""), \(dataset["format"]?.string ?? "")")
  }
}
