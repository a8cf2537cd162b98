import Images
import Testing

@Suite struct GridTests {
  private func tile(_ value: UInt8, width: Int = 2, height: Int = 1, channels: Int = 1) throws -> Picture {
    try Picture(
      width: width, height: height, channels: channels, pixels: [UInt8](repeating: value, count: width * height * channels))
  }

  @Test func `pictures stand in rows with grey between them and in the places left over`() throws {
    let picture = try grid([tile(1), tile(2), tile(3)], columns: 2)
    #expect((picture.width, picture.height, picture.channels) == (6, 4, 1))
    #expect(picture.pixels == [1, 1, 128, 128, 2, 2] + [UInt8](repeating: 128, count: 12) + [3, 3, 128, 128, 128, 128])
  }

  @Test func `scale repeats pixels and not the gap`() throws {
    let two = try Picture(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    let picture = try grid([two, two], columns: 1, scale: 2, gap: 1)
    let row: [UInt8] = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]
    #expect((picture.width, picture.height) == (4, 5))
    #expect(picture.pixels == row + row + [UInt8](repeating: 128, count: 12) + row + row)
  }

  @Test func `one picture is itself, and more columns than pictures are as many`() throws {
    #expect(try grid([tile(5)], columns: 9) == tile(5))
    #expect(try grid([tile(5), tile(6)], columns: 9).width == 6)
    #expect(try grid([tile(5), tile(6)], columns: 2, gap: 0).pixels == [5, 5, 6, 6])
  }

  @Test func `pictures of two sizes or two kinds make no grid`() throws {
    for other in [try tile(1, width: 3), try tile(1, height: 2), try tile(1, channels: 3)] {
      #expect(throws: PictureError.self) { try grid([tile(1), other], columns: 2) }
    }
  }

  @Test(arguments: [(0, 1, 2), (-1, 1, 2), (1, 0, 2), (1, -5, 2), (1, 1, -1), (1, .max, 2), (1, 1, .max), (1, 1 << 40, 0), (1, 1 << 20, 2)])
  func `numbers that make no grid are errors, however large`(columns: Int, scale: Int, gap: Int) throws {
    #expect(throws: PictureError.self) { try grid([tile(1), tile(2)], columns: columns, scale: scale, gap: gap) }
  }

  @Test func `a grid of more bytes than allowed is refused`() throws {
    let tiles = [Picture](repeating: try tile(1, width: 10, height: 10, channels: 3), count: 4)
    #expect(try grid(tiles, columns: 2, gap: 0, pixelBytesMax: 1200).pixels.count == 1200)
    #expect(throws: PictureError.self) { try grid(tiles, columns: 2, gap: 0, pixelBytesMax: 1199) }
    #expect(throws: PictureError.self) { try grid([], columns: 1) }
  }

  @Test(
    arguments: [
      (0, 1, 1, 0), (1, 0, 1, 0), (-1, 1, 1, 1), (-2, -2, 1, 4), (1, 1, 2, 2), (1, 1, 4, 4), (2, 2, 1, 3), (2, 2, 3, 4), (.max, .max, 3, 1),
      (.max, 1, 1, 1), (1 << 62, 4, 1, 0), (.min, .min, 1, 1),
    ])
  func `sizes that lie make no picture`(width: Int, height: Int, channels: Int, count: Int) {
    let pixels = [UInt8](repeating: 0, count: count)
    #expect(throws: PictureError.self) { try Picture(width: width, height: height, channels: channels, pixels: pixels) }
  }
}
