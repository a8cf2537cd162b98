import Files
import Foundation
import Tensors
import Testing
import Training

@Suite struct `A safetensors file` {
  private let file = Safetensors(
    metadata: ["family": "made", "note": "ä \"quoted\"\n"],
    tensors: [
      NamedTensor("hidden.0.weight", Tensor(shape: [2, 3], scalars: [1, -2.5, .leastNonzeroMagnitude, -0.0, 3.4e38, 1e-7])),
      NamedTensor("empty", Tensor(shape: [0, 4], scalars: [])),
      NamedTensor("number", Tensor(shape: [], scalars: [.pi])),
    ])

  @Test func `comes back with every bit and every text`() throws {
    let bytes = file.encoded()
    let read = try Safetensors(bytes, requiresDigest: true)
    #expect(read.metadata == file.metadata)
    #expect(read.tensors.map(\.name) == file.tensors.map(\.name))
    #expect(read.tensors.map(\.tensor.shape) == file.tensors.map(\.tensor.shape))
    for (a, b) in zip(read.tensors, file.tensors) {
      #expect(a.tensor.scalars.map(\.bitPattern) == b.tensor.scalars.map(\.bitPattern))
    }
    #expect(read.encoded() == bytes)
  }

  @Test func `has tensors at a multiple of eight bytes`() throws {
    let bytes = file.encoded()
    let length = bytes[..<8].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    #expect((8 + length) % 8 == 0)
  }

  @Test func `is refused when any one bit of it is changed`() throws {
    let bytes = file.encoded()
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1 << UInt8(index % 8)
      #expect(throws: SafetensorsError.self, "byte \(index)") { try Safetensors(damaged, requiresDigest: true) }
    }
  }

  @Test func `is refused when it is cut off anywhere or goes on after its end`() throws {
    let bytes = file.encoded()
    for count in bytes.indices {
      #expect(throws: SafetensorsError.self, "\(count) bytes") { try Safetensors(Array(bytes[..<count]), requiresDigest: true) }
    }
    #expect(throws: SafetensorsError.self) { try Safetensors(bytes + [0], requiresDigest: true) }
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "needs 8 bytes"),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#, "overflows"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#, "axis"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "data_offsets"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, "cut off"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "hole"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "overlap"),
    (#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, "F64"),
    (#"{"a":3}"#, "dtype"),
    (#"{"__metadata__":{"a":3}}"#, "not a string"),
    (#"[1]"#, "not a JSON object"),
    (#"{"a":"#, "header"),
  ])
  func `that lies is refused with the reason`(header: String, reason: String) throws {
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    bytes += Array(header.utf8) + [UInt8](repeating: 0, count: 8)
    let error = #expect(throws: SafetensorsError.self) { try Safetensors(bytes, requiresDigest: false) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test func `whose header claims to be longer than any file is refused before it is read`() {
    #expect(throws: SafetensorsError.headerLength(.max)) { try Safetensors([UInt8](repeating: 255, count: 64), requiresDigest: false) }
  }

  /// Read by a program that shares no line with ours: struct, json and numpy.
  @Test func `is read by Python with the same numbers`() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/a.safetensors"
    try Disk.replace(path, with: file.encoded())
    let program = """
      import json, struct, sys, numpy
      data = open(sys.argv[1], "rb").read()
      (length,) = struct.unpack("<Q", data[:8])
      header = json.loads(data[8:8 + length])
      print(header.pop("__metadata__")["note"] == "\\u00e4 \\"quoted\\"\\n")
      for name in sorted(header):
        start, end = header[name]["data_offsets"]
        a = numpy.frombuffer(data[8 + length + start:8 + length + end], dtype="<f4").reshape(header[name]["shape"])
        print(name, a.shape, a.astype("<f4").tobytes().hex())
      """
    let output = try Python.run(program, path)
    let lines = output.split(separator: "\n").map(String.init)
    #expect(lines.first == "True")
    #expect(lines.contains("empty (0, 4) "))
    #expect(lines.contains("number () da0f4940"))
    #expect(lines.contains("hidden.0.weight (2, 3) 0000803f000020c001000000000000809ec97f7f95bfd633"))
  }
}

/// Debian's Python, for what an independent program is to confirm.
enum Python {
  struct Failure: Error { let output: String }

  static func run(_ program: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", program] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(output: text) }
    return text
  }
}
