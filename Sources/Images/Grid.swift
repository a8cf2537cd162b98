/// Pictures of one size in rows, each pixel drawn `scale` by `scale` times, `gap` pixels of mid grey between pictures and in the places
/// left over.
/// - Parameters:
///   - tiles: 1 or more, all of one size and of the same channels.
///   - columns: 1 or more; more than there are tiles means as many as there are tiles.
///   - scale: 1 or more; pixels stay square-edged (nearest neighbour).
///   - pixelBytesMax: a larger grid is refused before any of it is made.
package func grid(
  _ tiles: [Picture], columns: Int, scale: Int = 1, gap: Int = 2, pixelBytesMax: Int = 1 << 28
) throws(PictureError) -> Picture {
  guard let first = tiles.first else { throw PictureError("a grid has 1 picture or more, not 0") }
  guard columns >= 1, scale >= 1, gap >= 0 else {
    throw PictureError("a grid has 1 column or more, scale 1 or more and gap 0 or more, not \(columns), \(scale) and \(gap)")
  }
  if let other = tiles.first(where: { ($0.width, $0.height, $0.channels) != (first.width, first.height, first.channels) }) {
    throw PictureError(
      "a grid's pictures are of one size: \(first.width) x \(first.height) x \(first.channels) "
        + "and \(other.width) x \(other.height) x \(other.channels) differ")
  }
  let columns = min(columns, tiles.count)
  let rows = (tiles.count + columns - 1) / columns
  guard let width = side(columns, of: first.width, scale: scale, gap: gap),
    let height = side(rows, of: first.height, scale: scale, gap: gap),
    width * height <= pixelBytesMax / first.channels
  else {
    throw PictureError(
      "a grid of \(rows) x \(columns) pictures of \(first.width) x \(first.height) at scale \(scale) "
        + "would be more than \(pixelBytesMax) bytes")
  }
  let middleGrey: UInt8 = 128
  var pixels = [UInt8](repeating: middleGrey, count: width * height * first.channels)
  for (index, tile) in tiles.enumerated() {
    let top = (index / columns) * (first.height * scale + gap)
    let left = (index % columns) * (first.width * scale + gap)
    draw(tile, scale: scale, into: &pixels, at: (top * width + left) * first.channels, stride: width * first.channels)
  }
  return try Picture(width: width, height: height, channels: first.channels, pixels: pixels)
}

/// The pixels that `count` pictures take in one direction; nil when that is more than a picture's side may be.
private func side(_ count: Int, of pixels: Int, scale: Int, gap: Int) -> Int? {
  let (scaled, scaledOverflows) = pixels.multipliedReportingOverflow(by: scale)
  let (step, stepOverflows) = scaled.addingReportingOverflow(gap)
  let (sum, sumOverflows) = step.multipliedReportingOverflow(by: count)
  guard !scaledOverflows, !stepOverflows, !sumOverflows, sum - gap <= Picture.sideMax else { return nil }
  return sum - gap
}

private func draw(_ tile: Picture, scale: Int, into pixels: inout [UInt8], at start: Int, stride: Int) {
  let channels = tile.channels
  for y in 0..<tile.height {
    var row: [UInt8] = []
    row.reserveCapacity(tile.width * scale * channels)
    for x in 0..<tile.width {
      let pixel = (y * tile.width + x) * channels
      for _ in 0..<scale { row += tile.pixels[pixel..<pixel + channels] }
    }
    for copy in 0..<scale {
      let place = start + (y * scale + copy) * stride
      pixels.replaceSubrange(place..<place + row.count, with: row)
    }
  }
}
