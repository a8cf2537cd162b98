import Datasets
import Foundation
import JSON
import Testing

/// Archives that Python's zipfile and tarfile packed, of pictures that Pillow drew, decoded and held against Pillow's own pixels.
@Suite struct IndependentPictureTests {
  /// Every sort of PNG and JPEG that Pillow writes, each in an archive of its own; PNGs of the depths that it does not write by hand.
  private static let writer = """
    import io, json, os, struct, sys, tarfile, zipfile, zlib
    import numpy as np
    from PIL import Image, ImageOps
    folder = sys.argv[1]
    rng = np.random.default_rng(7)
    facts = []
    smooth = lambda h, w, c: (np.add.outer(np.arange(h) * 5, np.arange(w) * 3)[..., None] * np.arange(1, c + 1) % 256).astype('u1')
    noise = lambda h, w, c: rng.integers(0, 256, (h, w, c), dtype='u1')
    def pack(name, files, how):
        path = f'{folder}/{name}'
        if how.startswith('zip'):
            method = zipfile.ZIP_STORED if how == 'zip-stored' else zipfile.ZIP_DEFLATED
            with zipfile.ZipFile(path, 'w', method) as archive:
                for file, data in files: archive.writestr(file, data)
        else:
            forms = {'tar': ('w', tarfile.PAX_FORMAT), 'tar.gz': ('w:gz', tarfile.GNU_FORMAT), 'tar.xz': ('w:xz', tarfile.USTAR_FORMAT)}
            mode, form = forms[how]
            with tarfile.open(path, mode, format=form) as archive:
                for file, data in files:
                    entry = tarfile.TarInfo(file); entry.size = len(data); archive.addfile(entry, io.BytesIO(data))
    def fact(name, arrays, labels=None, query={}):
        want = np.stack(arrays); want = want[..., None] if want.ndim == 3 else want
        want.astype('u1').tofile(f'{folder}/{name}.want')
        facts.append(dict(name=name, shape=list(want.shape), labels=labels, **query))
    hows = ['zip', 'zip-stored', 'tar', 'tar.gz', 'tar.xz']
    def read(data, mode): return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert(mode))
    def case(name, files, mode):
        pack(name, files, hows[len(facts) % len(hows)]); fact(name, [read(data, mode) for _, data in files])
    def saved(image, form, **more):
        out = io.BytesIO(); image.save(out, form, **more); return out.getvalue()
    def image(pixels): return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    # What Pillow writes.
    for make in (smooth, noise):
        n = make.__name__ if make.__name__ != '<lambda>' else ('smooth' if make is smooth else 'noise')
        for h, w in [(1, 1), (7, 9), (33, 20)]:
            tag = f'{n}-{h}x{w}'
            case(f'png-grey-{tag}', [('a.png', saved(image(make(h, w, 1)), 'PNG'))], 'L')
            case(f'png-rgb-{tag}', [('a.png', saved(image(make(h, w, 3)), 'PNG'))], 'RGB')
            case(f'png-rgba-{tag}', [('a.png', saved(image(make(h, w, 4)), 'PNG'))], 'RGB')
            case(f'png-la-{tag}', [('a.png', saved(Image.merge('LA', [image(make(h, w, 1)), image(noise(h, w, 1))]), 'PNG'))], 'L')
            case(f'png-bits-{tag}', [('a.png', saved(image(make(h, w, 1)).convert('1'), 'PNG'))], 'L')
            for colours in (2, 4, 16, 256) if h > 1 else ():
                case(f'png-palette{colours}-{tag}', [('a.png', saved(image(make(h, w, 3)).quantize(colours), 'PNG'))], 'RGB')
            case(f'jpeg-grey-{tag}', [('a.jpg', saved(image(make(h, w, 1)), 'JPEG', quality=90))], 'L')
            for sampling in (0, 1, 2):
                case(f'jpeg-rgb{sampling}-{tag}', [('a.jpeg', saved(image(make(h, w, 3)), 'JPEG', subsampling=sampling))], 'RGB')
            case(f'jpeg-progressive-{tag}', [('a', saved(image(make(h, w, 3)), 'JPEG', progressive=True, optimize=True))], 'RGB')
    for tag in range(0, 10):
        for order in ('little', 'big'):
            exif = Image.Exif(); exif.endian = '<' if order == 'little' else '>'; exif[0x0112] = tag; exif[0x010f] = 'Maker'
            picture = image(smooth(11, 6, 3))
            case(f'exif-{tag}-{order}', [('a.jpg', saved(picture, 'JPEG', exif=exif))], 'RGB')
    exif = Image.Exif(); exif[0x0112] = 6
    case('exif-6-grey', [('a.jpg', saved(image(smooth(11, 6, 1)), 'JPEG', exif=exif))], 'L')
    # Every depth, colour type and interlacing, by hand.
    def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    def png(samples, depth, colour, interlaced, palette=None, extra=b''):
        h, w, c = samples.shape
        def rows(part):
            out = b''
            for row in part:
                if depth == 16: packed = row.astype('>u2').tobytes()
                elif depth == 8: packed = row.astype('u1').tobytes()
                else:
                    bits = ''.join(format(v, f'0{depth}b') for v in row.ravel())
                    bits += '0' * (-len(bits) % 8)
                    packed = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
                out += b'\\0' + packed
            return out
        if interlaced:
            data = b''
            for y, x, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]:
                part = samples[y::dy, x::dx]
                if part.size: data += rows(part)
        else: data = rows(samples)
        head = struct.pack('>IIBBBBB', w, h, depth, colour, 0, 0, interlaced)
        return (b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', head) + extra + (chunk(b'PLTE', palette) if palette else b'')
            + chunk(b'IDAT', zlib.compress(data)) + chunk(b'IEND', b''))
    gamma = chunk(b'gAMA', struct.pack('>I', 100000))
    for h, w in [(1, 1), (5, 3), (9, 17), (32, 32)]:
        for interlaced in (0, 1):
            for colour, depths, channels in [
                    (0, (1, 2, 4, 8, 16), 1), (2, (8, 16), 3), (3, (1, 2, 4, 8), 1), (4, (8, 16), 2), (6, (8, 16), 4)]:
                for depth in depths:
                    for extra in (b'', gamma):
                        most = 2 ** depth - 1
                        samples = rng.integers(0, most, (h, w, channels), endpoint=True)
                        palette = rng.integers(0, 256, (most + 1, 3), dtype='u1') if colour == 3 else None
                        if colour == 3: want = palette[samples[..., 0]]
                        else:
                            # PNG 13.12: the nearest of the 8-bit values.
                            want = np.floor(samples * 255 / most + 0.5).astype('u1')[..., :3 if colour in (2, 6) else 1]
                        name = f'depth{depth}-type{colour}-{h}x{w}-{interlaced}-{len(extra)}'
                        data = png(samples, depth, colour, interlaced, palette.tobytes() if colour == 3 else None, extra)
                        if depth < 16 and (colour != 4 or depth == 8):
                            mode = 'RGB' if want.shape[-1] == 3 else 'L'
                            seen = np.asarray(Image.open(io.BytesIO(data)).convert(mode)).reshape(want.shape)
                            assert np.array_equal(seen, want), name
                        pack(name, [('p', data)], hows[len(facts) % len(hows)]); fact(name, [want])
    grey = bytes(v for g in range(256) for v in (g, g, g))
    samples = rng.integers(0, 256, (6, 6, 1))
    pack('grey-palette', [('p.png', png(samples, 8, 3, 0, grey))], 'zip'); fact('grey-palette', [samples.astype('u1')])
    # Folders as classes, in the order of their names, whatever the order in the archive; what systems leave is left aside.
    shots = [(f'pets/{c}/{i}.png', noise(8, 6, 3)) for i in range(3) for c in ('dog', 'cat', 'gnu\\u00e9')]
    files = [('README.txt', b'Pets.\\n'), ('__MACOSX/pets/._0.png', b'\\0\\1\\2'), ('pets/.DS_Store', b'\\0\\1')]
    files += [('pets/dog/Thumbs.db', b'\\xd0\\xcf')]
    files += [(name, saved(image(p), 'PNG')) for name, p in shots]
    for how in hows:
        pack(f'classes-{how}', files, how)
        fact(f'classes-{how}', [p for _, p in shots], labels=[1, 0, 2] * 3, query=dict(classes=['cat', 'dog', 'gnu\\u00e9']))
    grey, colour = noise(5, 5, 1), noise(5, 5, 3)
    pack('mixed', [('a/1.png', saved(image(grey), 'PNG')), ('b/2.jpg', saved(image(colour), 'JPEG', quality=100, subsampling=0))], 'tar')
    seen = np.asarray(Image.open(io.BytesIO(saved(image(colour), 'JPEG', quality=100, subsampling=0))))
    fact('mixed', [np.repeat(grey, 3, 2), seen], labels=[0, 1], query=dict(classes=['a', 'b']))
    # Sizes brought to one, as Pillow does it.
    for target in [(8, 8), (28, 28), (1, 1), (40, 7), (13, 13)]:
        pictures = [noise(h, w, 3) for h, w in [(8, 8), (31, 17), (64, 64), (3, 50), (13, 1)]]
        name = f'resize-{target[0]}x{target[1]}'
        pack(name, [(f'{i}.png', saved(image(p), 'PNG')) for i, p in enumerate(pictures)], 'zip')
        fact(name, [np.asarray(image(p).resize((target[1], target[0]), Image.BILINEAR)) for p in pictures],
            query=dict(resize=f'{target[0]}x{target[1]}'))
    json.dump(facts, open(f'{folder}/facts.json', 'w'))
    """

  @Test func `pictures of every sort decode to the pixels that Pillow reads`() throws {
    let scratch = try ScratchFolder()
    let written = try run("/usr/bin/python3", ["-W", "ignore", "-c", Self.writer, scratch.path])
    try #require(written.status == 0, "\(written.output)")
    let facts = try #require(JSONValue(parsing: scratch.read("facts.json")).array)
    #expect(facts.count == 349)
    for fact in facts {
      let name = try #require(fact["name"]?.string)
      let folder = try scratch.folder("decoded")
      var options = DecodeOptions()
      options.resize = fact["resize"]?.string.flatMap(DecodeOptions.Sides.init)
      let description: DatasetDescription
      do {
        description = try decode(upload: "\(scratch.path)/\(name)", into: folder, options: options)
      } catch {
        Issue.record("\(name): \(error)")
        continue
      }
      #expect(description.format == "images" && description.element == .uint8, "\(name)")
      #expect(JSONValue.array(description.dimensions.map { .integer($0) }) == fact["shape"], "\(name)")
      let want = try scratch.read("\(name).want")
      let dataset = try Dataset(folder: folder)
      #expect((0..<dataset.count).flatMap { dataset.bytes(ofExample: $0) } == want, "\(name)")
      #expect(dataset.labels(of: 0..<dataset.count) == fact["labels"]?.array?.compactMap(\.integer), "\(name)")
      #expect(description.classes?.map(\.name) == fact["classes"]?.array?.compactMap(\.string), "\(name)")
    }
  }
}
