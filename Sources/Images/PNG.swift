// PNG (W3C, third edition; RFC 2083 is the first). Written by our own encoder, because a sample's bytes are part of the contract: the
// same picture and text are the same bytes, which a library's next version would not promise.

/// A picture as a PNG file: 8-bit grey or RGB.
/// - Parameter text: iTXt chunks, in order. A keyword is 1 to 79 printable ASCII characters without a space at either end; a NUL in a
///   text, which PNG can't hold, becomes U+FFFD.
package func encodePNG(_ picture: Picture, text: [(keyword: String, text: String)] = []) -> [UInt8] {
  var file = PNGChunks()
  // PNG §11.2.2. 8 bits a channel; colour type 0 is grey and 2 is RGB; the one compression and the one filter method; no interlacing.
  let colourType: UInt8 = picture.channels == 1 ? 0 : 2
  file.append("IHDR", bigEndian(picture.width) + bigEndian(picture.height) + [8, colourType, 0, 0, 0])
  for (keyword, text) in text { file.append("iTXt", internationalText(keyword, text)) }
  var filter = PNGFilter(picture)
  let compressed = Zlib.compress { filter.nextRow() }
  // §11.2.4: how the stream is cut into chunks means nothing; 64 kB as chosen here lets a reader check while it reads.
  for start in stride(from: 0, to: compressed.count, by: 1 << 16) {
    file.append("IDAT", Array(compressed[start..<min(start + 1 << 16, compressed.count)]))
  }
  file.append("IEND", [])
  return file.bytes
}

/// The signature and the chunks after it (PNG §5.2, §5.3).
private struct PNGChunks {
  var bytes: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Length, type, data, and the CRC of type and data.
  mutating func append(_ type: String, _ data: [UInt8]) {
    let checked = Array(type.utf8) + data
    bytes += bigEndian(data.count) + checked + bigEndian(Int(Zlib.crc32(checked)))
  }
}

/// Keyword, no compression, no language, no translated keyword, UTF-8 (PNG §11.3.3.4).
private func internationalText(_ keyword: String, _ text: String) -> [UInt8] {
  precondition(
    (1...79).contains(keyword.utf8.count) && keyword.utf8.allSatisfy { (0x20...0x7e).contains($0) } && !keyword.hasPrefix(" ")
      && !keyword.hasSuffix(" "), "'\(keyword)' is no keyword of a PNG")
  let replacement = Array("\u{fffd}".utf8)
  return Array(keyword.utf8) + [0, 0, 0, 0, 0] + text.utf8.flatMap { $0 == 0 ? replacement : [$0] }
}

private func bigEndian(_ number: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}
