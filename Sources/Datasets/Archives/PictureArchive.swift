/// Pictures in an archive, in the order in which they lie there. Where each is in a folder, the folder is its class (as torchvision's
/// ImageFolder has it): the first one below those that all pictures share.
///
/// Two passes: the first looks at every picture's head and place, so that one that does not fit is known before anything is written.
struct PictureArchive {
  private let upload: Upload
  private let resize: DecodeOptions.Sides?
  private let labels: Labels?
  private let count: Int
  private let sides: DecodeOptions.Sides
  private let channels: Int
  private let decompressor = JPEGDecompressor()

  static func decode(_ upload: Upload, _ options: DecodeOptions, to path: String) throws(DecodeError) -> DatasetDescription {
    try PictureArchive(upload, options.resize).decode(to: path)
  }

  private init(_ upload: Upload, _ resize: DecodeOptions.Sides?) throws(DecodeError) {
    self.upload = upload
    self.resize = resize
    let decompressor = decompressor
    var folders = FolderClasses()
    var (count, isGrey) = (0, true)
    var first: (name: String, sides: DecodeOptions.Sides)?
    try Self.forEach(upload) { (file, name) throws(DecodeError) in
      let head = try Self.head(file, upload.limits, decompressor)
      let sides = DecodeOptions.Sides(height: head.height, width: head.width)
      if resize == nil, let first, first.sides != sides {
        throw file.place.error(
          .unsupported, "its sides",
          "are \(sides.text) (height x width), and those of \(Archive.shown(first.name)) \(first.sides.text): all must be the same, or be "
            + "brought to the same by resize=HEIGHTxWIDTH")
      }
      first = first ?? (name, sides)
      isGrey = isGrey && head.isGrey
      count += 1
      if let fault = folders.fault(adding: name) { throw DecodeError(.tooLarge, "the archive", fault) }
    }
    guard let first else { throw DecodeError(.unsupported, "the archive", "holds no picture") }
    sides = resize ?? first.sides
    channels = isGrey ? 1 : 3
    self.count = count
    guard ExampleShape(sides: [sides.height, sides.width, channels]) != nil else {
      throw DecodeError(
        .tooLarge, Archive.shown(first.name),
        "\(sides.text) pixels of \(channels) channels are more than \(ExampleShape.dimsMax) numbers, the most that is allowed; "
          + "resize=HEIGHTxWIDTH makes pictures smaller")
    }
    labels = try folders.labels()
  }

  private func decode(to path: String) throws(DecodeError) -> DatasetDescription {
    guard let shape = ExampleShape(sides: [sides.height, sides.width, channels]),
      let bytes = Sizes.product([count, shape.dims]), bytes <= upload.limits.bytesMax
    else {
      throw DecodeError(
        .tooLarge, "the archive",
        "\(count) pictures of \(sides.text) are more than \(upload.limits.bytesMax) bytes, the most that is allowed")
    }
    var examples = try ExampleFile(path, count: count, shape, .uint8)
    var written = 0
    let archive = try upload.archive()
    while let (file, _) = try Self.next(archive, upload) {
      try examples.append(pixels(of: try picture(file)))
      written += 1
      try upload.limits.checkProcessorTime(file.place)
    }
    guard written == count else { throw DecodeError(.malformed, "the archive", "does not read the same twice") }
    return try examples.finish(format: .images, labels: labels)
  }

  private func picture(_ file: PictureFile) throws(DecodeError) -> Picture {
    PictureFile.kind(file.bytes) == .png
      ? try PNGFile(file, upload.limits).decode() : try JPEGFile(file, upload.limits, decompressor).decode()
  }

  private func pixels(of picture: Picture) -> [UInt8] {
    let picture = channels == 3 ? picture.inColour : picture
    guard resize != nil else { return picture.pixels }
    let resampling = Resampling(
      from: (picture.height, picture.width), to: (sides.height, sides.width), channels: channels)
    return resampling.resize(picture.pixels)
  }

  private static func head(
    _ file: PictureFile, _ limits: DecodeLimits, _ decompressor: JPEGDecompressor
  ) throws(DecodeError) -> PictureHead {
    try limits.checkProcessorTime(file.place)
    return PictureFile.kind(file.bytes) == .png
      ? try PNGFile(file, limits).head : try JPEGFile(file, limits, decompressor).head
  }

  private static func forEach(_ upload: Upload, _ body: (PictureFile, String) throws(DecodeError) -> Void) throws(DecodeError) {
    let archive = try upload.archive()
    while let (file, name) = try next(archive, upload) { try body(file, name) }
  }

  /// The next picture, in memory.
  private static func next(_ archive: Archive, _ upload: Upload) throws(DecodeError) -> (PictureFile, name: String)? {
    while let member = try archive.nextFile() {
      let reader = ByteReader(member: member, of: archive)
      switch try ArchiveContents.kind(of: reader, member) {
      case .aside: continue
      case .picture: return (PictureFile(bytes: try reader.takeAll(bytesMax: upload.limits.pictureBytesMax), place: reader.place), member)
      case .array, .cifar: throw ArchiveContents.unknown("an array among pictures", reader)
      case .unknown(let what): throw ArchiveContents.unknown(what, reader)
      }
    }
    return nil
  }
}

/// The folders that pictures lie in, and the classes that they make. Names are never used as paths.
private struct FolderClasses {
  private var places: [String: UInt32] = [:]
  private var folders: [[Substring]] = []
  /// For each picture the place of its folder.
  private var values: [UInt32] = []

  /// Chosen: enough for as many classes as there may be, each with folders of its own.
  private static let foldersMax = 1 << 16

  mutating func fault(adding name: String) -> String? {
    let parts = name.split(separator: "/").filter { $0 != "." }.dropLast()
    let folder = parts.joined(separator: "/")
    if let place = places[folder] {
      values.append(place)
      return nil
    }
    guard folders.count < Self.foldersMax else { return "has more than \(Self.foldersMax) folders, the most that is allowed" }
    let place = UInt32(folders.count)
    places[folder] = place
    folders.append(folder.split(separator: "/"))
    values.append(place)
    return nil
  }

  /// Nil where the pictures lie all in one folder or in none.
  func labels() throws(DecodeError) -> Labels? {
    guard folders.count > 1 else { return nil }
    var shared = folders[0]
    for folder in folders {
      shared = zip(shared, folder).prefix { $0 == $1 }.map(\.0)
    }
    guard folders.allSatisfy({ $0.count > shared.count }) else {
      throw DecodeError(
        .unsupported, "the archive",
        "has pictures in the folder \"\(shared.joined(separator: "/"))\" and in folders below it: "
          + "either each is in a folder of its class or none is"
      )
    }
    var collector = LabelCollector()
    for value in values {
      let name = String(folders[Int(value)][shared.count])
      if let fault = collector.fault(adding: name) {
        throw DecodeError(.unsupported, "the folder \(Archive.shown(name))", fault)
      }
    }
    return collector.finish()
  }
}
