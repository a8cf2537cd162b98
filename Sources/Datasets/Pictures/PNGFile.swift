import CPNG

/// A PNG (ISO/IEC 15948) of any bit depth, with a palette, alpha or interlacing.
///
/// What says how light values are meant (gamma, profiles) is left aside, as every program that trains on pictures does, and so is alpha:
/// colours count as they are stored. 16 bits are rounded to 8.
struct PNGFile {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  let head: PictureHead
  private let colourType: UInt8
  private let place: ErrorPlace
  /// The chunks that hold the picture, and no others.
  private let bytes: [UInt8]

  init(_ file: PictureFile, _ limits: DecodeLimits) throws(DecodeError) {
    place = file.place
    var walk = ChunkWalk(file)
    guard let first = try walk.next(), first.type == "IHDR", first.range.count == 13 else {
      throw file.place.error(.malformed, "PNG", "the first chunk is no IHDR of 13 bytes", at: 8)
    }
    let header = Array(file.bytes[first.range])
    func side(_ start: Int) -> Int { header[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    let (width, height) = (side(0), side(4))
    try file.checkPixels(height: height, width: width, .png, limits)
    colourType = header[9]
    var kept = Self.signature + file.bytes[first.whole]
    var isGrey = colourType == 0 || colourType == 4
    while let chunk = try walk.next() {
      switch chunk.type {
      case "PLTE":
        if colourType == 3 { isGrey = Self.isGrey(palette: file.bytes[chunk.range]) }
        kept += file.bytes[chunk.whole]
      case "IDAT", "IEND": kept += file.bytes[chunk.whole]
      // A small letter first: a chunk that may be left aside (PNG §5.4).
      case let type where type.utf8.first.map({ $0 & 0x20 != 0 }) ?? false: break
      default: throw file.place.error(.malformed, "PNG", "an unknown chunk \(Archive.shown(chunk.type))", at: chunk.whole.lowerBound)
      }
    }
    bytes = kept
    head = PictureHead(height: height, width: width, isGrey: isGrey)
  }

  private static func isGrey(palette: ArraySlice<UInt8>) -> Bool {
    let values = Array(palette)
    for start in stride(from: 0, to: values.count - 2, by: 3) {
      let red = values[start]
      if values[start + 1] != red || values[start + 2] != red { return false }
    }
    return true
  }

  func decode() throws(DecodeError) -> Picture {
    // A palette's colours come as RGB, grey ones too.
    let stored = colourType == 0 || colourType == 4 ? 1 : 3
    var pixels = [UInt8](repeating: 0, count: head.height * head.width * stored)
    var message = [CChar](repeating: 0, count: 80)
    let isRead = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe pixels.withUnsafeMutableBufferPointer { pixels in
        unsafe message.withUnsafeMutableBufferPointer { message in
          unsafe fount_png_read(
            bytes.baseAddress, bytes.count, UInt32(head.height), UInt32(head.width), UInt32(stored), pixels.baseAddress,
            message.baseAddress) == 1
        }
      }
    }
    guard isRead else {
      let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw place.error(.malformed, "PNG", "is damaged: \(reason)")
    }
    let channels = head.isGrey ? 1 : 3
    return Picture(
      height: head.height, width: head.width, channels: channels,
      pixels: stored == channels ? pixels : Numbers.firstChannels(channels, of: stored, in: pixels))
  }
}

/// The chunks of a PNG in order: length, type, data, checksum (PNG §5.3). The last is IEND; what follows it is no part of the picture.
private struct ChunkWalk {
  struct Chunk {
    let type: String
    /// Its data.
    let range: Range<Int>
    /// With its length, type and checksum.
    let whole: Range<Int>
  }

  private let file: PictureFile
  private var position = PNGFile.signature.count
  private var isAtEnd = false

  init(_ file: PictureFile) { self.file = file }

  mutating func next() throws(DecodeError) -> Chunk? {
    if isAtEnd { return nil }
    let bytes = file.bytes
    guard bytes.count - position >= 12 else {
      throw file.place.error(.malformed, "PNG", "the file ends before its IEND chunk: it is cut off", at: bytes.count)
    }
    let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    let type = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
    guard length <= bytes.count - position - 12 else {
      let detail = "its chunk \(Archive.shown(type)) of \(length) bytes is cut off, or its length lies"
      throw file.place.error(.malformed, "PNG", detail, at: position)
    }
    let start = position + 8
    defer { position = start + length + 4 }
    isAtEnd = type == "IEND"
    return Chunk(type: type, range: start..<start + length, whole: position..<start + length + 4)
  }
}
