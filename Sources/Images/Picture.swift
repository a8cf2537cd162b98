/// Pixels of one size, 8 bits a channel, in rows from the top, channels together: its existence proves that the sizes agree.
package struct Picture: Sendable, Hashable {
  /// Each from 1 to `sideMax`.
  package let width: Int
  package let height: Int
  /// 1 is grey, 3 is red, green, blue.
  package let channels: Int
  /// `[height, width, channels]`.
  package let pixels: [UInt8]

  /// PNG §11.2.2 admits 2^31 − 1; chosen lower so that no sum or product of sizes in here can overflow.
  package static let sideMax = 1 << 24

  package init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws(PictureError) {
    guard channels == 1 || channels == 3 else { throw PictureError("a picture has 1 or 3 channels, not \(channels)") }
    guard (1...Self.sideMax).contains(width), (1...Self.sideMax).contains(height) else {
      throw PictureError("a picture's sides are 1 to \(Self.sideMax) pixels, not \(width) x \(height)")
    }
    guard pixels.count == width * height * channels else {
      throw PictureError("\(width) x \(height) pixels of \(channels) bytes are \(width * height * channels) bytes, not \(pixels.count)")
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }
}

/// Sizes that make no picture.
package struct PictureError: Error, Hashable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
