import Datasets
import Files
import JSON
import Testing

@Suite struct HandmadeFileTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func decoded(_ bytes: [UInt8]) throws -> Dataset {
    let folder = try scratch.folder()
    let description = try decode(upload: scratch.write(bytes), into: folder)
    let dataset = try Dataset(folder: folder)
    #expect(dataset.description == description)
    #expect(try Disk.list(folder) == ["dataset.json", "examples.npy"])
    return dataset
  }

  private func floats(_ dataset: Dataset) -> [Float] {
    var floats = [Float](repeating: -1, count: dataset.count * dataset.shape.dims)
    var span = floats.mutableSpan
    dataset.copyExamples(0..<dataset.count, into: &span)
    return floats
  }

  @Test func `IDX of bytes is grey pictures`() throws {
    let pixels = (0..<24).map { UInt8($0 * 10) }
    let dataset = try decoded(Handmade.idx([2, 3, 4], pixels))
    #expect(dataset.shape == .image(height: 3, width: 4, channels: 1))
    #expect(dataset.description.element == .uint8 && dataset.description.format == "idx")
    #expect(dataset.bytes(ofExample: 1) == Array(pixels[12...]))
    #expect((dataset.description.minimum, dataset.description.maximum, dataset.description.mean) == (0, 230, 115))
    #expect(!dataset.description.bits)
  }

  @Test func `IDX of four dimensions is pictures in colour, and of two a table`() throws {
    #expect(try decoded(Handmade.idx([1, 2, 2, 3], Array(0..<12))).shape == .image(height: 2, width: 2, channels: 3))
    #expect(try decoded(Handmade.idx([4, 3], Array(0..<12))).shape == .table(columns: 3))
  }

  @Test func `every type of IDX is read, big-endian`() throws {
    #expect(try floats(decoded(Handmade.idx(type: 0x09, [1, 2], [0xff, 5]))) == [-1, 5])
    #expect(try floats(decoded(Handmade.idx(type: 0x0b, [1, 2], [0xff, 0xfe, 1, 0]))) == [-2, 256])
    #expect(try floats(decoded(Handmade.idx(type: 0x0c, [1, 2], [0, 1, 0, 0, 0xff, 0xff, 0xff, 0xfd]))) == [65536, -3])
    #expect(try floats(decoded(Handmade.idx(type: 0x0d, [1, 1], [0x3f, 0xc0, 0, 0]))) == [1.5])
    #expect(try floats(decoded(Handmade.idx(type: 0x0e, [1, 1], [0xc0, 0x04, 0, 0, 0, 0, 0, 0]))) == [-2.5])
  }

  @Test func `wide integers become bytes where all of them fit, else floats`() throws {
    let small = try decoded(Handmade.idx(type: 0x0b, [1, 2], [0, 255, 0, 0]))
    #expect(small.description.element == .uint8 && small.bytes(ofExample: 0) == [255, 0])
    let large = try decoded(Handmade.idx(type: 0x0b, [1, 2], [0, 255, 1, 0]))
    #expect(large.description.element == .float32 && floats(large) == [255, 256])
  }

  @Test(arguments: [
    ([0, 1, 1, 0], true), ([0, 255, 0, 255], true), ([0, 0, 0, 0], true), ([0, 1, 255, 0], false), ([0, 2, 0, 0], false),
  ])
  func `bits are told`(pixels: [UInt8], bits: Bool) throws {
    #expect(try decoded(Handmade.idx([2, 2], pixels)).description.bits == bits)
  }

  @Test func `statistics of floats are those of the numbers`() throws {
    let bytes: [UInt8] = [0, 0, 0, 0xbf, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x20, 0x40]
    let description = try decoded(Handmade.npy("<f4", "(2, 2)", bytes)).description
    #expect((description.minimum, description.maximum, description.mean, description.bits) == (-0.5, 2.5, 1.25, false))
  }

  @Test func `NPY in Fortran's order is put in C's`() throws {
    #expect(try floats(decoded(Handmade.npy("|u1", "(2, 3)", [0, 3, 1, 4, 2, 5], order: "True"))) == [0, 1, 2, 3, 4, 5])
  }

  @Test func `odd but lawful spellings of an NPY header are read`() throws {
    for dictionary in [
      "{\"shape\":(2L,1),\"descr\":\"|u1\",\"fortran_order\":False}",
      "{ 'fortran_order' : False , 'shape':(2,1,) , 'descr':'<u1' , }   \n\n",
      "{'descr': '>u1', 'fortran_order': False, 'shape': ((2), (1))}",
    ] {
      for version in UInt8(1)...3 { #expect(try floats(decoded(Handmade.npy(dictionary, [7, 9], version: version))) == [7, 9]) }
    }
  }

  @Test func `gzip is read around any format, also in several members`() throws {
    let file = Handmade.idx([4, 3], Array(0..<12))
    let whole = try scratch.gzip(file)
    let parts = try scratch.gzip(Array(file[..<9])) + scratch.gzip([]) + scratch.gzip(Array(file[9...]))
    let plain = try decoded(file).description
    #expect(try decoded(whole).description == plain)
    #expect(try decoded(parts).description == plain)
  }

  @Test func `the name of an upload means nothing`() throws {
    let folder = try scratch.folder()
    let upload = try scratch.write(Handmade.idx([1, 1], [9]), as: "labels.npy.gz")
    #expect(try decode(upload: upload, into: folder).format == "idx")
  }

  @Test func `decoding again replaces what was there`() throws {
    #expect(try decoded(Handmade.idx([1, 2], [1, 2])).count == 1)
    #expect(try decoded(Handmade.idx([2, 1], [1, 2])).count == 2)
  }

  @Test func `examples come in the order asked for, repeats too`() throws {
    let dataset = try decoded(Handmade.idx([3, 2], [1, 2, 3, 4, 5, 6]))
    var floats = [Float](repeating: 0, count: 8)
    var span = floats.mutableSpan
    dataset.copyExamples([2, 0, 2, 1], into: &span)
    #expect(floats == [5, 6, 1, 2, 5, 6, 3, 4])
  }

  @Test func `a description survives JSON, and a damaged one is refused`() throws {
    let description = try decoded(Handmade.idx([1, 2, 2, 3], Array(0..<12))).description
    #expect(try DatasetDescription(json: JSONValue(parsing: description.json.serialized())) == description)
    guard case .object(let whole) = description.json else { throw DecodeTestFault() }
    // Datasets of a time before they were counted have no duplicates.
    for key in whole.keys where key != "duplicates" {
      var damaged = whole
      damaged[key] = nil
      #expect(DatasetDescription(json: .object(damaged)) == nil)
    }
    for shape in ["[]", "[0]", "[-1]", "[2,2,4]", "[1,2]", "[4611686018427387904,2,3]", "[1.5]", "\"a\"", "[9000000]"] {
      #expect(try ExampleShape(json: JSONValue(parsing: shape)) == nil)
    }
  }

  @Test func `a dataset that is not what its description says is refused`() throws {
    let folder = try scratch.folder()
    let description = try decode(upload: scratch.write(Handmade.idx([2, 3], Array(0..<6))), into: folder)
    let other = try decode(upload: scratch.write(Handmade.idx([3, 2], Array(0..<6))), into: scratch.folder("other"))
    let path = "\(folder)/examples.npy"
    #expect(throws: DatasetError.self) { try Dataset(mapping: path, description: other) }
    #expect(throws: DatasetError.self) { try Dataset(mapping: "\(folder)/absent", description: description) }
    let bytes = try scratch.read("decoded/examples.npy")
    for damaged in [Array(bytes.dropLast()), bytes + [0], Array(bytes.prefix(20)), []] {
      #expect(throws: DatasetError.self) { try Dataset(mapping: scratch.write(damaged), description: description) }
    }
    #expect(throws: DatasetError.self) { try Dataset(folder: scratch.path) }
  }
}

struct DecodeTestFault: Error {}
