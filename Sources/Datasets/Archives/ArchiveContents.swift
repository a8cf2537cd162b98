/// What an archive is for, told by the first of its files that says it.
enum ArchiveContents {
  static func format(of upload: Upload) throws(DecodeError) -> UploadFormat {
    let archive = try upload.archive()
    while let member = try archive.nextFile() {
      let reader = ByteReader(member: member, of: archive)
      switch try kind(of: reader, member) {
      case .array: return .npz
      case .picture: return .images
      case .cifar(let version): return version.format
      case .aside: continue
      case .unknown(let what): throw unknown(what, reader)
      }
    }
    throw DecodeError(.unsupported, "the archive", "holds no picture and no array")
  }

  enum Kind: Equatable {
    case array, picture
    case cifar(CIFAR)
    /// Text beside the data, and what systems leave in folders.
    case aside
    /// With its name, where it has one.
    case unknown(String)
  }

  static func kind(of reader: ByteReader, _ name: String) throws(DecodeError) -> Kind {
    if isLitter(name) { return .aside }
    let head = try reader.peek(Sniffing.headBytes)
    if PictureFile.kind(head) != nil { return .picture }
    if NPY.isMagic(head) { return .array }
    if name.hasSuffix(".bin"), let version = CIFAR(head: head, bytes: nil) { return .cifar(version) }
    if IDX.begins(head) { return .array }
    let isNamedPicture = [".png", ".jpg", ".jpeg"].contains { name.lowercased().hasSuffix($0) }
    if Sniffing.isText(head), !isNamedPicture { return .aside }
    return .unknown(Sniffing.name(of: head))
  }

  static func unknown(_ what: String, _ reader: ByteReader) -> DecodeError {
    reader.error(.unsupported, "the file", "is \(what); PNG and JPEG pictures, NPY and IDX arrays, and text beside them are allowed", at: 0)
  }

  private static func isLitter(_ name: String) -> Bool {
    let parts = name.split(separator: "/")
    return parts.contains("__MACOSX") || parts.last.map { $0.hasPrefix(".") || $0 == "Thumbs.db" || $0 == "desktop.ini" } ?? true
  }
}

extension Archive {
  /// The next file's name, folders being passed by.
  func nextFile() throws(DecodeError) -> String? {
    while let member = try next() {
      if !member.isFolder { return member.name }
    }
    return nil
  }
}

extension NamedArrays {
  /// The arrays in an archive, each by its file's name without `.npy`.
  init(archive upload: Upload) throws(DecodeError) {
    let archive = try upload.archive()
    var entries: [Entry] = []
    while let member = try archive.nextFile() {
      let reader = ByteReader(member: member, of: archive)
      switch try ArchiveContents.kind(of: reader, member) {
      case .aside: continue
      case .array:
        guard entries.count < Self.entriesMax else {
          throw DecodeError(.tooLarge, "the archive", "holds more than \(Self.entriesMax) arrays, the most that is allowed")
        }
        let layout = try ArraySource.layout(reader)
        let name = member.hasSuffix(".npy") ? String(member.dropLast(4)) : member
        guard !entries.contains(where: { $0.name == name }) else {
          throw reader.error(.malformed, "the archive", "has two arrays of that name")
        }
        entries.append(Entry(name: name, dimensions: layout.dimensions, type: layout.type, place: .member(member)))
      case .picture: throw ArchiveContents.unknown("a picture among arrays", reader)
      case .cifar: throw ArchiveContents.unknown("CIFAR's among arrays", reader)
      case .unknown(let what): throw ArchiveContents.unknown(what, reader)
      }
    }
    self.init(format: .npz, entries: entries)
  }

  /// Chosen.
  private static let entriesMax = 1024
}
