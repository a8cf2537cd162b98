/// How a picture must be turned to be seen as it was taken: the tag Orientation of EXIF (CIPA DC-008, §4.6.4), 1 to 8.
struct Orientation: Equatable {
  let tag: Int

  /// Whether rows become columns.
  var isTransposed: Bool { tag >= 5 }

  init(tag: Int) { self.tag = (1...8).contains(tag) ? tag : 1 }

  /// 1, as it lies, where the file tells nothing or nothing sensible.
  init(ofJPEG bytes: [UInt8]) { self.init(tag: Self.exif(in: bytes).flatMap(Self.tag) ?? 1) }

  /// The picture that is to be seen.
  func apply(to picture: Picture) -> Picture {
    guard tag != 1 else { return picture }
    let (height, width) = isTransposed ? (picture.width, picture.height) : (picture.height, picture.width)
    let channels = picture.channels
    var pixels = [UInt8](repeating: 0, count: picture.pixels.count)
    for row in 0..<height {
      for column in 0..<width {
        let (sourceRow, sourceColumn) = source(row, column, picture.height, picture.width)
        for channel in 0..<channels {
          pixels[(row * width + column) * channels + channel] =
            picture.pixels[(sourceRow * picture.width + sourceColumn) * channels + channel]
        }
      }
    }
    return Picture(height: height, width: width, channels: channels, pixels: pixels)
  }

  /// Where the pixel at a place of the result is stored.
  private func source(_ row: Int, _ column: Int, _ height: Int, _ width: Int) -> (row: Int, column: Int) {
    switch tag {
    case 2: (row, width - 1 - column)
    case 3: (height - 1 - row, width - 1 - column)
    case 4: (height - 1 - row, column)
    case 5: (column, row)
    case 6: (height - 1 - column, row)
    case 7: (height - 1 - column, width - 1 - row)
    case 8: (column, width - 1 - row)
    default: (row, column)
    }
  }

  /// The TIFF structure in the segment APP1, where there is one before the picture's data.
  private static func exif(in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xff {
      let marker = bytes[position + 1]
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      // The start of a scan ends the head.
      guard marker != 0xda, length >= 2, position + 2 + length <= bytes.count else { return nil }
      let segment = bytes[position + 4..<position + 2 + length]
      if marker == 0xe1, segment.starts(with: Array("Exif\0\0".utf8)) { return segment.dropFirst(6) }
      position += 2 + length
    }
    return nil
  }

  /// The value of tag 0x0112, a SHORT, in the first directory (TIFF 6.0 §2).
  private static func tag(inTIFF bytes: ArraySlice<UInt8>) -> Int? {
    let tiff = Array(bytes)
    guard tiff.count >= 8, tiff.starts(with: Array("II".utf8)) || tiff.starts(with: Array("MM".utf8)) else { return nil }
    let isBigEndian = tiff[0] == UInt8(ascii: "M")
    func integer(_ start: Int, _ count: Int) -> Int? {
      guard start >= 0, start <= tiff.count - count else { return nil }
      let part = tiff[start..<start + count]
      return (isBigEndian ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = integer(4, 4), let entries = integer(directory, 2) else { return nil }
    for entry in 0..<entries {
      let start = directory + 2 + 12 * entry
      guard let tag = integer(start, 2), let type = integer(start + 2, 2) else { return nil }
      if tag == 0x0112 { return type == 3 ? integer(start + 8, 2) : nil }
    }
    return nil
  }
}
