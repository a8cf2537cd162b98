/// An array somewhere in an upload, which can be read as often as its decoding takes.
struct ArraySource {
  enum Place: Equatable {
    /// The upload is the array.
    case whole
    /// The file of that name in an archive.
    case member(String)
    /// The tensor of that name in a safetensors file.
    case tensor(String)
  }

  let upload: Upload
  let place: Place

  /// A reader whose next bytes are the array's first number, and what its header says.
  func open() throws(DecodeError) -> (ByteReader, ArrayLayout) {
    switch place {
    case .whole:
      let reader = try upload.reader()
      return (reader, try Self.layout(reader))
    case .tensor(let name):
      let reader = try upload.reader()
      let layout = try SafetensorsHeader(reader).seek(name, reader)
      return (reader, layout)
    case .member(let name):
      let archive = try upload.archive()
      while let member = try archive.next() {
        guard member.name == name else { continue }
        let reader = ByteReader(member: name, of: archive)
        return (reader, try Self.layout(reader))
      }
      throw DecodeError(.malformed, Archive.shown(name), "is not there a second time: the archive does not read the same twice")
    }
  }

  /// The header of an NPY or IDX array.
  static func layout(_ reader: ByteReader) throws(DecodeError) -> ArrayLayout {
    NPY.isMagic(try reader.peek(NPY.magic.count)) ? try NPY.readLayout(reader) : try IDX.readLayout(reader)
  }
}

extension Upload {
  /// The upload as an archive, from its first member on.
  func archive() throws(DecodeError) -> Archive { Archive(try source(), .members, named: "the archive", limits) }
}
