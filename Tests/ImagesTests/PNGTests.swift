import Foundation
import Images
import Testing

/// Every claim about our encoder is checked by programs that share no line with it: pngcheck, and PIL over libpng.
@Suite struct PNGTests {
  /// Pixels of several characters, so that every filter wins somewhere.
  private enum Pixels: String, CaseIterable {
    case zero, full, ramp, columns, diagonal, photograph, noise

    func value(_ x: Int, _ y: Int, _ channel: Int) -> UInt8 {
      let hash = UInt64(x &* 73_856_093 ^ y &* 19_349_663 ^ channel &* 83_492_791) &* 0x9e37_79b9_7f4a_7c15
      switch self {
      case .zero: return 0
      case .full: return 255
      case .ramp: return UInt8(truncatingIfNeeded: x + 3 * y + channel)
      case .columns: return UInt8(truncatingIfNeeded: x * x * 7 + channel * 40)
      case .diagonal: return UInt8(truncatingIfNeeded: (x + y) * (x + y) / 3)
      case .photograph:
        return UInt8(128 + 90 * sin(Double(x) / 9 + Double(channel)) * cos(Double(y) / 7)) &+ UInt8(hash >> 62)
      case .noise: return UInt8(truncatingIfNeeded: hash >> 40)
      }
    }

    func picture(_ width: Int, _ height: Int, _ channels: Int) throws -> Picture {
      var pixels: [UInt8] = []
      for y in 0..<height { for x in 0..<width { for channel in 0..<channels { pixels.append(value(x, y, channel)) } } }
      return try Picture(width: width, height: height, channels: channels, pixels: pixels)
    }
  }

  private static let sizes = [
    (1, 1), (1, 2), (2, 1), (1, 17), (17, 1), (3, 5), (8, 8), (28, 28), (31, 33), (255, 7), (256, 2), (257, 3), (1, 1000), (1000, 1),
    (640, 480), (65_537, 1), (1, 65_537),
  ]

  private static let comparison = """
    import json, os, sys
    from PIL import Image
    folder = sys.argv[1]
    seen = 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.png'): continue
        want = json.load(open(f'{folder}/{name[:-4]}.json'))
        image = Image.open(f'{folder}/{name}')
        image.load()
        assert image.size == (want['width'], want['height']), (name, image.size)
        assert image.mode == ('L' if want['channels'] == 1 else 'RGB'), (name, image.mode)
        assert image.tobytes() == open(f'{folder}/{name[:-4]}.raw', 'rb').read(), name
        assert dict(image.text) == want['text'], (name, image.text)
        seen += 1
    print(seen)
    """

  private func write(_ picture: Picture, _ text: [(keyword: String, text: String)], _ name: String, in folder: ScratchFolder) throws {
    let facts: [String: Any] = [
      "width": picture.width, "height": picture.height, "channels": picture.channels,
      "text": Dictionary(uniqueKeysWithValues: text.map { ($0.keyword, $0.text) }),
    ]
    try Data(encodePNG(picture, text: text)).write(to: URL(fileURLWithPath: "\(folder.path)/\(name).png"))
    try Data(picture.pixels).write(to: URL(fileURLWithPath: "\(folder.path)/\(name).raw"))
    try JSONSerialization.data(withJSONObject: facts).write(to: URL(fileURLWithPath: "\(folder.path)/\(name).json"))
  }

  @Test func `pngcheck accepts every picture and PIL reads back its very pixels and texts`() throws {
    let folder = try ScratchFolder()
    var count = 0
    for (width, height) in Self.sizes {
      for channels in [1, 3] {
        for pixels in Pixels.allCases {
          let text = [("model", "mdl_abc"), ("Note", "gr\u{fc}n, \u{4f60}\u{597d} \u{1f600}\nsecond line"), ("empty", "")]
          let name = "\(width)x\(height)x\(channels)-\(pixels.rawValue)"
          try write(pixels.picture(width, height, channels), count.isMultiple(of: 3) ? text : [], name, in: folder)
          count += 1
        }
      }
    }
    try write(Pixels.photograph.picture(2000, 1500, 3), [], "large-rgb", in: folder)
    try write(Pixels.noise.picture(3000, 1000, 1), [], "large-grey", in: folder)
    count += 2
    let pictures = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".png") }
    let check = try run("/usr/bin/pngcheck", ["-q"] + pictures.map { "\(folder.path)/\($0)" })
    #expect(check.status == 0 && check.output.isEmpty, "\(check.output)")
    let comparison = try run("/usr/bin/python3", ["-c", Self.comparison, folder.path])
    #expect(comparison.output == "\(count)\n", "\(comparison.output)")
  }

  @Test func `a large picture is cut into several IDAT chunks, and noise barely grows`() throws {
    let picture = try Pixels.noise.picture(500, 500, 3)
    let file = encodePNG(picture)
    let needle = Array("IDAT".utf8)
    let chunks = file.indices.filter { file[$0...].starts(with: needle) }.count
    #expect(chunks >= 11)
    #expect(file.count < picture.pixels.count + picture.pixels.count / 100)
  }

  @Test func `filters make a smooth picture much smaller than its pixels`() throws {
    #expect(try encodePNG(Pixels.ramp.picture(300, 300, 3)).count < 3_000)
    #expect(try encodePNG(Pixels.diagonal.picture(300, 300, 1)).count < 9_000)
  }

  @Test func `every filter is used where it is the best`() throws {
    let folder = try ScratchFolder()
    var types = Set<Int>()
    for pixels in Pixels.allCases {
      let path = "\(folder.path)/\(pixels.rawValue).png"
      try Data(encodePNG(pixels.picture(64, 64, 3))).write(to: URL(fileURLWithPath: path))
      let rows = try run("/usr/bin/pngcheck", ["-vv", path]).output
      let numbers = rows.split(whereSeparator: \.isNewline).filter { $0.allSatisfy { $0 == " " || $0.isNumber } && !$0.isEmpty }
      for line in numbers { types.formUnion(line.split(separator: " ").compactMap { Int($0) }) }
    }
    #expect(types.isSuperset(of: [0, 1, 2, 3, 4]), "\(types)")
  }

  @Test func `the same picture and text are the same bytes`() throws {
    let picture = try Pixels.photograph.picture(123, 77, 3)
    let first = encodePNG(picture, text: [("seed", "1")])
    #expect(encodePNG(picture, text: [("seed", "1")]) == first)
    #expect(encodePNG(picture, text: [("seed", "2")]) != first)
  }

  /// By hand: the signature, IHDR and IEND of PNG's specification, and a CRC that any PNG ends with.
  @Test func `the file begins and ends as the specification says`() throws {
    let file = try encodePNG(Picture(width: 2, height: 1, channels: 1, pixels: [0, 255]))
    #expect(file.prefix(29) == [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0])
    #expect(file.suffix(12) == [0, 0, 0, 0, 73, 69, 78, 68, 0xae, 0x42, 0x60, 0x82])
  }

  @Test func `a NUL in a text becomes a replacement character`() throws {
    let folder = try ScratchFolder()
    let path = "\(folder.path)/a.png"
    let picture = try Picture(width: 1, height: 1, channels: 1, pixels: [9])
    try Data(encodePNG(picture, text: [("name", "a\0b")])).write(to: URL(fileURLWithPath: path))
    #expect(try run("/usr/bin/pngcheck", ["-q", path]).status == 0)
    let read = "from PIL import Image; import sys; print(ascii(Image.open(sys.argv[1]).text['name']))"
    #expect(try run("/usr/bin/python3", ["-c", read, path]).output == "'a\\ufffdb'\n")
  }

  @Test(arguments: ["", " a", "a ", "a\u{e9}", "a\n", String(repeating: "a", count: 80)])
  func `a keyword that PNG does not allow stops the program`(keyword: String) async {
    await #expect(processExitsWith: .failure) { [keyword = keyword as String] in
      let picture = try Picture(width: 1, height: 1, channels: 1, pixels: [9])
      _ = encodePNG(picture, text: [(keyword, "")])
    }
  }
}
