import Foundation

/// A new folder for one test, removed with all that is in it when the test lets go of it.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("fount-datasets-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// Runs a program that must be there, and gives what it prints on both streams, and its exit status.
func run(_ program: String, _ arguments: [String]) throws -> (output: String, status: Int32) {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let printed = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (String(decoding: printed, as: UTF8.self), process.terminationStatus)
}

extension ScratchFolder {
  /// Writes a file without any code of ours.
  func write(_ bytes: [UInt8], as name: String = "upload") throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  func read(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))) }

  /// A folder in this one for a dataset.
  func folder(_ name: String = "decoded") throws -> String {
    let folder = "\(path)/\(name)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  /// The bytes gzipped by the system's gzip.
  func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let plain = try write(bytes, as: "plain-\(UUID().uuidString)")
    let result = try run("/usr/bin/gzip", ["-9", "-n", plain])
    guard result.status == 0 else { throw CocoaError(.fileWriteUnknown) }
    return try read(String((plain + ".gz").dropFirst(path.count + 1)))
  }
}

/// Files made by hand, byte by byte.
enum Handmade {
  static func bigEndian(_ value: Int, _ bytes: Int = 4) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func idx(type: UInt8 = 8, _ dimensions: [Int], _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, type, UInt8(dimensions.count)] + dimensions.flatMap { bigEndian($0) } + bytes
  }

  static func npy(_ dictionary: String, _ bytes: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = dictionary.utf8.count
    let field = bigEndian(length, version == 1 ? 2 : 4).reversed()
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + field + Array(dictionary.utf8) + bytes
  }

  static func npy(_ type: String, _ shape: String, _ bytes: [UInt8], order: String = "False") -> [UInt8] {
    npy("{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }\n", bytes)
  }
}
