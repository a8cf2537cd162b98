import Datasets
import Files
import Foundation
import JSON
import Tensors
import Testing
import Training

/// The server's side of a sampler that runs on a thread of this process, over a socket pair.
final class SamplerClient {
  private let descriptor: Int32
  private var reader = SamplerFrameReader()
  private let ended = DispatchSemaphore(value: 0)

  struct Closed: Error {}

  init(cacheBytesMax: Int = 1 << 30) throws {
    var pair: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { throw Closed() }
    let (mine, its) = (pair[0], pair[1])
    descriptor = mine
    let ended = ended
    Thread.detachNewThread {
      _ = SamplerCommand.run(fileDescriptor: its, cacheBytesMax: cacheBytesMax)
      close(its)
      ended.signal()
    }
  }

  deinit { close(descriptor) }

  func ask(_ request: SamplerRequest) throws -> SamplerFrame { try ask(request.frame.encoded()) }

  func ask(_ bytes: [UInt8]) throws -> SamplerFrame {
    // The requests of these tests fit into a socket's buffer.
    guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw Closed() }
    while true {
      if let frame = try reader.next() { return frame }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = recv(descriptor, &buffer, 1 << 16, 0)
      guard count > 0 else { throw Closed() }
      reader.append(buffer[..<count])
    }
  }

  /// Ends the stream; whether the sampler ended with it.
  func finish() -> Bool {
    shutdown(descriptor, Int32(SHUT_WR))
    return ended.wait(timeout: .now() + 10) == .success
  }
}

@Suite struct `A sampler` {
  let scratch: Scratch
  let attempts: Attempts
  let dataset: DatasetFile
  let checkpoint: ModelCheckpoint

  init() throws {
    scratch = try Scratch()
    dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: stripes(80))
    attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(["configuration": ["hidden_layers": [16], "orderings": 2]], training: ["epochs": 2], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    checkpoint = try #require(try attempts.model.current())
  }

  private func samples(
    _ selection: SamplerRequest.Selection, _ format: SamplerRequest.Format, seed: Int = 5, scale: Int = 1, temperature: Double = 1,
    threads: Int = 1
  ) -> SamplerRequest {
    .sample(
      .init(
        checkpoint: checkpoint.path, model: "mdl_test", selection: selection, seed: seed, temperature: temperature, scale: scale,
        format: format, threads: threads))
  }

  /// PNG by struct and zlib alone (RFC 2083 §6), NPY by numpy.
  private static let reading = """
    import struct, sys, zlib, numpy
    def png(path):
      data = open(path, "rb").read()
      assert data[:8] == b"\\x89PNG\\r\\n\\x1a\\n"
      place, packed, texts = 8, b"", {}
      while place < len(data):
        (length,) = struct.unpack(">I", data[place:place + 4])
        kind, body = data[place + 4:place + 8], data[place + 8:place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length:place + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR": width, height, depth, color = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT": packed += body
        if kind == b"iTXt":
          key, rest = body.split(b"\\0", 1)
          texts[key.decode()] = rest[2:].split(b"\\0", 2)[2].decode()
        place += 12 + length
      bpp = {0: 1, 2: 3}[color]
      raw, stride, rows = zlib.decompress(packed), width * bpp, []
      before = [0] * stride
      for y in range(height):
        filter, line = raw[y * (stride + 1)], list(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
          a, b, c = (line[i - bpp] if i >= bpp else 0), before[i], (before[i - bpp] if i >= bpp else 0)
          p = a + b - c
          paeth = min(((abs(p - v), n, v) for n, v in enumerate((a, b, c))))[2]
          line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[filter]) & 255
        rows.append(line)
        before = line
      return numpy.array(rows, dtype=numpy.uint8).reshape(height, width, bpp), texts

    """

  @Test func `gives pictures whose pixels are those of the array`() throws {
    let client = try SamplerClient()
    let grid = try client.ask(samples(.first(count: 7, columns: 3), .png, scale: 2))
    let array = try client.ask(samples(.first(count: 7, columns: nil), .npy))
    #expect(grid.header["content_type"] == "image/png" && array.header["content_type"] == "application/x-npy")
    try Disk.replace("\(scratch.path)/a.png", with: grid.payload)
    try Disk.replace("\(scratch.path)/a.npy", with: array.payload)
    let program =
      Self.reading + """
        picture, texts = png(sys.argv[1])
        a = numpy.load(sys.argv[2])
        print(a.shape, a.dtype, sorted(set(a.flatten().tolist())), picture.shape)
        same = all((picture[(i // 3) * 14:(i // 3) * 14 + 12:2, (i % 3) * 14:(i % 3) * 14 + 12:2] == a[i]).all() for i in range(7))
        print(same, texts["model"], texts["seed"], texts["count"], texts["step"])
        """
    let lines = try Python.run(program, "\(scratch.path)/a.png", "\(scratch.path)/a.npy").split(separator: "\n")
    #expect(lines.first == "(7, 6, 6, 1) uint8 [0, 255] (40, 40, 1)")
    #expect(lines.last == "True mdl_test 5 7 \(checkpoint.step)")
  }

  @Test func `draws the same bytes for the same seed, whatever the threads and whatever else is drawn`() throws {
    let one = try SamplerClient(), other = try SamplerClient()
    let many = try one.ask(samples(.first(count: 64, columns: nil), .npy))
    #expect(try other.ask(samples(.first(count: 64, columns: nil), .npy, threads: 2)) == many)
    #expect(try one.ask(samples(.first(count: 64, columns: nil), .npy, seed: 6)).payload != many.payload)
    let header = many.payload.count - 64 * 36
    for index in [0, 1, 17, 63] {
      let single = try other.ask(samples(.one(index: index), .npy, threads: 2))
      let expected = many.payload[header + index * 36..<header + (index + 1) * 36]
      #expect(single.payload.suffix(36) == expected, "sample \(index)")
    }
    #expect(try one.ask(samples(.first(count: 1, columns: nil), .npy)).payload.suffix(36) == many.payload[header..<header + 36])
    let grid = try one.ask(samples(.first(count: 64, columns: nil), .png))
    #expect(try other.ask(samples(.first(count: 64, columns: nil), .png, threads: 2)) == grid)
    #expect(try one.ask(samples(.one(index: 17), .png)) == other.ask(samples(.one(index: 17), .png, threads: 2)))
  }

  @Test func `numbers a single picture by its index`() throws {
    let client = try SamplerClient()
    try Disk.replace("\(scratch.path)/a.png", with: try client.ask(samples(.one(index: 4_000_000_000), .png)).payload)
    let program = Self.reading + "picture, texts = png(sys.argv[1]); print(picture.shape, texts[\"index\"], texts[\"seed\"])\n"
    #expect(try Python.run(program, "\(scratch.path)/a.png") == "(6, 6, 1) 4000000000 5\n")
  }

  @Test func `scores what it is given as the model does`() throws {
    let client = try SamplerClient()
    let answer = try client.ask(.score(.init(checkpoint: checkpoint.path, model: "mdl_test", dataset: dataset)))
    let json = try JSONValue(parsing: answer.payload)
    let nats = json["nats"]?.array?.compactMap(\.number) ?? []
    let bits = json["bits_per_dim"]?.array?.compactMap(\.number) ?? []
    #expect(nats.count == 80 && bits.count == 80 && json["estimator"] == "exact")
    #expect(nats.allSatisfy { $0 > 0 && $0 < 100 })
    #expect(zip(nats, bits).allSatisfy { abs($0 / 36 / log(2) - $1) < 1e-12 })
    let again = try client.ask(.score(.init(checkpoint: checkpoint.path, model: "mdl_test", dataset: dataset, threads: 2)))
    #expect(again.payload == answer.payload)
  }

  @Test func `shows a dataset without a model`() throws {
    let client = try SamplerClient()
    let answer = try client.ask(.preview(.init(dataset: dataset, count: 4, columns: 2)))
    #expect(answer.header["content_type"] == "image/png")
    try Disk.replace("\(scratch.path)/a.png", with: answer.payload)
    let program =
      Self.reading + """
        picture, texts = png(sys.argv[1])
        a = numpy.load(sys.argv[2]) * 255
        tile = lambda i: picture[(i // 2) * 8:(i // 2) * 8 + 6, (i % 2) * 8:(i % 2) * 8 + 6]
        print(picture.shape, all((tile(i) == a[i * 20]).all() for i in range(4)))
        """
    #expect(try Python.run(program, "\(scratch.path)/a.png", dataset.path) == "(14, 14, 1) True\n")
    #expect(try client.ask(.preview(.init(dataset: dataset, count: 1000))).header["count"] == 80)
  }

  @Test(arguments: [[-3e38, 0, 1, 3e38], [0, 0x1p-149, 0, 0x1p-149], [0x1p-132, 0, 0x1p-133, 0], [5, 5, 5, 5]] as [[Float]])
  func `shows values that are as far apart, or as near, as numbers can be`(values: [Float]) throws {
    let file = try scratch.dataset("far", shape: .table(columns: 4), floats: values)
    let answer = try SamplerClient().ask(.preview(.init(dataset: file, count: 1)))
    try Disk.replace("\(scratch.path)/a.png", with: answer.payload)
    let shown = try Python.run(Self.reading + "print(png(sys.argv[1])[0].flatten().tolist())\n", "\(scratch.path)/a.png")
    let (least, most) = (Double(values.min() ?? 0), Double(values.max() ?? 0))
    let expected = values.map { most > least ? Int(((Double($0) - least) / (most - least) * 255).rounded()) : 0 }
    #expect(shown == "\(expected)\n")
  }

  @Test func `refuses rows that are too many for one text of JSON, at once`() throws {
    let table = try scratch.dataset("wide", shape: .table(columns: 20_000), bytes: (0..<60_000).map { UInt8($0 / 7 % 2) })
    let other = try Attempts(scratch, "wide")
    try other.writeTraining(
      ["configuration": ["hidden_layers": [1], "direct_connections": false]], training: ["epochs": 1], dataset: table)
    #expect(WorkerCommand.run(folder: other.folder, attempt: 1, stop: StopRequest()) == 0)
    let path = try #require(try other.model.current()).path
    let client = try SamplerClient()
    func ask(_ count: Int) throws -> SamplerFrame {
      try client.ask(
        .sample(.init(checkpoint: path, model: "m", selection: .first(count: count, columns: nil), seed: 1, format: .json)))
    }
    #expect(try ask(1024).header["error"]?["reason"] == "too_large")
    #expect(try JSONValue(parsing: try ask(1).payload)["samples"]?.array?.first?.array?.count == 20_000)
  }

  @Test func `gives rows of a table as JSON in the units of the upload`() throws {
    let table = try scratch.dataset("table", shape: .table(columns: 36), bytes: stripes(40, on: 255))
    let other = try Attempts(scratch, "table")
    try other.writeTraining(training: ["epochs": 1], dataset: table)
    #expect(WorkerCommand.run(folder: other.folder, attempt: 1, stop: StopRequest()) == 0)
    let path = try #require(try other.model.current()).path
    let client = try SamplerClient()
    func ask(_ format: SamplerRequest.Format) throws -> SamplerFrame {
      try client.ask(
        .sample(.init(checkpoint: path, model: "mdl_t", selection: .first(count: 3, columns: nil), seed: 1, format: format)))
    }
    let rows = try JSONValue(parsing: try ask(.json).payload)["samples"]?.array ?? []
    #expect(rows.count == 3)
    let values = Set(rows.flatMap { $0.array ?? [] }.compactMap(\.number))
    #expect(values == [0, 255])
    #expect(try ask(.png).header["error"]?["reason"] == "unsupported")
    #expect(try ask(.npy).header["content_type"] == "application/x-npy")
    #expect(try client.ask(.preview(.init(dataset: table, count: 10))).header["content_type"] == "image/png")
  }

  @Test func `answers what it can't do and goes on`() throws {
    let client = try SamplerClient()
    func reason(_ header: JSONValue) throws -> String? {
      try client.ask(SamplerFrame(header: header).encoded()).header["error"]?["reason"]?.string
    }
    #expect(try reason(["do": "dance"]) == "bad_request")
    #expect(try reason(3) == "bad_request")
    let unseeded: JSONValue = ["do": "sample", "checkpoint": .string(checkpoint.path), "model": "m", "seed": -1, "format": "png"]
    #expect(try reason(unseeded) == "bad_request")
    let huge: JSONValue = ["do": "sample", "checkpoint": "x", "model": "m", "seed": 1, "format": "png", "count": 1_000_000_000]
    #expect(try reason(huge) == "bad_request")
    #expect(try reason(["do": "sample", "checkpoint": "/nowhere", "model": "m", "seed": 1, "format": "png"]) == "absent")
    let damaged = "\(scratch.path)/bad.safetensors"
    try Disk.replace(damaged, with: Array("not a checkpoint at all".utf8))
    let bad: JSONValue = ["do": "sample", "checkpoint": .string(damaged), "model": "m", "seed": 1, "format": "png"]
    #expect(try reason(bad) == "checkpoint")
    let grey = try scratch.dataset("grey", shape: smallPicture, bytes: (0..<72).map { UInt8($0) })
    let score = try client.ask(.score(.init(checkpoint: checkpoint.path, model: "m", dataset: grey)))
    #expect(score.header["error"]?["reason"] == "unsupported")
    #expect(try client.ask(samples(.first(count: 2, columns: nil), .png)).header.object?.keys.contains("error") == false)
    #expect(client.finish())
  }

  @Test func `gives the same answers when its cache holds no model for long`() throws {
    let small = try SamplerClient(cacheBytesMax: 1), large = try SamplerClient()
    for seed in 1...3 {
      let request = samples(.first(count: 3, columns: nil), .npy, seed: seed)
      #expect(try small.ask(request) == large.ask(request))
    }
  }
}

@Suite struct `Frames between server and sampler` {
  private let frames = [
    SamplerFrame(header: ["do": "a", "n": 1]), SamplerFrame(header: [:], payload: [1, 2, 3]),
    SamplerFrame(header: ["ä": "b"], payload: [UInt8](repeating: 7, count: 300)),
  ]

  @Test func `come out whole however the bytes come in`() throws {
    let bytes = frames.flatMap { $0.encoded() }
    for piece in [1, 2, 3, 7, bytes.count] {
      var reader = SamplerFrameReader()
      var found: [SamplerFrame] = []
      for start in stride(from: 0, to: bytes.count, by: piece) {
        reader.append(bytes[start..<min(start + piece, bytes.count)])
        while let frame = try reader.next() { found.append(frame) }
      }
      #expect(found == frames, "pieces of \(piece)")
    }
  }

  @Test func `that claim too much or are no JSON are refused`() {
    var long = SamplerFrameReader()
    long.append([255, 255, 255, 255])
    #expect(throws: SamplerFrameError.self) { _ = try long.next() }
    var payload = SamplerFrameReader()
    payload.append([2, 0, 0, 0, UInt8(ascii: "{"), UInt8(ascii: "}"), 255, 255, 255, 255, 255, 255, 255, 255])
    #expect(throws: SamplerFrameError.self) { _ = try payload.next() }
    var text = SamplerFrameReader()
    text.append([2, 0, 0, 0, UInt8(ascii: "{"), UInt8(ascii: "x"), 0, 0, 0, 0, 0, 0, 0, 0])
    #expect(throws: SamplerFrameError.self) { _ = try text.next() }
  }
}
