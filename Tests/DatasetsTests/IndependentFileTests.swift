import Datasets
import Foundation
import JSON
import Testing

/// Files that NumPy wrote, decoded and held against the numbers that NumPy wrote into them; and ours, read back by NumPy.
@Suite struct IndependentFileTests {
  /// Writes arrays of every type, order and version, and says what datasets they are.
  private static let writer = """
    import gzip, json, struct, sys
    import numpy as np
    from numpy.lib import format as fmt
    folder, seed = sys.argv[1], 7
    rng = np.random.default_rng(seed)
    shapes = [(5, 3), (1, 1), (7, 4, 3), (3, 2, 5, 1), (6, 3, 4, 3), (1, 130), (410, 330)]
    facts = []
    def numbers(dtype, shape, small):
        dtype = np.dtype(dtype)
        if dtype.kind == 'b': return rng.integers(0, 2, shape).astype(bool)
        if dtype.kind == 'f':
            values = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4, shape)
            return values.astype(dtype)
        info = np.iinfo(dtype)
        if small: return rng.integers(0, min(255, info.max), shape, endpoint=True).astype(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype.newbyteorder('='), endpoint=True).astype(dtype)
    def expect(name, array):
        fits = array.dtype.kind in 'bui' and array.min() >= 0 and array.max() <= 255
        want = array.astype('|u1' if fits else '<f4')
        np.ascontiguousarray(want).tofile(f'{folder}/{name}.want')
        shape = list(array.shape) + ([1] if array.ndim == 3 else [])
        facts.append(dict(name=name, element='uint8' if fits else 'float32', shape=shape, minimum=float(want.min()),
            maximum=float(want.max()), mean=float(want.astype('f8').mean())))
    for dtype in ['b1', 'u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8']:
        for endian in '<>':
            if dtype in ('b1', 'u1', 'i1') and endian == '>': continue
            for shape in shapes:
                for order in 'CF':
                    for small in ([True, False] if dtype[0] in 'ui' else [True]):
                        array = np.asarray(numbers(endian + dtype, shape, small), dtype=endian + dtype, order=order)
                        name = f'{dtype}{"le" if endian == "<" else "be"}-{"x".join(map(str, shape))}-{order}-{small}'
                        version = (1 + len(facts) % 3, 0)
                        opener = gzip.open if len(facts) % 4 == 0 else open
                        with opener(f'{folder}/{name}', 'wb') as file: fmt.write_array(file, array, version=version)
                        expect(name, array)
    idx = {'u1': 8, 'i1': 9, '>i2': 11, '>i4': 12, '>f4': 13, '>f8': 14}
    for dtype, code in idx.items():
        for shape in shapes:
            for small in (True, False):
                array = numbers(dtype, shape, small)
                name = f'idx{code}-{"x".join(map(str, shape))}-{small}'
                opener = gzip.open if len(facts) % 2 == 0 else open
                with opener(f'{folder}/{name}', 'wb') as file:
                    file.write(struct.pack('>BBBB', 0, 0, code, array.ndim))
                    for side in array.shape: file.write(struct.pack('>I', side))
                    file.write(array.tobytes())
                expect(name, array)
    # The values of float16 at their edges, every one of them.
    half = np.arange(65536, dtype='u2').view('f2')
    half = half[np.isfinite(half)].reshape(-1, 32)
    np.save(f'{folder}/half', half); import os; os.rename(f'{folder}/half.npy', f'{folder}/half')
    expect('half', half)
    json.dump(facts, open(f'{folder}/facts.json', 'w'))
    """

  /// Reads every dataset as NumPy does, memory-mapped, and compares.
  private static let reader = """
    import json, sys
    import numpy as np
    folder = sys.argv[1]
    facts = json.load(open(f'{folder}/facts.json'))
    for fact in facts:
        array = np.load(f'{folder}/{fact["name"]}.decoded/examples.npy', mmap_mode='r')
        assert array.dtype == ('|u1' if fact['element'] == 'uint8' else '<f4'), (fact, array.dtype)
        assert list(array.shape) == fact['shape'], (fact, array.shape)
        assert array.flags['C_CONTIGUOUS'] and array.offset % 64 == 0
        want = np.fromfile(f'{folder}/{fact["name"]}.want', array.dtype).reshape(array.shape)
        assert np.array_equal(array, want), fact
    print(len(facts))
    """

  @Test func `files that NumPy wrote decode to the same numbers, and NumPy reads what was decoded`() throws {
    let scratch = try ScratchFolder()
    let written = try run("/usr/bin/python3", ["-W", "ignore", "-c", Self.writer, scratch.path])
    try #require(written.status == 0, "\(written.output)")
    let facts = try #require(JSONValue(parsing: scratch.read("facts.json")).array)
    #expect(facts.count == 575)
    for fact in facts {
      let name = try #require(fact["name"]?.string)
      let folder = try scratch.folder("\(name).decoded")
      let description = try decode(upload: "\(scratch.path)/\(name)", into: folder)
      #expect(description.element.rawValue == fact["element"]?.string, "\(name)")
      #expect(JSONValue.array(description.dimensions.map { .integer($0) }) == fact["shape"], "\(name)")
      #expect(description.format == (name.hasPrefix("idx") ? "idx" : "npy"), "\(name)")
      #expect(description.minimum == fact["minimum"]?.number && description.maximum == fact["maximum"]?.number, "\(name)")
      let mean = try #require(fact["mean"]?.number)
      let magnitude = max(abs(description.minimum), abs(description.maximum))
      #expect(abs(description.mean - mean) <= 1e-12 * magnitude, "\(name)")
      let numbers = try Array(scratch.read("\(name).decoded/examples.npy").dropFirst(128))
      #expect(try numbers == scratch.read("\(name).want"), "\(name)")
    }
    let read = try run("/usr/bin/python3", ["-c", Self.reader, scratch.path])
    #expect(read.output == "\(facts.count)\n", "\(read.output)")
  }

  @Test func `arrays in Fortran's order larger than a block are put in order too`() throws {
    let scratch = try ScratchFolder()
    let program = """
      import sys
      import numpy as np
      folder = sys.argv[1]
      for name, shape, dtype in [('tall', (300000, 20), 'u1'), ('wide', (5, 1000, 1000, 1), 'u1'), ('square', (2500, 2500), 'u1'),
                                 ('colour', (40, 200, 300, 3), 'u1'), ('floats', (3000, 1700), '<f4')]:
          array = np.random.default_rng(1).integers(0, 256, shape).astype(dtype)
          np.save(open(f'{folder}/{name}', 'wb'), np.asfortranarray(array))
          array.tofile(f'{folder}/{name}.want')
      """
    let written = try run("/usr/bin/python3", ["-c", program, scratch.path])
    try #require(written.status == 0, "\(written.output)")
    for name in ["tall", "wide", "square", "colour", "floats"] {
      _ = try decode(upload: "\(scratch.path)/\(name)", into: scratch.folder())
      #expect(try Array(scratch.read("decoded/examples.npy").dropFirst(128)) == scratch.read("\(name).want"), "\(name)")
    }
  }

  @Test func `NumPy reads the answers that are encoded here`() throws {
    let scratch = try ScratchFolder()
    let bytes = try scratch.write(NPY.encode(shape: [2, 3, 1, 1], bytes: [1, 2, 3, 4, 5, 255]), as: "bytes.npy")
    let floats = try scratch.write(NPY.encode(shape: [3], floats: [1.5, -0.25, 3e38]), as: "floats.npy")
    let none = try scratch.write(NPY.encode(shape: [0, 4], bytes: []), as: "none.npy")
    let program = "import sys; import numpy as np; print(*[(a.dtype.str, a.shape, a.ravel().tolist()) for a in map(np.load, sys.argv[1:])])"
    let read = try run("/usr/bin/python3", ["-c", program, bytes, floats, none])
    #expect(
      read.output
        == "('|u1', (2, 3, 1, 1), [1, 2, 3, 4, 5, 255]) ('<f4', (3,), [1.5, -0.25, 3.0000000054977558e+38]) ('|u1', (0, 4), [])\n",
      "\(read.output)")
  }
}
