import Foundation
import JSON
import Testing

@Suite struct `What is deleted` {
  private static func files(in folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder) && !isFolder.boolValue
    }
  }

  @Test func `is gone with its files, and what an unfinished job needs is not deleted`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let examples = SampleData.barsAndStripes(side: 4, copies: 3)
    let dataset = try fount.dataset(examples)
    let accepted = try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 100_000]))
    let (job, model) = (try #require(accepted["id"]?.string), try #require(accepted["model"]?.string))
    for path in ["/v1/datasets/\(dataset)", "/v1/models/\(model)"] {
      let refused = try fount.curl(path, "-X", "DELETE")
      #expect(try refused.status == 409 && refused.json["detail"]?.string?.contains(job) == true)
    }
    try fount.wait(for: job) { _ in (try? fount.curl("/v1/models/\(model)").json["step"]?.integer != nil) ?? false }
    #expect(try fount.curl("/v1/jobs/\(job)/cancel", "-X", "POST").status == 202)
    try fount.wait(for: job) { $0["status"] == "cancelled" }
    for path in ["/v1/models/\(model)", "/v1/datasets/\(dataset)"] {
      let deleted = try fount.curl(path, "-X", "DELETE")
      #expect(deleted.status == 204 && deleted.body.isEmpty)
      #expect(try fount.curl(path).status == 404)
      #expect(try fount.curl(path, "-X", "DELETE").status == 404)
    }
    #expect(try fount.curl("/v1/models/\(model)/samples?count=1").status == 404)
    #expect(try Self.files(in: folder.path + "/blobs").isEmpty && Self.files(in: folder.path + "/models").isEmpty)
    #expect(try fount.job(job)["dataset"] == .string(dataset))
    #expect(try fount.upload(examples).status == 201)
    #expect(fount.stop() == 0)
    #expect(try Program.run(FountProcess.executable, ["check", "--data", folder.path]).status == 0)
  }

  @Test func `leaves examples that another dataset has as well`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let examples = SampleData.barsAndStripes(side: 4, copies: 3)
    let plain = try fount.dataset(examples)
    let named = try #require(try fount.upload(examples, query: "?format=idx").json["id"]?.string)
    #expect(plain != named)
    #expect(try Self.files(in: folder.path + "/blobs").count == 1)
    #expect(try fount.curl("/v1/datasets/\(plain)", "-X", "DELETE").status == 204)
    #expect(try fount.curl("/v1/datasets/\(named)/preview.png").status == 200)
    #expect(try fount.curl("/v1/datasets/\(named)", "-X", "DELETE").status == 204)
    #expect(try Self.files(in: folder.path + "/blobs").isEmpty)
  }
}
