import CJPEG

/// A JPEG (ITU-T T.81), grey or in colour, turned as its EXIF orientation says.
struct JPEGFile {
  let head: PictureHead
  private let file: PictureFile
  private let orientation: Orientation
  private let decompressor: JPEGDecompressor
  /// As the pixels are stored.
  private let height: Int
  private let width: Int

  init(_ file: PictureFile, _ limits: DecodeLimits, _ decompressor: JPEGDecompressor) throws(DecodeError) {
    self.file = file
    self.decompressor = decompressor
    guard let found = decompressor.head(of: file.bytes) else {
      throw file.place.error(.malformed, "JPEG", "is damaged: \(decompressor.reason)")
    }
    (height, width) = (found.height, found.width)
    try file.checkPixels(height: height, width: width, .jpeg, limits)
    guard found.colours != TJCS_CMYK.rawValue, found.colours != TJCS_YCCK.rawValue else {
      throw file.place.error(.unsupported, "JPEG", "is in CMYK, the colours of print; grey and RGB are allowed")
    }
    orientation = Orientation(ofJPEG: file.bytes)
    let isGrey = found.colours == TJCS_GRAY.rawValue
    head = PictureHead(
      height: orientation.isTransposed ? width : height, width: orientation.isTransposed ? height : width, isGrey: isGrey)
  }

  func decode() throws(DecodeError) -> Picture {
    let channels = head.isGrey ? 1 : 3
    guard let pixels = decompressor.decompress(file.bytes, height: height, width: width, channels: channels) else {
      throw file.place.error(.malformed, "JPEG", "is damaged: \(decompressor.reason)")
    }
    return orientation.apply(to: Picture(height: height, width: width, channels: channels, pixels: pixels))
  }
}

/// TurboJPEG's state, used for one picture after another. A class, for it owns a handle.
@safe final class JPEGDecompressor {
  private let handle: tjhandle

  init() {
    guard let handle = unsafe tjInitDecompress() else { preconditionFailure("TurboJPEG does not start") }
    unsafe self.handle = unsafe handle
  }

  deinit { _ = unsafe tjDestroy(handle) }

  /// Why the last call failed.
  var reason: String { unsafe tjGetErrorStr2(handle).map { unsafe String(cString: $0) } ?? "no reason is given" }

  func head(of bytes: [UInt8]) -> (height: Int, width: Int, colours: UInt32)? {
    var (width, height, subsampling, colours) = (Int32(0), Int32(0), Int32(0), Int32(0))
    let code = unsafe bytes.withUnsafeBufferPointer {
      unsafe tjDecompressHeader3(handle, $0.baseAddress, UInt($0.count), &width, &height, &subsampling, &colours)
    }
    guard code == 0, colours >= 0 else { return nil }
    return (Int(height), Int(width), UInt32(colours))
  }

  /// - Parameters: those of the head; `height * width * channels` bytes are made.
  func decompress(_ bytes: [UInt8], height: Int, width: Int, channels: Int) -> [UInt8]? {
    var pixels = [UInt8](repeating: 0, count: height * width * channels)
    let format = channels == 1 ? TJPF_GRAY : TJPF_RGB
    // The scans of a progressive picture are limited: each goes through all of it again.
    let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS
    let code = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe pixels.withUnsafeMutableBufferPointer { pixels in
        unsafe tjDecompress2(
          handle, bytes.baseAddress, UInt(bytes.count), pixels.baseAddress, Int32(width), 0, Int32(height), Int32(format.rawValue), flags)
      }
    }
    if code == 0 { return pixels }
    // Bytes too many between two parts of a picture are common and harm nothing; every other warning is of pixels that were guessed.
    let isWarning = unsafe tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue)
    return isWarning && reason.contains("extraneous bytes") ? pixels : nil
  }
}
