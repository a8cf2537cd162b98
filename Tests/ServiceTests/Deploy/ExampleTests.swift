import Foundation
import JSON
import Testing

/// What people are shown to begin with does what it says, against a server as they would have it.
@Suite struct `An example` {
  /// The Python of the packages that the checks have installed.
  private static let python = DeployFolder.path("../.build/python/bin/python3")

  private static func isPNG(_ path: String) -> Bool {
    FileManager.default.contents(atPath: path)?.starts(with: [0x89, 0x50, 0x4E, 0x47]) ?? false
  }

  @Test func `with curl trains, and leaves pictures and weights`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path + "/data")
    let script = DeployFolder.path("examples/train.sh")
    let ran = try Program.run("/bin/bash", ["-c", "cd '\(folder.path)'; exec '\(script)' \(fount.base)"])
    try #require(ran.status == 0, "\(ran.errors)")
    for picture in ["data.png", "curve.png", "samples.png"] { #expect(Self.isPNG("\(folder.path)/\(picture)"), "\(picture)") }
    let told = try #require(ran.output.firstIndex(of: "{"))
    let score = try JSONValue(parsing: Array(ran.output[told...].utf8))
    // 64 pictures with equal chances: ln 64 is the least, and what knows nothing of them tells 36 ln 2.
    let nats = try #require(score["nats"]?.number)
    #expect(score["estimator"] == "exact" && nats > 4.158 && nats < 6)
  }

  @Test func `with curl tells what the server has against it, and ends`() throws {
    let folder = try TemporaryFolder()
    let made = try Program.run(FountProcess.executable, ["key", "create", "--scope", "train", "--data", folder.path])
    let fount = try FountProcess(data: folder.path)
    let script = DeployFolder.path("examples/train.sh")
    func run(_ key: String) throws -> (status: Int32, output: String, errors: String) {
      try Program.run("/bin/bash", ["-c", "cd '\(folder.path)'; exec '\(script)' \(fount.base) \(key)"])
    }
    let refused = try run("wrong")
    #expect(refused.status == 1 && refused.errors.contains("/v1/datasets"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/data.png"))
    let key = made.output.trimmingCharacters(in: .newlines)
    #expect(try run(key).status == 0)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "Deploy/test installs the packages of PyPI"))
  func `in Python draws and scores by numpy, and gets the server's numbers`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let ran = try Program.run(Self.python, [DeployFolder.path("examples/train.py"), fount.base])
    #expect(ran.status == 0, "\(ran.output)\(ran.errors)")
    #expect(ran.output.matches(of: /nats by the server/).count == 3)
  }

  /// README's tour, as it stands there, with small data and a little patience: after a job is posted its end is waited for, and the first
  /// part of the resumable upload is cut off.
  @Test func `of README can be pasted from its first line to its last`() throws {
    let readme = try DeployFolder.text("../README.md")
    let block = try #require(readme.components(separatedBy: "```sh\n").first { $0.hasPrefix("F=") }?.components(separatedBy: "```").first)
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path + "/data")
    for (name, count) in [("train", 200), ("t10k", 60)] {
      let values = (0..<count * 28 * 28).map { UInt8(truncatingIfNeeded: ($0 / 28 % 28 / 4 + $0 / 784) % 3 * 100) }
      try Data(SampleData.idx([count, 28, 28], values)).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    }
    let script =
      Self.patience
      + block.replacing("http://127.0.0.1:8080", with: fount.base).replacing("/usr/share/datasets/fashion-mnist/", with: "")
    let prepared = "cd '\(folder.path)'; gzip -c train > train-images-idx3-ubyte.gz; gzip -c t10k > t10k-images-idx3-ubyte.gz\n"
    let ran = try Program.run("/bin/bash", ["-c", prepared + script])
    #expect(ran.status == 0, "\(ran.errors)")
    let failed = (try? String(contentsOfFile: folder.path + "/failed", encoding: .utf8)) ?? ""
    #expect(failed.isEmpty, "\(failed)")
    let lines = block.split(separator: "\n").filter { !$0.hasPrefix("#") }
    let asked = try String(contentsOfFile: folder.path + "/asked", encoding: .utf8).split(separator: "\n")
    let calls = lines.map { $0.matches(of: /\bcurl\s/).count }
    #expect(asked.count == calls.reduce(0, +))
    for picture in ["preview.png", "curve.png", "samples.png", "sample-7.png"] {
      #expect(Self.isPNG("\(folder.path)/\(picture)"), "\(picture)")
    }
    let array = try #require(FileManager.default.contents(atPath: folder.path + "/samples.npy"))
    #expect(array.starts(with: [0x93] + Array("NUMPY".utf8)) && array.count > 64 * 28 * 28)
    // The dataset, the one of the resumed upload, the one to evaluate on; a training and two evaluations; the model and its copy.
    #expect(try fount.curl("/v1/datasets").json["data"]?.array?.count == 3)
    #expect(try fount.curl("/v1/jobs?status=succeeded").json["data"]?.array?.count == 3)
    #expect(try fount.curl("/v1/models").json["data"]?.array?.count == 2)
  }

  /// A `curl` that notes its calls and its failures, for a tour has no eyes of its own.
  private static let patience = """
    head -c 16 /dev/zero > large && { printf '\\x93NUMPY\\x01\\0\\x76\\0'; \
    printf '%-117s\\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (40, 10, 10), }"; head -c 4000 train; } > large.npy
    curl() {
      echo "${*//$'\\n'/ }" >> asked
      if [[ "$*" == "-T large.npy "* ]]; then
        head -c 1000 large.npy > part
        command curl -sS -o cut -H "Content-Range: bytes 0-999/4128" -T part "${@: -1}"
        return 1
      fi
      command curl --fail-with-body "$@" > answer || { echo "$*: $(cat answer)" >> failed; return 1; }
      if [[ "$*" == *"/v1/jobs -d {"* ]]; then
        local id; id="$(jq -r .id answer)"
        until command curl -s "$F/v1/jobs/$id" | grep -qE '"status":"(succeeded|failed|cancelled)"'; do sleep 0.1; done
      fi
      cat answer
    }

    """
}
