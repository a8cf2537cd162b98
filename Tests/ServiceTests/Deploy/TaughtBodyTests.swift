import Foundation
import JSON
import Testing

/// The bodies by which the models' README teaches: a server takes each as it stands there.
@Suite struct `A body of the models' README` {
  @Test func `is one that the server takes, and every family has been taught`() throws {
    let text = try DeployFolder.text("../Sources/Models/README.md")
    let blocks = text.components(separatedBy: "```json\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    let bodies = blocks.filter { $0.contains("\"$D\"") }
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, flags: ["--workers", "0", "--job-threads-max", "2"])
    let values = (0..<50 * 28 * 28).map { UInt8(truncatingIfNeeded: $0 &* 31 % 251) }
    let dataset = try fount.dataset(SampleData.idx([50, 28, 28], values))
    for body in bodies {
      let job = try JSONValue(parsing: Array(body.replacing("$D", with: dataset).utf8))
      let answer = try fount.post("/v1/jobs?dry_run=1", job)
      #expect(answer.status < 300, "\(body)\(answer.text)")
    }
    #expect(bodies.count >= 6)
    for family in try fount.curl("/v1/families").json["data"]?.array ?? [] {
      let title = try #require(family["title"]?.string)
      #expect(text.contains("**\(title)**"), "\(title)")
    }
  }
}
