import Foundation
import JSON
import Testing

@Suite struct `The same seed` {
  @Test func `gives the same bytes before and after a restart, at one and two threads, alone and among others`() throws {
    let folder = try TemporaryFolder()
    let examples = SampleData.barsAndStripes(side: 5, copies: 10)
    var fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, examples)
    let twin = try `The main job`.trainedModel(fount, examples, threads: 2)
    let before = try Pictures(fount, model)
    // The model's id is in the pictures' text, so a twin's are compared by their pixels.
    #expect(try Pictures(fount, twin).pixels == before.pixels)
    #expect(fount.stop() == 0)
    fount = try FountProcess(data: folder.path)
    let after = try Pictures(fount, model)
    #expect(after.grid == before.grid)
    #expect(after.single == before.single)
    #expect(after.pixels == before.pixels)
    let stored = 25
    let first = try fount.curl("/v1/models/\(model)/samples?count=1&seed=11", "-H", "Accept: application/x-npy").body
    #expect(first.suffix(stored) == before.pixels.suffix(64 * stored).prefix(stored))
  }

  private struct Pictures {
    let grid, single, pixels: Data

    init(_ fount: FountProcess, _ model: String) throws {
      grid = try fount.curl("/v1/models/\(model)/samples?count=64&seed=11").body
      single = try fount.curl("/v1/models/\(model)/samples/17.png?seed=11").body
      pixels = try fount.curl("/v1/models/\(model)/samples?count=64&seed=11", "-H", "Accept: application/x-npy").body
    }
  }

  @Test func `is told where none was given, and its tag spares a second drawing`() throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path)
    let model = try `The main job`.trainedModel(fount, SampleData.barsAndStripes(side: 3, copies: 10))
    let drawn = try fount.curl("/v1/models/\(model)/samples?count=2")
    let location = try #require(drawn.headers["content-location"])
    let again = try fount.curl(location)
    #expect(again.body == drawn.body)
    // What was escaped stays so.
    let warm = try #require(try fount.curl("/v1/models/\(model)/samples?count=2&temperature=1.5e%2B0").headers["content-location"])
    #expect(try fount.curl(warm).status == 200)
    let tag = try #require(again.headers["etag"])
    #expect(again.headers["cache-control"]?.contains("immutable") == true)
    let cached = try fount.curl(location, "-H", "If-None-Match: \(tag)")
    #expect(cached.status == 304 && cached.body.isEmpty)
  }
}
