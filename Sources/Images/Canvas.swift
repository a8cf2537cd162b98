/// An RGB picture that is being drawn. What falls outside of it is left away.
struct Canvas {
  struct Colour {
    let red, green, blue: UInt8

    static let white = Colour(red: 255, green: 255, blue: 255)
    static let ink = Colour(red: 40, green: 40, blue: 48)
    static let faint = Colour(red: 225, green: 226, blue: 230)
  }

  let width: Int
  let height: Int
  private var pixels: [UInt8]

  /// - Parameters: sides that make a `Picture`.
  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: 255, count: width * height * 3)
  }

  func picture() throws(PictureError) -> Picture { try Picture(width: width, height: height, channels: 3, pixels: pixels) }

  mutating func fill(x: Range<Int>, y: Range<Int>, _ colour: Colour) {
    for y in y.clamped(to: 0..<height) {
      for x in x.clamped(to: 0..<width) { blend(x, y, colour, 1) }
    }
  }

  /// One line of text, `scale` pixels to a pixel of the font.
  mutating func write(_ text: String, x: Int, y: Int, scale: Int, _ colour: Colour) {
    for (index, character) in text.enumerated() {
      for row in 0..<BitmapFont.height {
        for column in 0..<BitmapFont.width where BitmapFont.hasPixel(character, x: column, y: row) {
          let (left, top) = (x + (index * BitmapFont.advance + column) * scale, y + row * scale)
          fill(x: left..<left + scale, y: top..<top + scale, colour)
        }
      }
    }
  }

  static func textWidth(_ text: String, scale: Int) -> Int { max(0, text.count * BitmapFont.advance - 1) * scale }

  /// A straight stroke with round ends, each pixel covered as far as it lies within half the width of it.
  /// - Parameters: centres of pixels are at whole numbers; both ends lie near the canvas, which bounds the work.
  mutating func stroke(from a: (x: Double, y: Double), to b: (x: Double, y: Double), width: Double, _ colour: Colour) {
    let reach = width / 2 + 1
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let squared = dx * dx + dy * dy
    let rows = Self.range(min(a.y, b.y) - reach, max(a.y, b.y) + reach).clamped(to: 0..<height)
    let columns = Self.range(min(a.x, b.x) - reach, max(a.x, b.x) + reach).clamped(to: 0..<self.width)
    for y in rows {
      for x in columns {
        let (px, py) = (Double(x) - a.x, Double(y) - a.y)
        let along = squared > 0 ? min(1, max(0, (px * dx + py * dy) / squared)) : 0
        let (ex, ey) = (px - along * dx, py - along * dy)
        let coverage = width / 2 + 0.5 - (ex * ex + ey * ey).squareRoot()
        if coverage > 0 { blend(x, y, colour, min(1, coverage)) }
      }
    }
  }

  private static func range(_ low: Double, _ high: Double) -> Range<Int> {
    let (first, last) = (Int(max(-1e6, min(1e6, low)).rounded(.down)), Int(max(-1e6, min(1e6, high)).rounded(.up)))
    return first..<max(first, last) + 1
  }

  private mutating func blend(_ x: Int, _ y: Int, _ colour: Colour, _ part: Double) {
    let place = (y * width + x) * 3
    for (channel, value) in [colour.red, colour.green, colour.blue].enumerated() {
      let old = Double(pixels[place + channel])
      pixels[place + channel] = UInt8((old + (Double(value) - old) * part).rounded())
    }
  }
}
