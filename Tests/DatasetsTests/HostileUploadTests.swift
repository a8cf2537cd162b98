import Datasets
import Files
import Foundation
import JSON
import Testing

/// An upload that must be refused: with which kind of error, saying what, at which byte.
struct HostileUpload: Sendable, CustomTestStringConvertible {
  let name: String
  let kind: DecodeError.Kind
  let says: String
  let offset: Int?
  let bytes: [UInt8]
  /// Whether the bytes are put through gzip first.
  var isGzipped = false

  init(_ name: String, _ kind: DecodeError.Kind, _ says: String, at offset: Int?, _ bytes: [UInt8]) {
    (self.name, self.kind, self.says, self.offset, self.bytes) = (name, kind, says, offset, bytes)
  }

  var testDescription: String { isGzipped ? "\(name), gzipped" : name }

  var gzipped: HostileUpload {
    var copy = self
    copy.isGzipped = true
    return copy
  }
}

extension HostileUpload {
  private static let good = Handmade.idx([2, 3], [0, 1, 2, 3, 4, 5])
  private static let nan: [UInt8] = [0, 0, 0xc0, 0x7f]
  private static let infinity: [UInt8] = [0, 0, 0x80, 0x7f]
  private static let one: [UInt8] = [0, 0, 0x80, 0x3f]

  /// Refused alike whether they come plain or gzipped.
  static let inAnyWrapping: [HostileUpload] = [
    HostileUpload("IDX cut off in its magic number", .malformed, "magic number, at byte 3", at: 3, [0, 0, 8]),
    HostileUpload("IDX of an unknown type", .malformed, "type, at byte 2: is 0x7", at: 2, [0, 0, 7, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5]),
    HostileUpload("IDX of type 0", .malformed, "type, at byte 2: is 0x0", at: 2, [UInt8](repeating: 0, count: 64)),
    HostileUpload("IDX cut off in a dimension", .malformed, "dimension 1, at byte 10", at: 10, [0, 0, 8, 2, 0, 0, 0, 1, 0, 0]),
    HostileUpload("IDX of no dimension", .unsupported, "one number alone", at: 4, [0, 0, 8, 0, 5]),
    HostileUpload("IDX of labels", .unsupported, "one dimension, as a list of labels", at: 8, Handmade.idx([3], [1, 2, 3])),
    HostileUpload("IDX of 5 dimensions", .unsupported, "5 dimensions", at: 24, Handmade.idx([1, 1, 1, 1, 1], [1])),
    HostileUpload("IDX of 255 dimensions", .unsupported, "255 dimensions", at: 1024, Handmade.idx([Int](repeating: 1, count: 255), [1])),
    HostileUpload("IDX of 0 examples", .unsupported, "dimension 0, at byte 12: is 0", at: 12, Handmade.idx([0, 3], [])),
    HostileUpload("IDX of pictures 0 wide", .unsupported, "dimension 2", at: 16, Handmade.idx([5, 3, 0], [])),
    HostileUpload("IDX of two channels", .unsupported, "2 channels; 1 (grey) or 3 (RGB)", at: 20, Handmade.idx([1, 1, 1, 2], [1, 2])),
    HostileUpload("IDX of channels first", .unsupported, "channels come last", at: 20, Handmade.idx([1, 3, 2, 2], Array(0..<12))),
    HostileUpload("IDX of 2^32 - 1 items", .malformed, "cut off", at: nil, Handmade.idx([0xffff_ffff, 2], [1, 2])),
    HostileUpload(
      "IDX whose product overflows", .tooLarge, "more numbers in an example", at: 20,
      Handmade.idx([0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 3], [])),
    HostileUpload(
      "IDX of examples too large", .tooLarge, "more numbers in an example than 4194304", at: 16, Handmade.idx([1, 4096, 4096], [1])),
    HostileUpload("IDX of too many bytes", .tooLarge, "would be more than", at: 12, Handmade.idx(type: 0x0e, [0xffff_ffff, 1000], [1])),
    HostileUpload(
      "NPY of 2^32 examples", .tooLarge, "4294967296 examples; at most 4294967295 are allowed", at: nil,
      Handmade.npy("|u1", "(4294967296, 1)", [1])),
    HostileUpload("IDX without its last byte", .malformed, "cut off", at: 17, Array(good.dropLast())),
    HostileUpload("IDX with a byte too many", .malformed, "bytes follow", at: 18, good + [0]),
    HostileUpload("IDX twice", .malformed, "bytes follow", at: 18, good + good),
    HostileUpload("NPY cut off in its magic", .unsupported, "no known format", at: 0, [0x93, 0x4e, 0x55]),
    HostileUpload("NPY cut off in its version", .malformed, "version, at byte 7", at: 7, [0x93] + Array("NUMPY".utf8) + [1]),
    HostileUpload("NPY of version 0", .unsupported, "is 0.0", at: 6, [0x93] + Array("NUMPY".utf8) + [0, 0, 10, 0]),
    HostileUpload("NPY of version 4", .unsupported, "is 4.0", at: 6, Handmade.npy("{}", [], version: 4)),
    HostileUpload("NPY of version 1.9", .unsupported, "is 1.9", at: 6, [0x93] + Array("NUMPY".utf8) + [1, 9, 10, 0]),
    HostileUpload("NPY of a header of no bytes", .malformed, "is 0; 1 to 65536", at: 8, Handmade.npy("", [])),
    HostileUpload(
      "NPY of a header of 4 GB", .malformed, "is 4294967295", at: 8, [0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255]),
    HostileUpload(
      "NPY cut off in its header", .malformed, "dictionary, at byte 15", at: 15,
      [0x93] + Array("NUMPY".utf8) + [1, 0, 99, 0] + Array("{'des".utf8)),
    HostileUpload(
      "NPY whose header is an expression", .malformed, "a literal must stand here", at: 10,
      Handmade.npy("__import__('os').system('id')", [])),
    HostileUpload(
      "NPY with a call in its shape", .malformed, "a literal must stand here", at: 61,
      Handmade.npy("|u1", "(open('/etc/passwd'), 1)", [1])),
    HostileUpload("NPY whose header is a list", .malformed, "is no dictionary", at: 10, Handmade.npy("[1, 2]", [])),
    HostileUpload("NPY whose header is a string", .malformed, "is no dictionary", at: 10, Handmade.npy("'a'", [])),
    HostileUpload("NPY whose header does not end", .malformed, "a comma or '}'", at: nil, Handmade.npy("{'descr': '|u1'", [])),
    HostileUpload("NPY whose string does not end", .malformed, "a string does not end", at: nil, Handmade.npy("{'descr", [])),
    HostileUpload("NPY with an escape in a string", .malformed, "an escape", at: nil, Handmade.npy("{'de\\x00scr': '|u1'}", [])),
    HostileUpload("NPY with NULs in its header", .malformed, "a key in quotes", at: 11, Handmade.npy("{\0\0}", [])),
    HostileUpload(
      "NPY of 30 000 brackets", .malformed, "brackets are open", at: nil, Handmade.npy(String(repeating: "(", count: 30_000), [])),
    HostileUpload(
      "NPY of 60 000 nested dictionaries", .malformed, "brackets are open", at: nil,
      Handmade.npy(String(repeating: "{'a':", count: 12_000), [])),
    HostileUpload(
      "NPY without a shape", .malformed, "exactly 'descr', 'fortran_order' and 'shape'", at: 10,
      Handmade.npy("{'descr': '|u1', 'fortran_order': False}", [])),
    HostileUpload(
      "NPY with a key too many", .malformed, "'more'", at: 10,
      Handmade.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), 'more': 1}", [1])),
    HostileUpload(
      "NPY with a key twice", .malformed, "comes twice", at: nil, Handmade.npy("{'shape': (1, 1), 'descr': '|u1', 'shape': (1, 1)}", [1])),
    HostileUpload(
      "NPY with a word after its header", .malformed, "something follows", at: nil,
      Handmade.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)} 1", [1])),
    HostileUpload(
      "NPY whose order is a number", .malformed, "fortran_order, at byte 10: must be True or False", at: 10,
      Handmade.npy("|u1", "(1, 1)", [1], order: "0")),
    HostileUpload("NPY whose shape is a list", .malformed, "must be a tuple", at: 10, Handmade.npy("|u1", "[1, 1]", [1])),
    HostileUpload("NPY whose shape is a number", .malformed, "must be a tuple", at: 10, Handmade.npy("|u1", "(1)", [1])),
    HostileUpload("NPY of a negative dimension", .malformed, "dimension 0", at: 10, Handmade.npy("|u1", "(-1, 1)", [1])),
    HostileUpload("NPY of a fractional dimension", .malformed, "a comma or ')'", at: nil, Handmade.npy("|u1", "(1.5, 1)", [1])),
    HostileUpload(
      "NPY of a dimension past 64 bits", .malformed, "an integer must fit 64 bits", at: nil,
      Handmade.npy("|u1", "(99999999999999999999, 1)", [1])),
    HostileUpload(
      "NPY whose product overflows", .tooLarge, "examples; at most", at: nil, Handmade.npy("<f8", "(9223372036854775807, 8)", [1])),
    HostileUpload(
      "NPY of as much as can be", .tooLarge, "would be more than", at: nil, Handmade.npy("<f8", "(4294967295, 4194304)", [1])),
    HostileUpload(
      "NPY whose sides overflow", .tooLarge, "more numbers in an example", at: nil,
      Handmade.npy("|u1", "(1, 4611686018427387904, 4611686018427387904)", [1])),
    HostileUpload("NPY of no dimension", .unsupported, "one number alone", at: nil, Handmade.npy("|u1", "()", [1])),
    HostileUpload("NPY of one dimension", .unsupported, "has one dimension", at: nil, Handmade.npy("|u1", "(3,)", [1, 2, 3])),
    HostileUpload(
      "NPY of 32 dimensions", .unsupported, "32 dimensions", at: nil, Handmade.npy("|u1", "(\(String(repeating: "1,", count: 32)))", [1])),
    HostileUpload("NPY of nothing", .unsupported, "dimension 0", at: nil, Handmade.npy("|u1", "(0, 4)", [])),
    HostileUpload(
      "NPY of pickled objects", .unsupported, "pickled and never loaded", at: 10, Handmade.npy("|O", "(1, 1)", [0x80, 4, 0x2e])),
    HostileUpload(
      "NPY of records", .unsupported, "structured array", at: 10,
      Handmade.npy("{'descr': [('x', '<f4'), ('y', '<i4', (2, 2))], 'fortran_order': False, 'shape': (1, 1)}", [])),
    HostileUpload(
      "NPY of sub-arrays", .unsupported, "sub-arrays", at: 10,
      Handmade.npy("{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (1, 1)}", [])),
    HostileUpload("NPY of complex numbers", .unsupported, "complex", at: 10, Handmade.npy("<c8", "(1, 1)", [])),
    HostileUpload("NPY of strings", .unsupported, "strings", at: 10, Handmade.npy("<U5", "(1, 1)", [])),
    HostileUpload("NPY of byte strings", .unsupported, "byte strings", at: 10, Handmade.npy("|S5", "(1, 1)", [])),
    HostileUpload("NPY of dates", .unsupported, "dates", at: 10, Handmade.npy("<M8[ns]", "(1, 1)", [])),
    HostileUpload("NPY of raw bytes", .unsupported, "raw or structured", at: 10, Handmade.npy("|V4", "(1, 1)", [])),
    HostileUpload("NPY of 128-bit floats", .unsupported, "floats of that width", at: 10, Handmade.npy("<f16", "(1, 1)", [])),
    HostileUpload("NPY of an unknown type", .unsupported, "unknown type", at: 10, Handmade.npy("<u3", "(1, 1)", [])),
    HostileUpload("NPY without a byte order", .malformed, "says no byte order", at: 10, Handmade.npy("|f4", "(1, 1)", one)),
    HostileUpload("NPY whose type is empty", .malformed, "must begin with", at: 10, Handmade.npy("", "(1, 1)", [1])),
    HostileUpload(
      "NPY whose type is a number", .malformed, "must be a string", at: 10,
      Handmade.npy("{'descr': 4, 'fortran_order': False, 'shape': (1, 1)}", [])),
    HostileUpload(
      "NPY whose type is long", .malformed, "must begin with", at: 10, Handmade.npy(String(repeating: "<f4", count: 9_000), "(1, 1)", [])),
    HostileUpload("NPY without its numbers", .malformed, "cut off", at: nil, Handmade.npy("|u1", "(2, 2)", [])),
    HostileUpload("NPY with a byte too many", .malformed, "bytes follow", at: nil, Handmade.npy("|u1", "(2, 1)", [1, 2, 3])),
    HostileUpload(
      "NaN in float32", .malformed, "example 1, number 0, at byte 78: is NaN", at: 78,
      Handmade.npy("<f4", "(2, 2)", one + one + nan + one)),
    HostileUpload(
      "infinity in float32", .malformed, "example 0, number 1, at byte 74: is infinity", at: 74,
      Handmade.npy("<f4", "(2, 2)", one + infinity + nan + one)),
    HostileUpload(
      "NaN in Fortran's order", .malformed, "example 0, number 1, at byte 77: is NaN", at: 77,
      Handmade.npy("<f4", "(2, 2)", one + one + nan + one, order: "True")),
    HostileUpload("-infinity in float16", .malformed, "is -infinity", at: nil, Handmade.npy("<f2", "(1, 1)", [0, 0xfc])),
    HostileUpload(
      "NaN in big-endian float64", .malformed, "is NaN", at: nil, Handmade.npy(">f8", "(1, 1)", [0x7f, 0xf8, 0, 0, 0, 0, 0, 0])),
    HostileUpload(
      "float64 too large for float32", .malformed, "is 1e+300, too large for the 32-bit floats", at: nil,
      Handmade.npy("<f8", "(1, 1)", [0x9c, 0x75, 0x00, 0x88, 0x3c, 0xe4, 0x37, 0x7e])),
    HostileUpload(
      "NaN in an IDX", .malformed, "example 0, number 0, at byte 12: is NaN", at: 12, Handmade.idx(type: 0x0d, [1, 1], [0x7f, 0xc0, 0, 0])),
    HostileUpload("bool of 2", .malformed, "is the byte 2; a bool must be 0 or 1", at: nil, Handmade.npy("|b1", "(1, 2)", [1, 2])),
    HostileUpload("a ZIP archive cut off", .malformed, "is damaged", at: nil, [0x50, 0x4b, 3, 4, 20, 0, 0, 0]),
    HostileUpload("a PNG", .unsupported, "PNG", at: 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    HostileUpload("a JPEG", .unsupported, "JPEG", at: 0, [0xff, 0xd8, 0xff, 0xe0]),
    HostileUpload(
      "a TAR archive whose sum is wrong", .unsupported, "damaged TAR", at: 0, [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8)),
    HostileUpload("a pickle", .unsupported, "pickle, which is never loaded", at: 0, [0x80, 4, 0x95, 0, 0]),
    HostileUpload("text", .unsupported, "is text, and no table of numbers", at: nil, Array("a,b,c\n".utf8)),
    HostileUpload("JSON", .unsupported, "text in JSON", at: 0, Array("{\"a\": 1}".utf8)),
    HostileUpload("noise", .unsupported, "begins with the bytes 07 e3 01 99", at: 0, [7, 0xe3, 1, 0x99, 0xaa]),
    HostileUpload("one byte", .unsupported, "no known format", at: 0, [1]),
  ]

  /// What only makes sense plain, or only gzipped.
  static let wrapped: [HostileUpload] = [
    HostileUpload("nothing", .malformed, "the upload, at byte 0: is empty", at: 0, []),
    HostileUpload("nothing", .malformed, "at byte 0 of the decompressed data: decompresses to nothing", at: 0, []).gzipped,
    HostileUpload("gzip of its magic alone", .malformed, "cut off", at: 2, [0x1f, 0x8b]),
    HostileUpload(
      "gzip of another method", .malformed, "damaged: unknown compression method", at: nil, [0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3]),
    HostileUpload(
      "gzip with a reserved block type", .malformed, "damaged: invalid block type", at: nil,
      [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff]),
    HostileUpload(
      "gzip with a reserved flag", .malformed, "damaged: unknown header flags", at: nil, [0x1f, 0x8b, 8, 0xe0, 0, 0, 0, 0, 0, 3]),
  ]
}

/// A sequence that is the same in every run (Steele, Lea & Flood 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

@Suite struct HostileUploadTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func refusal(_ bytes: [UInt8], _ limits: DecodeLimits = DecodeLimits()) throws -> DecodeError {
    let folder = try scratch.folder()
    let upload = try scratch.write(bytes)
    let error = try #require(throws: DecodeError.self) { try decode(upload: upload, into: folder, limits: limits) }
    #expect(try Disk.list(folder) == [], "something half-written stays")
    #expect(error.description.utf8.count < 600)
    #expect(try JSONValue(parsing: error.json.serialized())["detail"]?.string == error.description)
    return error
  }

  private func expectRefusal(_ hostile: HostileUpload) throws {
    let error = try refusal(hostile.isGzipped ? scratch.gzip(hostile.bytes) : hostile.bytes)
    #expect(error.kind == hostile.kind, "\(error)")
    if let offset = hostile.offset { #expect(error.offset == offset, "\(error)") }
    let says = hostile.isGzipped ? error.description.replacingOccurrences(of: " of the decompressed data", with: "") : error.description
    #expect(says.contains(hostile.says) || error.description.contains(hostile.says), "\(error)")
  }

  @Test(arguments: HostileUpload.inAnyWrapping + HostileUpload.wrapped) func `a hostile upload is refused`(hostile: HostileUpload) throws {
    try expectRefusal(hostile)
  }

  @Test(arguments: HostileUpload.inAnyWrapping) func `gzipped it is refused alike`(hostile: HostileUpload) throws {
    try expectRefusal(hostile.gzipped)
  }

  @Test func `a gzip inside a gzip is refused by name`() throws {
    let inner = try scratch.gzip(Handmade.idx([1, 1], [1]))
    let error = try refusal(scratch.gzip(inner))
    #expect(error.kind == .unsupported && error.detail.contains("gzip inside gzip"))
  }

  @Test func `a file cut off at any byte is refused, plain and gzipped`() throws {
    let idx = Handmade.idx([3, 2, 2], Array(0..<12))
    let npy = Handmade.npy("<f4", "(1, 2)", [0, 0, 0, 0, 0, 0, 0x80, 0x3f])
    for file in try [idx, npy, scratch.gzip(idx), scratch.gzip(npy)] {
      for count in 0..<file.count { #expect(try refusal(Array(file[..<count])).kind != .disk) }
    }
  }

  @Test func `a gzip with any bit wrong is refused or decodes to the same numbers`() throws {
    let idx = Handmade.idx([10, 10], (0..<100).map { UInt8($0) })
    let file = try scratch.gzip(idx)
    let folder = try scratch.folder("good")
    let good = try decode(upload: scratch.write(idx), into: folder)
    for bit in 0..<8 * file.count {
      var damaged = file
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let decoded = Result { try decode(upload: scratch.write(damaged), into: folder) }
      // A header's flags and times are not under the checksum.
      if case .success(let description) = decoded { #expect(description == good) }
      if case .failure(let error) = decoded { #expect(error is DecodeError) }
    }
  }

  @Test func `a header with any byte replaced is refused or decoded, and never a trap`() throws {
    var random = SplitMix(state: 1)
    let folder = try scratch.folder()
    for file in [Handmade.idx([3, 2, 2, 1], Array(0..<12)), Handmade.npy("<f4", "(1, 2)", [0, 0, 0, 0, 0, 0, 0x80, 0x3f])] {
      for _ in 0..<600 {
        var damaged = file
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          damaged[Int.random(in: 0..<file.count, using: &random)] = .random(in: 0...255)
        }
        do { _ = try decode(upload: scratch.write(damaged), into: folder) } catch { #expect(error is DecodeError) }
      }
    }
  }

  @Test func `a gzip bomb is refused by its ratio, and one of many members too`() throws {
    let zeros = [UInt8](repeating: 0, count: 64 << 20)
    let bomb = try scratch.gzip(Handmade.npy("|u1", "(\(64 << 10), 1024)", zeros))
    #expect(bomb.count < 100_000)
    let error = try refusal(bomb)
    #expect(error.kind == .tooLarge && error.detail.contains("400 times its size"))
    let members =
      try scratch.gzip(Handmade.npy("|u1", "(\(640 << 10), 1024)", [])) + [[UInt8]](repeating: scratch.gzip(zeros), count: 10).joined()
    #expect(try refusal(members).kind == .tooLarge)
  }

  @Test func `more bytes than allowed are refused, whether the header says so or hides it`() throws {
    var limits = DecodeLimits()
    limits.bytesMax = 1_000
    limits.ratioFreeBytes = 1 << 30
    #expect(try refusal(Handmade.idx([1_001, 1], [UInt8](repeating: 1, count: 1_001)), limits).kind == .tooLarge)
    let hidden = Handmade.idx([1, 1], [UInt8](repeating: 1, count: 5_000_000))
    #expect(try refusal(scratch.gzip(hidden), limits).kind == .tooLarge)
    // As float32, these 300 integers would be more than 1 000 bytes.
    #expect(try refusal(Handmade.idx(type: 0x0b, [300, 1], [UInt8](repeating: 1, count: 600)), limits).kind == .tooLarge)
  }

  @Test func `a time limit is kept`() throws {
    var limits = DecodeLimits()
    limits.processorSecondsMax = 0
    let error = try refusal(Handmade.idx([1, 1], [1]), limits)
    #expect(error.kind == .tooLarge && error.detail.contains("more than 0 seconds"))
  }

  @Test func `a folder that is absent is the disk's fault and not the upload's`() throws {
    let upload = try scratch.write(Handmade.idx([1, 1], [1]))
    let error = #expect(throws: DecodeError.self) { try decode(upload: upload, into: "\(scratch.path)/absent") }
    #expect(error?.kind == .disk && error?.errno?.meansAbsent == true)
    #expect(throws: DecodeError.self) { try decode(upload: "\(scratch.path)/absent", into: scratch.path) }
    #expect(throws: DecodeError.self) { try decode(upload: scratch.path, into: scratch.path) }
  }
}
