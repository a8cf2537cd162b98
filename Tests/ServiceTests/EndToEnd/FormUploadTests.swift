import Foundation
import JSON
import Testing

/// `curl -F file=@FILE`, as people who fill in forms send a file.
@Suite(.serialized) struct `A form` {
  @Test func `brings the same dataset as its file sent alone`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let file = folder.path + "-bars"
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    try Data(SampleData.barsAndStripes(side: 3, copies: 2)).write(to: URL(fileURLWithPath: file))
    let form = try fount.curl("/v1/datasets?name=bars", "-F", "file=@\(file)")
    #expect(form.status == 201, "\(form.text)")
    let alone = try fount.curl("/v1/datasets", "--data-binary", "@\(file)")
    #expect(alone.status == 200)
    #expect(try form.json["id"] == alone.json["id"] && form.json["sha256"] == alone.json["sha256"])
    #expect(try form.json["bytes"]?.integer == Data(contentsOf: URL(fileURLWithPath: file)).count)
    let digest = Data(repeating: 0, count: 32).base64EncodedString()
    let checked = try fount.curl("/v1/datasets", "-F", "file=@\(file)", "-H", "Repr-Digest: sha-256=:\(digest):")
    #expect(checked.status == 400 && checked.text.contains("--data-binary"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming/bodies").isEmpty)
  }
}
