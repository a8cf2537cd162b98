import Foundation

/// A program of the system, run to its end.
struct Program {
  let status: Int32
  let output: [UInt8]
  /// What it said on both streams.
  var text: String { String(decoding: output, as: UTF8.self) }

  /// - Parameter input: what it reads; its input ends behind it.
  init(_ path: String, _ arguments: [String], input: [UInt8] = []) throws {
    let process = Process()
    let (output, inputPipe) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = output
    process.standardInput = inputPipe
    try process.run()
    let writing = Thread {
      // A program that ends before it has read all is told of by its status.
      try? inputPipe.fileHandleForWriting.write(contentsOf: input)
      try? inputPipe.fileHandleForWriting.close()
    }
    writing.start()
    self.output = Array(output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    status = process.terminationStatus
  }

  static func curl(_ arguments: String...) throws -> Program { try Program("/usr/bin/curl", ["-sS", "--max-time", "20"] + arguments) }

  static func openssl(_ arguments: [String], input: [UInt8] = []) throws -> Program {
    try Program("/usr/bin/openssl", arguments, input: input)
  }
}
