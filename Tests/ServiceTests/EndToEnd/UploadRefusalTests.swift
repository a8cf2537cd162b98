import Foundation
import JSON
import Testing

/// Every fourth of the uploads that the decoders' tests refuse, over the wire to a server whose decoders have 512 MiB.
@Suite struct `A hostile upload` {
  @Test func `is a 422 with its reason within five seconds, leaves nothing on disk and the server alive`() throws {
    let folder = try TemporaryFolder()
    let uploads = try TemporaryFolder()
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let written = try Program.run("/usr/bin/python3", ["-W", "ignore", tests.path + "/DatasetsTests/Hostile/uploads.py", uploads.path])
    try #require(written.status == 0, "\(written.errors)")
    let facts = try #require(JSONValue(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: uploads.path + "/facts.json")))).array)
    let fount = try FountProcess(data: folder.path, flags: ["--decoder-memory-bytes-max", "536870912"])
    for fact in stride(from: 0, to: facts.count, by: 4).map({ facts[$0] }) {
      let name = try #require(fact["name"]?.string)
      let path = try "\(uploads.path)/\(#require(fact["path"]?.string))"
      let query = (fact["options"]?.object?.keys ?? []).map { "\($0)=\(fact["options"]?[$0]?.string ?? "")" }.joined(separator: "&")
      let answer = try fount.curl("/v1/datasets?\(query)", "--max-time", "5", "--data-binary", "@\(path)")
      let says = try #require(fact["says"]?.string)
      #expect(answer.status == 422, "\(name): \(answer.text)")
      #expect(try says.isEmpty || answer.json["errors"]?.array?.first?["detail"]?.string?.contains(says) == true, "\(name): \(answer.text)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming") == ["bodies"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming/bodies") == [])
    #expect(try fount.curl("/v1/datasets").json["data"] == [])
    #expect(fount.isRunning)
  }

  @Test func `of good pictures keeps their classes, and what is said of them makes another dataset`() throws {
    let folder = try TemporaryFolder()
    let program = """
      import io, sys, zipfile
      import numpy as np
      from PIL import Image
      with zipfile.ZipFile(sys.argv[1] + '/pets.zip', 'w') as archive:
          for i, (kind, side) in enumerate([('cat', 8), ('dog', 8), ('cat', 8)]):
              out = io.BytesIO(); Image.fromarray(np.full((side, 6, 3), i, 'u1')).save(out, 'PNG')
              archive.writestr(f'{kind}/{i}.png', out.getvalue())
      """
    let files = try TemporaryFolder()
    try #require(try Program.run("/usr/bin/python3", ["-c", program, files.path]).status == 0)
    let fount = try FountProcess(data: folder.path)
    let upload = ["--data-binary", "@\(files.path)/pets.zip"]
    let plain = try fount.curl("/v1/datasets", upload)
    #expect(try plain.status == 201 && plain.json["shape"] == [8, 6, 3] && plain.json["format"] == "images", "\(plain.text)")
    #expect(try plain.json["classes"] == [["name": "cat", "count": 2], ["name": "dog", "count": 1]])
    #expect(try plain.json["duplicates"] == 0)
    let small = try fount.curl("/v1/datasets?resize=4x4", upload)
    #expect(try small.status == 201 && small.json["shape"] == [4, 4, 3] && small.json["id"] != plain.json["id"])
    #expect(try fount.curl("/v1/datasets?resize=4x4", upload).status == 200)
    #expect(try fount.curl("/v1/datasets?resize=4", upload).status == 400)
    #expect(try fount.curl("/v1/datasets?format=csv", upload).status == 422)
    // Picture and sides go together into a job: the model is made for what it will see.
    let id = try #require(plain.json["id"]?.string)
    let job = try fount.post(
      "/v1/jobs?dry_run=1",
      ["kind": "train", "dataset": .string(id), "family": "made", "data": ["binarize": "threshold", "resize": [3, 3], "grayscale": true]])
    #expect(job.status < 300, "\(job.text)")
  }
}
