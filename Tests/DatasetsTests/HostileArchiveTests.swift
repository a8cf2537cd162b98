import Datasets
import Files
import Foundation
import JSON
import Testing

/// Archives, pictures, tables and tensors that an independent program damaged, or made to hurt.
@Suite struct HostileArchiveTests {
  /// The script beside this file, which says what each upload must be told.
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Hostile/uploads.py").path

  @Test func `each is refused for its own reason, soon, and leaves nothing behind`() throws {
    let scratch = try ScratchFolder()
    let written = try run("/usr/bin/python3", ["-W", "ignore", Self.script, scratch.path])
    try #require(written.status == 0, "\(written.output)")
    let facts = try #require(JSONValue(parsing: scratch.read("facts.json")).array)
    #expect(facts.count == 217)
    let folder = try scratch.folder()
    for fact in facts {
      let name = try #require(fact["name"]?.string)
      let upload = try "\(scratch.path)/\(#require(fact["path"]?.string))"
      let (kind, says) = try (#require(fact["kind"]?.string), #require(fact["says"]?.string))
      let start = ContinuousClock.now
      let options = options(fact["options"])
      let result = Result { () throws(DecodeError) in try decode(upload: upload, into: folder, options: options) }
      switch result {
      case .success(let description): Issue.record("\(name) was decoded: \(description.json.serialized())")
      case .failure(let error):
        #expect(kind.isEmpty ? error.kind != .disk : error.kind.rawValue == kind, "\(name): \(error)")
        #expect(says.isEmpty || error.description.contains(says), "\(name): \(error)")
      }
      #expect(ContinuousClock.now - start < .seconds(5), "\(name)")
      #expect(try Disk.list(folder) == [], "\(name)")
    }
  }

  private func options(_ json: JSONValue?) -> DecodeOptions {
    var options = DecodeOptions()
    options.format = json?["format"]?.string.flatMap(UploadFormat.init)
    options.array = json?["array"]?.string
    options.labels = json?["labels"]?.string
    options.resize = json?["resize"]?.string.flatMap(DecodeOptions.Sides.init)
    return options
  }

  @Test func `an archive with any byte replaced is refused or decoded, and never a trap`() throws {
    let scratch = try ScratchFolder()
    let program = """
      import io, sys, tarfile, zipfile, lzma, json, struct
      import numpy as np
      from PIL import Image
      rng = np.random.default_rng(5)
      def saved(form, mode):
          out, picture = io.BytesIO(), Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype='u1'))
          picture.convert(mode).save(out, form); return out.getvalue()
      def npy(a): out = io.BytesIO(); np.save(out, a); return out.getvalue()
      sets = dict(pictures=[('a/1.png', saved('PNG', 'L')), ('a/2.jpg', saved('JPEG', 'RGB')), ('b/3.png', saved('PNG', 'P'))],
          arrays=[('x.npy', npy(rng.standard_normal((4, 3)))), ('y.npy', npy(np.arange(4)))])
      for name, files in sets.items():
          with zipfile.ZipFile(f'{sys.argv[1]}/{name}-zip', 'w', zipfile.ZIP_DEFLATED) as archive:
              for file, data in files: archive.writestr(file, data)
          with tarfile.open(f'{sys.argv[1]}/{name}-tar', 'w') as archive:
              for file, data in files:
                  entry = tarfile.TarInfo(file); entry.size = len(data); archive.addfile(entry, io.BytesIO(data))
          data = open(f'{sys.argv[1]}/{name}-tar', 'rb').read()
          open(f'{sys.argv[1]}/{name}-xz', 'wb').write(lzma.compress(data))
      header = json.dumps(dict(x=dict(dtype='F32', shape=[2, 3], data_offsets=[0, 24]))).encode()
      open(f'{sys.argv[1]}/tensors', 'wb').write(struct.pack('<Q', len(header)) + header + np.arange(6, dtype='<f4').tobytes())
      open(f'{sys.argv[1]}/table', 'w').write('a,"b c",label\\n1,"2.5",x\\n3,4e2,"y"\\n')
      """
    let written = try run("/usr/bin/python3", ["-W", "ignore", "-c", program, scratch.path])
    try #require(written.status == 0, "\(written.output)")
    let folder = try scratch.folder()
    var random = SplitMix(state: 9)
    for name in ["pictures-zip", "pictures-tar", "pictures-xz", "arrays-zip", "arrays-tar", "arrays-xz", "tensors", "table"] {
      let good = try scratch.read(name)
      _ = try decode(upload: "\(scratch.path)/\(name)", into: folder, options: resized(name))
      for _ in 0..<50 * rounds {
        var damaged = good
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          damaged[Int.random(in: 0..<good.count, using: &random)] = .random(in: 0...255, using: &random)
        }
        if Bool.random(using: &random) { damaged.removeLast(Int.random(in: 0..<good.count, using: &random)) }
        do { _ = try decode(upload: scratch.write(damaged), into: folder, options: resized(name)) } catch { #expect(error is DecodeError) }
      }
    }
  }

  private func resized(_ name: String) -> DecodeOptions {
    var options = DecodeOptions()
    if name.hasPrefix("pictures") { options.resize = DecodeOptions.Sides(height: 8, width: 8) }
    return options
  }

  /// How many times the usual effort, as the environment says.
  private let rounds = ProcessInfo.processInfo.environment["FOUNT_ROUNDS"].flatMap { Int($0) } ?? 1
}
