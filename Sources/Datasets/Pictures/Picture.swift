/// A decoded picture: 8 bits a value, row-major, channels last.
struct Picture {
  let height: Int
  let width: Int
  /// 1 (grey) or 3 (RGB).
  let channels: Int
  /// `[height, width, channels]`.
  let pixels: [UInt8]

  /// Grey as RGB, each value three times.
  var inColour: Picture {
    guard channels == 1 else { return self }
    var colour = [UInt8](repeating: 0, count: 3 * pixels.count)
    for (index, value) in pixels.enumerated() { for channel in 0..<3 { colour[3 * index + channel] = value } }
    return Picture(height: height, width: width, channels: 3, pixels: colour)
  }
}

/// What the head of a picture's file says.
struct PictureHead: Equatable {
  /// As the picture is to be seen, after any turning.
  let height: Int
  let width: Int
  let isGrey: Bool
}

/// A picture's file in memory.
struct PictureFile {
  let bytes: [UInt8]
  let place: ErrorPlace

  enum Kind: String { case png = "PNG", jpeg = "JPEG" }

  static func kind(_ head: [UInt8]) -> Kind? {
    if head.starts(with: PNGFile.signature) { return .png }
    return head.starts(with: [0xff, 0xd8, 0xff]) ? .jpeg : nil
  }

  func checkPixels(height: Int, width: Int, _ kind: Kind, _ limits: DecodeLimits) throws(DecodeError) {
    guard height >= 1, width >= 1 else {
      throw place.error(.malformed, "\(kind.rawValue) header", "\(height) x \(width) pixels; sides of 1 or more are needed")
    }
    guard let pixels = Sizes.product([height, width]), pixels <= limits.picturePixelsMax else {
      throw place.error(
        .tooLarge, "\(kind.rawValue) header", "\(height) x \(width) pixels; at most \(limits.picturePixelsMax) are allowed")
    }
  }
}
