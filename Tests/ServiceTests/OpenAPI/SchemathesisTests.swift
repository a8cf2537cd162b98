import Foundation
import JSON
import Testing

/// Schemathesis, another's program, makes requests from `openapi.json`: right ones, wrong ones, and chains of them along the links; and
/// holds the answers to it. `FOUNT_SCHEMATHESIS` names the program, as Deploy/test installs it.
@Suite struct `An independent reader of the interface` {
  static let program = ProcessInfo.processInfo.environment["FOUNT_SCHEMATHESIS"] ?? ""

  @Test(.enabled(if: !program.isEmpty, "FOUNT_SCHEMATHESIS names no program"))
  func `finds nothing that is not as it is told, over all operations and along their links`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path + "/data", flags: ["--json-bytes-max", "65536", "--body-bytes-max", "1048576"])
    try Self.settings(try Samples(fount), folder.path).write(toFile: folder.path + "/settings.toml", atomically: true, encoding: .utf8)
    try Self.hooks.write(toFile: folder.path + "/hooks.py", atomically: true, encoding: .utf8)
    let seconds = ProcessInfo.processInfo.environment["FOUNT_SCHEMATHESIS_SECONDS"].flatMap { Int($0) } ?? 40
    let run = try Program.run(
      // It keeps what it finds in the folder that it is started in.
      "/usr/bin/env",
      [
        "-C", folder.path, Self.program, "--config-file", "\(folder.path)/settings.toml", "run", "\(fount.base)/openapi.json", "--phases",
        "examples,coverage,stateful",
        "--max-time", String(seconds), "--max-examples", "3", "--seed", "1", "--no-color", "--continue-on-failure",
      ])
    #expect(run.status == 0, "\(run.output.suffix(20_000))\(run.errors)")
    // All but the one that it has the document from.
    #expect(run.output.contains("Tested: \(InterfaceDocument.preset.operations.count - 1)"), "\(run.output.suffix(2000))")
    #expect(fount.isRunning)
  }

  /// What a server has before it is asked, so that more than 404s is seen.
  private struct Samples {
    let dataset: String
    let job: String
    let model: String

    init(_ fount: FountProcess) throws {
      dataset = try fount.dataset(SampleData.barsAndStripes(side: 3, copies: 20))
      let body: JSONValue = [
        "kind": "train", "dataset": .string(dataset), "family": "vae", "training": ["epochs": 2, "sample_every_epochs": 1], "seed": 1,
        "configuration": ["preset": "small"],
      ]
      job = try #require(try fount.submit(body)["id"]?.string)
      model = try #require(try fount.finish(job)["model"]?.string)
    }
  }

  /// How bytes are sent under the type that tus has for them.
  private static let hooks = """
    import schemathesis
    schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

    """

  /// Statuses that a right request may get all the same: what the interface says is well-formed and can't be done, and what no schema of
  /// one parameter tells, as that columns are no more than pictures. A field of the head that nobody knows is no fault (RFC 9110 §5.1),
  /// which the program does not grant to uploads.
  private static func settings(_ samples: Samples, _ folder: String) -> String {
    """
    hooks = "\(folder)/hooks.py"

    [checks.positive_data_acceptance]
    expected-statuses = ["2xx", 304, 308, 400, 404, 406, 409, 411, 412, 413, 415, 416, 422, 429, 507]

    [checks.negative_data_rejection]
    expected-statuses = [400, 404, 405, 406, 408, 409, 411, 412, 413, 414, 415, 416, 417, 422, 429, 431]

    [[operations]]
    include-operation-id = ["beginUpload", "patchUpload"]
    checks.negative_data_rejection.enabled = false

    [[operations]]
    include-path-regex = "^/v1/datasets/"
    exclude-method = "DELETE"
    parameters = { id = "\(samples.dataset)" }

    [[operations]]
    include-path-regex = "^/v1/jobs/"
    parameters = { id = "\(samples.job)" }

    [[operations]]
    include-path-regex = "^/v1/models/"
    exclude-method = "DELETE"
    parameters = { id = "\(samples.model)" }

    """
  }
}
