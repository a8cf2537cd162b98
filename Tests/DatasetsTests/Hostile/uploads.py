"""Writes uploads that must be refused into a folder, and facts.json: of each its name, the kind of error, words that the error must have,
and the options that it is sent with. `python3 uploads.py FOLDER`."""
import bz2, gzip, io, json, lzma, struct, subprocess, sys, tarfile, zipfile, zlib
import numpy as np
from PIL import Image

folder = sys.argv[1]
rng = np.random.default_rng(3)
facts = []


def case(name, kind, says, data, **options):
    path = 'h%03d' % len(facts)
    with open(f'{folder}/{path}', 'wb') as file:
        file.write(data)
    facts.append(dict(path=path, name=name, kind=kind, says=says, options=options))


def npy(array, allow_pickle=True):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


def saved(pixels, form='PNG', **more):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **more)
    return out.getvalue()


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=form) as archive:
        for name, data in files:
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if data is not None:
                entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def zstd(data, *flags):
    return subprocess.run(['zstd', '-c', *flags], input=data, capture_output=True, check=True).stdout


def chunk(kind, data, crc=None):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data) if crc is None else crc)


SIGNATURE = b'\x89PNG\r\n\x1a\n'


def png(width=5, height=6, depth=8, colour=0, compression=0, filtering=0, interlace=0, data=None, extra=b'', end=True):
    head = struct.pack('>IIBBBBB', width, height, depth, colour, compression, filtering, interlace)
    data = zlib.compress(bytes(6) * 6) if data is None else data
    return SIGNATURE + chunk(b'IHDR', head) + extra + chunk(b'IDAT', data) + (chunk(b'IEND', b'') if end else b'')


grey = rng.integers(0, 256, (6, 5), dtype='u1')
colour = rng.integers(0, 256, (6, 5, 3), dtype='u1')
good = saved(grey)
good_jpeg = saved(rng.integers(0, 256, (40, 40, 3), dtype='u1'), 'JPEG')


def picture(name, kind, says, data, file='a.png', **options):
    """In a ZIP behind a good one, so that the error must name the second."""
    case(name, kind, says, zipped([('good.png', good), (file, data)]), **options)


# --- Names and sorts of members ---
case('zip slip', 'malformed', 'leads out of the archive', zipped([('../../etc/cron.d/a.png', good)]))
case('zip slip in the middle', 'malformed', 'leads out of the archive', zipped([('a/../../b.png', good)]))
case('an absolute path in a ZIP', 'malformed', 'leads out of the archive', zipped([('/etc/a.png', good)]))
case('tar slip', 'malformed', 'leads out of the archive', tarred([('../a.png', good)]))
case('an absolute path in a TAR', 'malformed', 'leads out of the archive', tarred([('/tmp/a.png', good)]))
link = zipfile.ZipInfo('a.png')
link.create_system, link.external_attr = 3, 0o120777 << 16
case('a symbolic link in a ZIP', 'unsupported', 'is a link or a device', zipped([(link, b'/etc/passwd')]))
for kind, what in ((tarfile.SYMTYPE, 'symbolic link'), (tarfile.LNKTYPE, 'hard link'), (tarfile.CHRTYPE, 'device'), (tarfile.FIFOTYPE, 'pipe')):
    entry = tarfile.TarInfo('a.png')
    entry.type, entry.linkname = kind, '/etc/passwd'
    case(f'a {what} in a TAR', 'unsupported', 'is a link or a device', tarred([('b.png', good), (entry, None)]))
case('a name of 10 000 bytes in a TAR', 'malformed', 'a name of', tarred([('a' * 10000 + '.png', good)], tarfile.GNU_FORMAT))
case('a name of 60 000 bytes in a ZIP', 'malformed', 'a name of', zipped([('a/' * 30000 + 'b.png', good)]))
raw = bytearray(zipped([('aaaa.png', good)]))
locked = bytearray(raw)
locked[6] |= 1
locked[raw.index(b'PK\1\2') + 8] |= 1
case('an encrypted ZIP', 'unsupported', 'is encrypted', bytes(locked))

# --- Archives that are damaged or empty ---
case('an empty ZIP', 'unsupported', 'no picture and no array', zipped([]))
case('a ZIP of folders', 'unsupported', 'no picture and no array', zipped([('a/', b''), ('b/', b'')]))
case('a ZIP of text', 'unsupported', 'no picture and no array', zipped([('a.txt', b'hello'), ('b.md', b'# hello')]))
case('a TAR of nothing', 'malformed', 'type, at byte 2: is 0x0', bytes(10240))
case('a TAR of an empty file', 'unsupported', 'no picture and no array', tarred([('a', b'')]))
whole = zipped([('a.png', good), ('b.png', good)])
for count in (4, 20, 60, len(good), len(whole) // 2, len(whole) - 60, len(whole) - 1):
    case(f'a ZIP cut off after {count} bytes', 'malformed', '', whole[:count])
case('a ZIP with a wrong checksum', 'malformed', 'is damaged', zipped([('a.png', good)], zipfile.ZIP_STORED).replace(good[-20:-16], b'abcd'))
lying = bytearray(zipped([('a.npy', npy(grey))], zipfile.ZIP_STORED))
place = lying.index(b'PK\1\2')
case('a ZIP of an unknown compression', 'malformed', 'is damaged', bytes(lying[:8]) + b'\x63\0' + bytes(lying[10:place + 10]) + b'\x63\0' + bytes(lying[place + 12:]))
for size, what in ((1, 'short'), (0x7fffffff, 'long'), (0xfffffffe, 'longest')):
    changed = bytearray(lying)
    for start in (18, 22):
        changed[start:start + 4] = struct.pack('<I', size)
    for start in (place + 20, place + 24):
        changed[start:start + 4] = struct.pack('<I', size)
    case(f'a ZIP whose sizes lie, too {what}', 'malformed', '', bytes(changed))
case('a ZIP with a directory of noise', 'malformed', 'tells of 2 members, and 0 are there', whole[:whole.index(b'PK\1\2')] + rng.bytes(200) + whole[-22:])
plain = tarred([('a.png', good), ('b.png', good)], tarfile.USTAR_FORMAT)
for count in (512, 513, 600, 1024 + 100, 1024 + 512 + 10):
    case(f'a TAR cut off after {count} bytes', 'malformed', '', plain[:count])
case('a ZIP cut off between two members', 'malformed', 'is damaged', whole[:whole.index(b'PK\3\4', 4)])
case('a TAR cut off between two members', 'malformed', 'no blocks of zeros', plain[:512 + -(-len(good) // 512) * 512])
case('a ZIP in gzip', 'unsupported', 'a ZIP must stand alone', gzip.compress(whole))
case('a TAR with a wrong sum', 'unsupported', 'damaged TAR', b'b' + plain[1:])


def headers(size_field):
    head = bytearray(plain[:512])
    head[124:136] = size_field
    head[148:156] = b' ' * 8
    head[148:156] = b'%06o\0 ' % sum(head)
    return bytes(head) + plain[512:]


case('a TAR with a size of 8 GB', 'malformed', '', headers(b'77777777777\0'))
case('a TAR with a negative size', 'malformed', '', headers(b'\xff' * 12))
case('a TAR with a size of 2^88', 'malformed', '', headers(b'\x80' + b'\xff' * 11))
case('a TAR with letters for a size', 'malformed', '', headers(b'abcdefghijk\0'))
pax = tarfile.TarInfo('a.png')
pax.pax_headers = {'size': '9' * 30}
case('a TAR with a pax size of 10^30', 'malformed', '', tarred([(pax, good)]))
sparse = tarfile.TarInfo('a.npy')
sparse.pax_headers = {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'a.npy', 'GNU.sparse.realsize': str(1 << 40)}
body = npy(np.zeros((1, 1), 'u1')).ljust(512, b'\0')
case('a sparse TAR of a terabyte', 'too_large', 'times its size',
     tarred([(sparse, (b'2\n0\n129\n%d\n0\n' % ((1 << 40))).ljust(512, b'\0') + npy(np.zeros((1 << 20, 1 << 10), 'u1'))[:129].ljust(512, b'\0'))]))
case('an archive in an archive', 'unsupported', 'is an archive', zipped([('inner.zip', zipped([('a.png', good)]))]))
case('a TAR in a ZIP', 'unsupported', 'is an archive', zipped([('inner.tar', tarred([('a.png', good)]))]))
case('a ZIP in a TAR', 'unsupported', 'is an archive', tarred([('inner.zip', zipped([('a.png', good)]))]))
case('a program in a ZIP', 'unsupported', 'of no known format', zipped([('a.png', good), ('b', b'\x7fELF' + rng.bytes(60))]))
case('a GIF in a ZIP', 'unsupported', 'GIF', zipped([('a.png', good), ('b.gif', saved(grey, 'GIF'))]))
case('a pickle in a TAR', 'unsupported', 'never loaded', tarred([('data_batch_1', b'\x80\4\x95' + rng.bytes(60))]))
case('an array among pictures', 'unsupported', 'an array among pictures', zipped([('a.png', good), ('b.npy', npy(grey))]))
case('a picture among arrays', 'unsupported', 'a picture among arrays', zipped([('b.npy', npy(grey)), ('a.png', good)]))

# --- Bombs ---
zeros = npy(np.zeros((1 << 16, 1 << 10), 'u1'))
case('a ZIP bomb', 'too_large', 'times its size', zipped([('x.npy', zeros)]))
case('a tar.gz bomb', 'too_large', 'times its size', gzip.compress(tarred([('x.npy', zeros)]), 9))
case('a tar.xz bomb', 'too_large', 'times its size', lzma.compress(tarred([('x.npy', zeros)])))
case('a tar.zst bomb', 'too_large', 'times its size', zstd(tarred([('x.npy', zeros)]), '-19'))
case('an NPY in an xz bomb', 'too_large', 'times its size', lzma.compress(zeros))
case('an NPY in a zstd bomb', 'too_large', 'times its size', zstd(zeros, '-19'))
inner = zipped([('x.npy', zeros)])
case('a nested bomb', 'unsupported', 'is an archive', zipped([('inner.zip', inner)], zipfile.ZIP_STORED))
case('gzip in gzip', 'unsupported', 'gzip inside gzip', gzip.compress(gzip.compress(b'1,2\n')))
case('xz in gzip', 'unsupported', 'xz inside gzip', gzip.compress(lzma.compress(b'1,2\n')))
case('gzip in xz', 'unsupported', 'gzip inside xz', lzma.compress(gzip.compress(b'1,2\n')))
case('bzip2', 'unsupported', 'bzip2', bz2.compress(b'1,2\n'))
local = zipped([('x', zeros[:1 << 24])])
start = local.index(b'PK\1\2')
central, stop = local[start:-22], local[-22:]
many = b''.join(central.replace(b'x', bytes([97 + i % 26]), 1) for i in range(500))
overlap = local[:start] + many + struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, 500, 500, len(many), start, 0)
case('a ZIP whose members overlap', '', '', overlap)
picture('a PNG bomb', 'too_large', '60000 x 60000 pixels', png(60000, 60000, data=zlib.compress(bytes(1 << 20), 9)))
picture('a PNG of 2^31 - 1 squared', 'too_large', 'pixels', png(0x7fffffff, 0x7fffffff))
picture('a PNG that compresses its text a thousandfold', 'malformed', 'is damaged', png(data=b'', extra=chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(1 << 24), 9))))

# --- PNG ---
for cut in (9, 20, 33, 40, len(good) - 13, len(good) - 5):
    picture(f'a PNG cut off after {cut} bytes', 'malformed', '"a.png", PNG', good[:cut])
picture('a PNG of its signature', 'malformed', 'cut off', SIGNATURE)
picture('a PNG without a head', 'malformed', 'no IHDR', SIGNATURE + chunk(b'IDAT', b'') + chunk(b'IEND', b''))
picture('a PNG with a short head', 'malformed', 'no IHDR of 13', SIGNATURE + chunk(b'IHDR', bytes(12)) + chunk(b'IEND', b''))
picture('a PNG 0 wide', 'malformed', '6 x 0 pixels', png(width=0))
picture('a PNG of depth 3', 'malformed', 'is damaged', png(depth=3))
picture('a PNG of depth 16 with a palette', 'malformed', 'is damaged', png(depth=16, colour=3, extra=chunk(b'PLTE', bytes(6))))
picture('a PNG of colour type 5', 'malformed', 'is damaged', png(colour=5))
picture('a PNG of another compression', 'malformed', 'is damaged', png(compression=1))
picture('a PNG of another filtering', 'malformed', 'is damaged', png(filtering=1))
picture('a PNG of another interlacing', 'malformed', 'is damaged', png(interlace=2))
picture('a PNG without its palette', 'malformed', 'is damaged', png(colour=3))
picture('a PNG with a palette of 4 bytes', 'malformed', 'is damaged', png(colour=3, extra=chunk(b'PLTE', bytes(4))))
picture('a PNG without pixels', 'malformed', 'is damaged', SIGNATURE + good[8:33] + chunk(b'IEND', b''))
picture('a PNG with too few pixels', 'malformed', 'is damaged', png(data=zlib.compress(bytes(7))))
picture('a PNG whose pixels are noise', 'malformed', 'is damaged', png(data=rng.bytes(40)))
picture('a PNG with an unknown filter', 'malformed', 'is damaged', png(data=zlib.compress(b'\5abcde' * 6)))
picture('a PNG with a wrong checksum', 'malformed', 'is damaged', good.replace(good[50:54], bytes(4)))
picture('a PNG with a chunk of 4 GB', 'malformed', 'cut off, or its length lies', good[:33] + struct.pack('>I', 0xffffffff) + good[37:])
picture('a PNG with an unknown part that matters', 'malformed', 'an unknown chunk "ABCD"', png(extra=chunk(b'ABCD', b'')))
picture('a PNG without an end', 'malformed', 'before its IEND', png(end=False))
picture('text that is called a PNG', 'unsupported', '"a.png", the file, at byte 0: is text', b'hello')

# --- JPEG ---
for cut in (3, 4, 20, 160, 400, len(good_jpeg) // 2, len(good_jpeg) - 200):
    picture(f'a JPEG cut off after {cut} bytes', 'malformed', '"a.jpg", JPEG', good_jpeg[:cut], 'a.jpg', resize='8x8')
picture('a JPEG of noise', 'malformed', '"a.jpg", JPEG', b'\xff\xd8\xff' + rng.bytes(500), 'a.jpg', resize='8x8')
frame = good_jpeg.index(b'\xff\xc0')
picture('a JPEG of 65 280 squared', 'too_large', '65280 x 65280 pixels', good_jpeg[:frame + 5] + b'\xff\0\xff\0' + good_jpeg[frame + 9:], 'a.jpg')
picture('a JPEG 0 high', 'malformed', '"a.jpg", JPEG', good_jpeg[:frame + 5] + b'\0\0' + good_jpeg[frame + 7:], 'a.jpg')
picture('a JPEG of 9 components', 'malformed', '"a.jpg", JPEG', good_jpeg[:frame + 9] + b'\x09' + good_jpeg[frame + 10:], 'a.jpg')
cmyk = io.BytesIO()
Image.fromarray(rng.integers(0, 256, (6, 5, 4), dtype='u1'), 'CMYK').save(cmyk, 'JPEG')
picture('a JPEG in CMYK', 'unsupported', 'is in CMYK', cmyk.getvalue(), 'a.jpg')
scan = good_jpeg.index(b'\xff\xda')
picture('a JPEG whose pixels are noise', 'malformed', '"a.jpg", JPEG', good_jpeg[:scan + 14] + bytes(b for b in rng.bytes(3000) if b != 255), 'a.jpg', resize='8x8')
slow = io.BytesIO()
Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype='u1')).save(slow, 'JPEG', progressive=True)
slow = slow.getvalue()
last = slow.rindex(b'\xff\xda')
picture('a JPEG of 5 000 scans', 'malformed', '"a.jpg", JPEG', slow[:-2] + slow[last:-2] * 5000 + slow[-2:], 'a.jpg', resize='8x8')

# --- Folders of pictures ---
case('pictures of two sizes', 'unsupported', '"b/2.png", its sides: are 5x6 (height x width), and those of "a/1.png" 6x5',
     zipped([('a/1.png', good), ('b/2.png', saved(grey.T.copy()))]))
case('pictures beside folders of pictures', 'unsupported', 'either each is in a folder of its class or none is',
     zipped([('a/1.png', good), ('2.png', good)]))
case('5 000 classes', 'unsupported', 'one class more than the 4096', tarred([(f'c{i}/1.png', good) for i in range(5000)]))
case('a class with a line break in its name', 'unsupported', 'is no name of a class', zipped([('a\nb/1.png', good), ('c/1.png', good)]))
case('a picture with too many numbers', 'too_large', 'resize=HEIGHTxWIDTH makes pictures smaller', zipped([('a.png', saved(np.zeros((2500, 2500), 'u1')))]))
case('resized to more than is allowed', 'too_large', 'more than 4194304 numbers', zipped([('a.png', good)]), resize='4096x4096')

# --- NPZ ---
def npz(name, kind, says, arrays, options={}, **more):
    case(name, kind, says, zipped([(f'{key}.npy', value if isinstance(value, bytes) else npy(value)) for key, value in arrays.items()]), **options)


two = dict(a=np.zeros((3, 2)), b=np.zeros((3, 2)))
npz('an NPZ of two tables', 'unsupported', '2 arrays may be the examples; array=NAME says which', two)
npz('an array that is not there', 'unsupported', 'array says "c", which is not there: it holds "a" [3, 2] of float64', two, dict(array='c'))
npz('labels that are not there', 'unsupported', 'labels says "c"', two, dict(array='a', labels='c'))
npz('labels of reals', 'unsupported', 'whole numbers are needed', dict(a=np.zeros((3, 2)), y=np.zeros(3)), dict(labels='y'))
npz('labels too few', 'unsupported', '[3] whole numbers are needed', dict(a=np.zeros((3, 2)), y=np.zeros(2, 'u1')), dict(labels='y'))
npz('labels of 5 000 classes', 'unsupported', 'label 4096', dict(a=np.zeros((5000, 2)), y=np.arange(5000)))
npz('labels past 2^63', 'unsupported', 'is past 2^63', dict(a=np.zeros((2, 2)), y=np.full(2, 2**64 - 1, 'u8')))
npz('labels without their numbers', 'malformed', 'cut off', dict(a=np.zeros((9, 2)), y=npy(np.arange(9))[:-8]))
npz('an NPZ of one number', 'unsupported', 'no array of 2 to 4 dimensions', dict(a=np.float64(1)))
npz('an NPZ of labels alone', 'unsupported', 'no array of 2 to 4 dimensions', dict(y=np.arange(4)))
npz('an NPZ of a list that is named', 'unsupported', 'has one dimension', dict(y=np.arange(4)), dict(array='y'))
npz('an NPZ of objects', 'unsupported', '"a.npy", NPY header, descr, at byte 10', dict(a=np.array([{}, []], object)))
npz('an NPZ with NaN', 'malformed', '"a.npy", example 1, number 0', dict(a=np.array([[1.0], [np.nan]])))
npz('an NPZ whose array is cut off', 'malformed', '"a.npy", the numbers', dict(a=npy(np.zeros((9, 9)))[:-1]))
npz('an NPZ whose array goes on', 'malformed', 'bytes follow', dict(a=npy(np.zeros((9, 9))) + b'x'))
npz('an NPZ of strings', 'unsupported', 'strings', dict(a=np.array([['a', 'b']])))
case('two arrays of one name', 'malformed', 'two arrays of that name', zipped([('a.npy', npy(grey)), ('a.npy', npy(grey))]))
case('2 000 arrays', 'too_large', 'more than 1024 arrays', zipped([(f'{i}.npy', npy(grey)) for i in range(2000)], zipfile.ZIP_STORED))

# --- xz and zstd ---
for form, data in (('xz', lzma.compress(npy(np.arange(6000).reshape(60, 100)))), ('zstd', zstd(npy(rng.standard_normal((60, 100))), '--check'))):
    for count in (7, 40, len(data) // 2, len(data) - 1):
        case(f'{form} cut off after {count} bytes', 'malformed', '', data[:count])
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 0x55
    case(f'{form} that is damaged', 'malformed', '', bytes(damaged))
    case(f'{form} of nothing', 'malformed', 'decompresses to nothing', lzma.compress(b'') if form == 'xz' else zstd(b''))
case('xz and then noise', 'malformed', '', lzma.compress(npy(grey)) + b'\1' * 64)

# --- CSV ---
def csv(name, kind, says, text, **options):
    case(name, kind, says, text if isinstance(text, bytes) else text.encode(), **options)


csv('a record too short', 'malformed', 'record 3, at byte 8: has 1 fields, and the first record has 2', '1,2\n3,4\n5\n6,7\n')
csv('a record too long', 'malformed', 'record 2, at byte 4: has 3 fields', '1,2\n3,4,5\n')
csv('a thousands separator', 'malformed', 'record 3, at byte', 'a,b\n1,2\n1,000,2\n')
csv('NaN in a table', 'malformed', 'record 2, field 2, at byte 4: is NaN', '1,2\n3,nan\n')
csv('infinity in a table', 'malformed', 'is -infinity', '1,2\n3,-inf\n')
csv('too large a number', 'malformed', 'too large for the 32-bit floats', '1,2\n3,1e39\n')
csv('a double past its range', 'malformed', 'infinity', '1,2\n3,1e999\n')
csv('a word among numbers', 'malformed', 'record 3, field 1, at byte 8: "five" is no number', '1,2\n3,4\nfive,6\n')
csv('a hexadecimal', 'malformed', '"0x10" is no number', '1,2\n3,0x10\n')
csv('a number with a tail', 'malformed', '"4kg" is no number', '1,2\n3,4kg\n')
csv('two points', 'malformed', '"1.2.3" is no number', '1,2\n3,1.2.3\n')
csv('an exponent without digits', 'malformed', '"1e" is no number', '1,2\n3,1e\n')
csv('an empty field', 'malformed', 'record 2, field 2, at byte 4: is empty', '1,2\n3,\n')
csv('two columns of words', 'malformed', 'record 1, field 2, at byte 0: "b" is no number', '1,b,c\n2,d,e\n')
csv('a header alone', 'unsupported', 'no table of numbers', 'a,b\n')
csv('prose', 'unsupported', '', 'It was a dark\nand stormy night\n')
csv('a quote that does not close', 'malformed', 'opening quote and no closing one', '1,2\n3,"' + '4' * 1000000)
csv('a quote in the middle', 'malformed', 'a quote in its middle', '1,2\n3,4"5\n')
csv('text after a quote', 'malformed', 'after its closing quote', '1,2\n3,"4"5\n')
csv('a byte of 0', 'malformed', 'a byte of 0', '1,2\n' * 5000 + '3,\0\n')
csv('UTF-16', 'unsupported', 'UTF-16', '1,2\n'.encode('utf-16'))
csv('UTF-16 of the other order', 'unsupported', 'UTF-16', b'\xfe\xff' + '1,2\n'.encode('utf-16-be'))
csv('a label column that is not there', 'unsupported', 'labels says "kind", which is no column; there are a, b', 'a,b\n1,2\n', labels='kind')
csv('a label column past the last', 'unsupported', '1 to 2, there being no header', '1,2\n3,4\n', labels='3')
csv('labels and nothing else', 'unsupported', 'has one column, which holds labels', 'label\n1\n2\n')
csv('5 000 labels', 'malformed', 'one class more', 'label,x\n' + ''.join(f'c{i},1\n' for i in range(5000)))
csv('a label of 200 letters', 'malformed', 'is no name of a class', 'label,x\nb,1\n' + 'a' * 200 + ',1\n')
csv('blank lines', 'malformed', 'without a record', '\n\n\n\n')
csv('a byte order mark', 'malformed', 'without a record', b'\xef\xbb\xbf')
csv('JSON', 'unsupported', 'JSON', '[1, 2]')
csv('JSON of 100 000 brackets', 'unsupported', 'JSON', '[' * 100000)
csv('HTML', 'unsupported', 'HTML', '<html><body>1,2</body></html>')
csv('a PDF', 'unsupported', 'a PDF', b'%PDF-1.4\n1,2')
csv('4 200 000 columns', 'malformed', 'the most that is allowed', ',' * 4200000)

# --- safetensors ---
def safetensors(name, kind, says, header, data=b'', length=None, **options):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    case(name, kind, says, struct.pack('<Q', len(text) if length is None else length) + text + data, **options)


def tensor(dtype='U8', shape=(2, 2), offsets=(0, 4)):
    return dict(dtype=dtype, shape=list(shape), data_offsets=list(offsets))


safetensors('a header of 2^32 bytes', 'malformed', 'length, at byte 0: is 4294967296', dict(x=tensor()), bytes(4), length=1 << 32)
safetensors('a header cut off', 'malformed', 'safetensors header', dict(x=tensor()), b'', length=5000)
safetensors('a header of 5 MB', 'malformed', 'is 5000000', b'{' + b' ' * 4999999, bytes(4))
safetensors('a header that is no JSON', 'malformed', 'safetensors header', b'{"x": nonsense}', bytes(4))
safetensors('a header 100 000 deep', 'malformed', 'nested deeper', b'{"x":' + b'[' * 100000, bytes(4))
safetensors('a name twice', 'malformed', 'safetensors header', b'{"x":{"dtype":"U8"},"x":{"dtype":"U8"}}', bytes(4))
safetensors('no tensor', 'unsupported', 'no array of 2 to 4 dimensions', {}, b'')
safetensors('a tensor that is no object', 'unsupported', 'dtype is absent', dict(x=1), b'')
safetensors('an unknown type', 'unsupported', 'dtype "F8_E4M3"', dict(x=tensor('F8_E4M3')), bytes(4))
safetensors('no offsets', 'malformed', 'no shape and data_offsets', dict(x=dict(dtype='U8', shape=[2, 2])), bytes(4))
safetensors('offsets backwards', 'malformed', 'no shape and data_offsets', dict(x=tensor(offsets=(4, 0))), bytes(4))
safetensors('negative offsets', 'malformed', 'no shape and data_offsets', dict(x=tensor(offsets=(-4, 0))), bytes(4))
safetensors('a shape of other bytes', 'malformed', 'its shape is not that of', dict(x=tensor(shape=(2, 3))), bytes(4))
safetensors('a negative side', 'malformed', 'its shape is not that of', dict(x=tensor(shape=(-2, -2))), bytes(4))
safetensors('a fractional side', 'malformed', 'its shape is not that of', dict(x=tensor(shape=(2.5, 2))), bytes(4))
safetensors('a shape that overflows', 'malformed', 'its shape is not that of', dict(x=tensor(shape=(1 << 62, 4))), bytes(4))
safetensors('tensors that overlap', 'malformed', 'overlap or leave a hole', dict(x=tensor(), y=tensor(offsets=(2, 6))), bytes(6))
safetensors('tensors with a hole', 'malformed', 'overlap or leave a hole', dict(x=tensor(), y=tensor(offsets=(6, 10))), bytes(10))
safetensors('numbers cut off', 'malformed', 'promises 4 bytes and 3 are there', dict(x=tensor()), bytes(3))
safetensors('numbers and more', 'malformed', 'promises 4 bytes and 5 are there', dict(x=tensor()), bytes(5))
safetensors('two tensors', 'unsupported', '2 arrays may be the examples', dict(x=tensor(), y=tensor(offsets=(4, 8))), bytes(8))
safetensors('NaN in bfloat16', 'malformed', 'example 0, number 1', dict(x=tensor('BF16', (1, 2))), b'\0\0\xc0\x7f')
safetensors('a bool of 2', 'malformed', 'a bool must be 0 or 1', dict(x=tensor('BOOL')), b'\0\1\2\1')

# --- CIFAR ---
record = lambda label: bytes([label]) + rng.bytes(3072)
case('a label of 10', 'malformed', 'record 3, label, at byte 9219: is 10; 0 to 9', b''.join(map(record, (1, 2, 3, 10))), format='cifar10')
case('a record cut off', 'malformed', 'record 1, at byte 6000', (record(1) + record(2))[:6000], format='cifar10')
case('a fine label of 100', 'malformed', 'record 0, label, at byte 1: is 100', b'\1\x64' + rng.bytes(3072), format='cifar100')
case('a part of one file', 'unsupported', 'is one file of CIFAR', record(1), array='train')
tests = [('c/test_batch.bin', record(1)), ('c/eval.bin', record(2))]
case('CIFAR without a part for training', 'unsupported', 'it holds test_batch, eval', tarred(tests))
case('a part that is not there', 'unsupported', 'array says "train"', tarred(tests), array='train')
case('a class with no name to print', 'unsupported', 'the name of class 1', tarred([('c/train.bin', record(1)), ('c/batches.meta.txt', b'a\nb\x01\n')]))
case('CIFAR and an archive', 'unsupported', 'CIFAR', zipped([('a.npy', npy(grey)), ('b.bin', record(1))]))

# --- Options ---
case('array for NPY', 'unsupported', 'array has a meaning for npz, safetensors', npy(grey), array='x')
case('labels for pictures', 'unsupported', 'labels has a meaning for', zipped([('a.png', good)]), labels='x')
case('resize for CSV', 'unsupported', 'resize has a meaning for images', b'1,2\n', resize='8x8')
case('another format than is said', 'unsupported', 'format says npz, and the upload is npy', npy(grey), format='npz')
case('CIFAR that is said to be pictures', 'unsupported', 'format says images, and the upload is cifar10', record(1), format='images')

with open(f'{folder}/facts.json', 'w') as file:
    json.dump(facts, file)
