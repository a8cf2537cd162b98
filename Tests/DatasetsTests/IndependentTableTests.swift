import Datasets
import Foundation
import JSON
import Testing

/// NPZ files that NumPy wrote, CSV that Python's csv module wrote, safetensors and CIFAR files that Python packed: decoded and held against
/// the numbers that were put into them.
@Suite struct IndependentTableTests {
  private static let writer = """
    import csv, gzip, io, json, lzma, os, struct, subprocess, sys, tarfile, zipfile
    import numpy as np
    folder = sys.argv[1]
    rng = np.random.default_rng(11)
    facts = []
    def fact(name, format, array, labels=None, classes=None, **query):
        array = np.asarray(array)
        fits = array.dtype.kind in 'bui' and array.min() >= 0 and array.max() <= 255
        np.ascontiguousarray(array.astype('|u1' if fits else '<f4')).tofile(f'{folder}/{name}.want')
        shape = list(array.shape) + ([1] if array.ndim == 3 else [])
        flat = array.reshape(len(array), -1)
        facts.append(dict(name=name, format=format, element='uint8' if fits else 'float32', shape=shape, labels=labels, classes=classes,
            duplicates=len(flat) - len(np.unique(flat, axis=0)), **query))
    def write(name, data): open(f'{folder}/{name}', 'wb').write(data)
    # NPZ: one array, several of which one is named, labels by name or because nothing else fits.
    pictures = rng.integers(0, 256, (12, 5, 4, 3), dtype='u1'); digits = rng.integers(0, 10, 12); reals = rng.standard_normal((12, 7))
    classes = [str(c) for c in np.unique(digits)]; ranks = np.searchsorted(np.unique(digits), digits).tolist()
    for kind, save in (('plain', np.savez), ('deflated', np.savez_compressed)):
        def npz(name, **arrays): save(f'{folder}/{name}', **arrays); os.rename(f'{folder}/{name}.npz', f'{folder}/{name}')
        npz(f'npz-{kind}-one', x=pictures); fact(f'npz-{kind}-one', 'npz', pictures)
        npz(f'npz-{kind}-two', train=reals, test=reals + 1); fact(f'npz-{kind}-two', 'npz', reals + 1, pick='test')
        npz(f'npz-{kind}-labels', y=digits.astype('i8'), x=pictures); fact(f'npz-{kind}-labels', 'npz', pictures, ranks, classes)
        npz(f'npz-{kind}-named', a=digits.astype('>u2'), b=digits * 0, x=np.asfortranarray(reals))
        fact(f'npz-{kind}-named', 'npz', reals, ranks, classes, options_labels='a')
        npz(f'npz-{kind}-negative', x=reals.astype('f2'), y=-digits.astype('i1'))
        values = np.unique(-digits)
        fact(f'npz-{kind}-negative', 'npz', reals.astype('f2'), np.searchsorted(values, -digits).tolist(), [str(v) for v in values])
    with zipfile.ZipFile(f'{folder}/mnist', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('train-images-idx3-ubyte', struct.pack('>BBBBIII', 0, 0, 8, 3, 12, 5, 4) + pictures[..., 0].tobytes())
        archive.writestr('train-labels-idx1-ubyte', struct.pack('>BBBBI', 0, 0, 8, 1, 12) + digits.astype('u1').tobytes())
    fact('mnist', 'npz', pictures[..., 0], ranks, classes)
    # Whole-file compression around NPY.
    npy = io.BytesIO(); np.save(npy, reals); npy = npy.getvalue()
    write('npy-xz', lzma.compress(npy)); fact('npy-xz', 'npy', reals)
    write('npy-xz-two', lzma.compress(npy[:300]) + lzma.compress(npy[300:])); fact('npy-xz-two', 'npy', reals)
    write('npy-zstd', subprocess.run(['zstd', '-c'], input=npy, capture_output=True, check=True).stdout); fact('npy-zstd', 'npy', reals)
    large = rng.integers(0, 256, (3000, 400), dtype='u1'); big = io.BytesIO(); np.save(big, large)
    write('npy-zstd-large', subprocess.run(['zstd', '-c', '--long=24', '-5'], input=big.getvalue(), capture_output=True, check=True).stdout)
    fact('npy-zstd-large', 'npy', large)
    # safetensors, of every type.
    codes = {'?': 'BOOL', 'u1': 'U8', 'i1': 'I8', '<u2': 'U16', '<i2': 'I16', '<u4': 'U32', '<i4': 'I32', '<u8': 'U64', '<i8': 'I64',
        '<f2': 'F16', '<f4': 'F32', '<f8': 'F64'}
    def safetensors(tensors, metadata=True):
        header, offset, data = ({'__metadata__': {'made': 'by hand'}} if metadata else {}), 0, b''
        for name, code, array in tensors:
            header[name] = dict(dtype=code, shape=list(array.shape), data_offsets=[offset, offset + array.nbytes])
            offset += array.nbytes; data += array.tobytes()
        text = json.dumps(header).encode(); text += b' ' * (-len(text) % 8)
        return struct.pack('<Q', len(text)) + text + data
    for dtype, code in codes.items():
        array = (rng.integers(0, 2, (6, 4)) if dtype == '?' else rng.integers(0, 120, (6, 4))).astype(dtype)
        write(f'safetensors-{code}', safetensors([('x', code, array)])); fact(f'safetensors-{code}', 'safetensors', array)
    brain = (reals.astype('<f4').view('<u4') >> 16).astype('<u2'); wide = (brain.astype('<u4') << 16).view('<f4')
    write('safetensors-BF16', safetensors([('x', 'BF16', brain)])); fact('safetensors-BF16', 'safetensors', wide)
    many = [('z', 'I64', digits.astype('<i8')), ('a', 'U8', pictures), ('b', 'F64', reals.astype('<f8'))]
    for name, array in (('a', pictures), ('b', reals)):
        write(f'safetensors-many-{name}', safetensors(many, False))
        fact(f'safetensors-many-{name}', 'safetensors', array, ranks, classes, pick=name)
    # CSV in the dialects that people have.
    names = ['first', 'second', 'label']
    def table(name, rows, header=None, encoding='utf-8', **dialect):
        text = io.StringIO(newline='')
        csv.writer(text, **dialect).writerows(([header] if header else []) + [list(r) for r in rows])
        write(name, text.getvalue().encode(encoding))
    whole = rng.integers(0, 256, (40, 3)); whole[7] = whole[3]
    mixed = rng.standard_normal((40, 3)) * 10.0 ** rng.integers(-30, 30, (40, 3))
    for tag, array in (('whole', whole), ('mixed', mixed), ('negative', whole - 128), ('bits', whole % 2)):
        for end in ('\\n', '\\r\\n', '\\r'):
            for delimiter in ',;\\t':
                n = f'csv-{tag}-{end.encode().hex()}-{ord(delimiter)}'
                quoting = csv.QUOTE_ALL if end == '\\n' else csv.QUOTE_MINIMAL
                header = ['a "b"', 'c,d;e\\tf', 'g' if end == '\\r' else 'g\\nh'] if delimiter == ';' else None
                table(n, array, header, 'utf-8-sig' if end == '\\r' else 'utf-8', lineterminator=end, delimiter=delimiter, quoting=quoting)
                fact(n, 'csv', array)
    words = [('x y', 'b', '"q"')[i % 3] for i in range(40)]; kinds = sorted(set(words)); places = [kinds.index(w) for w in words]
    table('csv-words-last', [(*r, w) for r, w in zip(whole, words)]); fact('csv-words-last', 'csv', whole, places, kinds)
    table('csv-words-header', [(w, *r) for r, w in zip(mixed, words)], ['kind', 'p1', 'p2', 'p3'])
    fact('csv-words-header', 'csv', mixed, places, kinds)
    table('csv-label', [(int(r[0]) % 12, *r[1:]) for r in whole], ['Label', 'p0', 'p1'])
    values = np.unique(whole[:, 0] % 12)
    fact('csv-label', 'csv', whole[:, 1:], np.searchsorted(values, whole[:, 0] % 12).tolist(), [str(v) for v in values])
    table('csv-column', whole % 7); values = np.unique(whole[:, 1] % 7)
    places = np.searchsorted(values, whole[:, 1] % 7).tolist()
    fact('csv-column', 'csv', (whole % 7)[:, [0, 2]], places, [str(v) for v in values], options_labels='2')
    write('csv-no-end', b'1,2\\n3,4'); fact('csv-no-end', 'csv', np.array([[1, 2], [3, 4]]))
    write('csv-empty-lines', b'\\n1, 2\\n\\n\\n3 ,4\\n\\n'); fact('csv-empty-lines', 'csv', np.array([[1, 2], [3, 4]]))
    forms = ['+1', '-.5', '2.', '1E3', '1e-3', '0.1', '123456789012345678901234567890', '4.9e-324',
        '1.7976931348623157e-10', '9007199254740993']
    write('csv-forms', ('\\n'.join(forms)).encode()); fact('csv-forms', 'csv', np.array([[float(f)] for f in forms]))
    write('csv-one', b'7'); fact('csv-one', 'csv', np.array([[7]]))
    write('csv-gz', gzip.compress(b'1,2\\n3,4\\n')); fact('csv-gz', 'csv', np.array([[1, 2], [3, 4]]))
    # CIFAR, single files and archives; the pixels are planes of red, green and blue.
    def records(count, fine, coarse=None):
        out, arrays, labels = b'', [], []
        for i in range(count):
            planes = rng.integers(0, 256, (3, 32, 32), dtype='u1')
            if i == 0: planes[0, 0, :8] = 0
            label = 0 if i == 0 else int(rng.integers(0, fine))
            out += (bytes([int(rng.integers(0, coarse)) if i else 0]) if coarse else b'') + bytes([label]) + planes.tobytes()
            arrays.append(planes.transpose(1, 2, 0)); labels.append(label)
        return out, np.stack(arrays), labels
    def ranked(labels): kinds = sorted(set(labels)); return [kinds.index(l) for l in labels], [str(k) for k in kinds]
    for name, format, fine, coarse in (('cifar10', 'cifar10', 10, None), ('cifar100', 'cifar100', 100, 20)):
        data, array, labels = records(5, fine, coarse)
        write(name, data); fact(name, format, array, *ranked(labels))
        write(f'{name}-gz', gzip.compress(data)); fact(f'{name}-gz', format, array, *ranked(labels))
    def tar(name, files):
        with tarfile.open(f'{folder}/{name}', 'w:gz') as archive:
            for file, data in files:
                entry = tarfile.TarInfo(file); entry.size = len(data); archive.addfile(entry, io.BytesIO(data))
    kinds = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
    (one, a, la), (two, b, lb), (three, c, lc) = records(4, 10), records(3, 10), records(2, 10)
    files = [('c/data_batch_1.bin', one), ('c/batches.meta.txt', '\\n'.join(kinds + ['']).encode()), ('c/test_batch.bin', three),
        ('c/readme.html', b'<html></html>'), ('c/data_batch_2.bin', two)]
    def named(labels): used = sorted(set(labels)); return [used.index(l) for l in labels], [kinds[u] for u in used]
    tar('cifar10-tar', files); fact('cifar10-tar', 'cifar10', np.concatenate([a, b]), *named(la + lb))
    tar('cifar10-test', files); fact('cifar10-test', 'cifar10', c, *named(lc), pick='test_batch')
    json.dump(facts, open(f'{folder}/facts.json', 'w'))
    """

  @Test func `tables and arrays of every dialect decode to the numbers that were written`() throws {
    let scratch = try ScratchFolder()
    let written = try run("/usr/bin/python3", ["-W", "ignore", "-c", Self.writer, scratch.path])
    try #require(written.status == 0, "\(written.output)")
    let facts = try #require(JSONValue(parsing: scratch.read("facts.json")).array)
    #expect(facts.count == 81)
    for fact in facts {
      let name = try #require(fact["name"]?.string)
      let folder = try scratch.folder("decoded")
      var options = DecodeOptions()
      options.array = fact["pick"]?.string
      options.labels = fact["options_labels"]?.string
      let description: DatasetDescription
      do {
        description = try decode(upload: "\(scratch.path)/\(name)", into: folder, options: options)
      } catch {
        Issue.record("\(name): \(error)")
        continue
      }
      #expect(description.format == fact["format"]?.string, "\(name)")
      #expect(description.element.rawValue == fact["element"]?.string, "\(name)")
      #expect(JSONValue.array(description.dimensions.map { .integer($0) }) == fact["shape"], "\(name)")
      let decoded = try scratch.read("decoded/examples.npy")
      let want = try scratch.read("\(name).want")
      #expect(Array(decoded[128..<128 + want.count]) == want, "\(name)")
      let dataset = try Dataset(folder: folder)
      #expect(dataset.labels(of: 0..<dataset.count) == fact["labels"]?.array?.compactMap(\.integer), "\(name)")
      #expect(description.classes?.map(\.name) == fact["classes"]?.array?.compactMap(\.string), "\(name)")
      #expect(description.duplicates == fact["duplicates"]?.integer, "\(name)")
    }
  }
}
