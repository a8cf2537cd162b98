import Datasets
import Foundation

/// One input of libFuzzer through sniffing and whatever decoder it comes to, as an upload; its first byte says what the client says of it.
///
/// What traps, runs past the fuzzer's memory or time, or leaves a file behind after a refusal, is a find.
@_cdecl("LLVMFuzzerTestOneInput") public func decodeOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  guard count > 1 else { return 0 }
  let folder = Scratch.folder
  let upload = folder + "-upload"
  guard FileManager.default.createFile(atPath: upload, contents: Data(bytes: bytes + 1, count: count - 1)) else { return 0 }
  var limits = DecodeLimits()
  (limits.bytesMax, limits.ratioFreeBytes, limits.picturePixelsMax) = (1 << 24, 1 << 22, 1 << 20)
  do {
    let description = try decode(upload: upload, into: folder, options: options(of: bytes[0]), limits: limits)
    guard (try? Dataset(folder: folder))?.description == description else { preconditionFailure("\(description) is not what is there") }
  } catch {
    let left = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    precondition(left.isEmpty, "\(left) after \(error)")
  }
  return 0
}

/// Half of the inputs say nothing.
private func options(of byte: UInt8) -> DecodeOptions {
  var options = DecodeOptions()
  switch byte & 7 {
  case 1: options.resize = DecodeOptions.Sides(height: 5, width: 7)
  case 2: options.labels = "1"
  case 3: (options.array, options.labels) = ("x", "y")
  case 4: options.format = UploadFormat.allCases[Int(byte >> 3) % UploadFormat.allCases.count]
  default: break
  }
  return options
}

private enum Scratch {
  static let folder: String = {
    let path = (FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()) + "/fount-fuzz-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)  // Without it every decoding fails.
    return path
  }()
}
