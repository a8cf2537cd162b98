/// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): records of one or two labels and 32 x 32 pixels, all red ones, all
/// green ones, all blue ones. They have no mark; it is their length and their labels that tell them.
enum CIFAR: String, CaseIterable {
  case ten, hundred

  var format: UploadFormat { self == .ten ? .cifar10 : .cifar100 }

  /// How many values each label of a record may have; of two the second, the finer one, is kept.
  private var labelValues: [Int] { self == .ten ? [10] : [20, 100] }
  private var recordBytes: Int { labelValues.count + Self.pixelBytes }
  private static let side = 32
  private static let pixelBytes = 3 * side * side
  /// The file beside the data that names the classes, a line each.
  private var namesFile: String { self == .ten ? "batches.meta.txt" : "fine_label_names.txt" }

  /// Nil where these can't be records.
  /// - Parameters:
  ///   - head: the first bytes.
  ///   - bytes: how many there are in all; nil where that is not known.
  init?(head: [UInt8], bytes: Int?) {
    let found = Self.allCases.first { version in
      let record = version.recordBytes
      if let bytes, bytes == 0 || bytes % record != 0 { return false }
      let starts = stride(from: 0, through: head.count - version.labelValues.count, by: record)
      return head.count >= min(record, Sniffing.headBytes)
        && starts.allSatisfy { start in
          version.labelValues.enumerated().allSatisfy { Int(head[start + $0]) < $1 }
        }
    }
    guard let found else { return nil }
    self = found
  }

  init?(_ format: UploadFormat) {
    guard let found = Self.allCases.first(where: { $0.format == format }) else { return nil }
    self = found
  }

  func decode(_ upload: Upload, _ options: DecodeOptions, to path: String) throws(DecodeError) -> DatasetDescription {
    let head = try upload.reader().peek(Sniffing.headBytes)
    if Sniffing.isArchive(head) { return try decode(archive: upload, options, to: path) }
    if options.array != nil { throw DecodeError(.unsupported, "the upload", "is one file of CIFAR, and array names one of several") }
    return try decode(file: upload, to: path)
  }

  /// The records of an upload that is one such file.
  private func decode(file upload: Upload, to path: String) throws(DecodeError) -> DatasetDescription {
    try decode(upload, to: path, names: []) { (body) throws(DecodeError) in try body(upload.reader()) }
  }

  /// The records of the files in an archive: those for training, or the one that the option `array` names, without `.bin`.
  private func decode(archive upload: Upload, _ options: DecodeOptions, to path: String) throws(DecodeError) -> DatasetDescription {
    let (parts, names) = try survey(upload)
    let isMeant = { (part: String) in options.array.map { $0 == part } ?? (part == "train" || part.hasPrefix("data_batch")) }
    guard parts.contains(where: isMeant) else {
      let known = parts.joined(separator: ", ")
      let wanted =
        options.array.map { "array says \(Archive.shown($0))" } ?? "no part is train or data_batch_N, so that array=NAME must say which"
      throw DecodeError(.unsupported, "the archive", "\(wanted); it holds \(known)")
    }
    return try decode(upload, to: path, names: names) { (body) throws(DecodeError) in
      let archive = try upload.archive()
      while let member = try archive.nextFile() {
        if let part = Self.part(member), isMeant(part) { try body(ByteReader(member: member, of: archive)) }
      }
    }
  }

  /// The names of the files with records, and those of the classes.
  private func survey(_ upload: Upload) throws(DecodeError) -> (parts: [String], names: [String]) {
    let archive = try upload.archive()
    var (parts, names): ([String], [String]) = ([], [])
    while let member = try archive.nextFile() {
      if let part = Self.part(member) { parts.append(part) }
      guard member.split(separator: "/").last.map(String.init) == namesFile else { continue }
      let text = try ByteReader(member: member, of: archive).takeAll(bytesMax: 1 << 16)
      names = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }
    return (parts, names)
  }

  private static func part(_ member: String) -> String? {
    guard let name = member.split(separator: "/").last, name.hasSuffix(".bin") else { return nil }
    return String(name.dropLast(4))
  }

  private func decode(
    _ upload: Upload, to path: String, names: [String],
    forEachFile: ((ByteReader) throws(DecodeError) -> Void) throws(DecodeError) -> Void
  ) throws(DecodeError) -> DatasetDescription {
    var collector = LabelCollector()
    try forEachFile { (reader) throws(DecodeError) in
      try forEachRecord(reader, upload.limits) { (label, _) throws(DecodeError) in
        // At most 100 classes, and their numbers are names that are allowed; those of the file beside may not be.
        if let fault = collector.fault(adding: label < names.count ? names[label] : String(label)) {
          throw reader.error(.unsupported, "the name of class \(label) in \(namesFile)", fault)
        }
      }
    }
    guard let shape = ExampleShape(sides: [Self.side, Self.side, 3]), collector.count > 0,
      let bytes = Sizes.product([collector.count, shape.dims]), bytes <= upload.limits.bytesMax
    else {
      let detail = "\(collector.count) records; 1 or more are needed, and at most \(upload.limits.bytesMax) bytes are allowed"
      throw DecodeError(.tooLarge, "the upload", detail)
    }
    var examples = try ExampleFile(path, count: collector.count, shape, .uint8)
    var planes = [UInt8](repeating: 0, count: Self.pixelBytes)
    try forEachFile { (reader) throws(DecodeError) in
      try forEachRecord(reader, upload.limits) { (_, pixels) throws(DecodeError) in
        Numbers.transpose(pixels, rows: 3, columns: Self.side * Self.side, elementBytes: 1, into: &planes)
        try examples.append(planes)
      }
    }
    return try examples.finish(format: format, labels: collector.finish())
  }

  private func forEachRecord(
    _ reader: ByteReader, _ limits: DecodeLimits, _ body: (_ label: Int, _ pixels: [UInt8]) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    var record = 0
    while try !reader.isAtEnd() {
      let start = reader.offset
      let bytes = try reader.take(recordBytes, "record \(record)")
      for (index, most) in labelValues.enumerated() where bytes[index] >= most {
        throw reader.error(
          .malformed, "record \(record), label", "is \(bytes[index]); 0 to \(most - 1) are allowed", at: start + index)
      }
      try body(Int(bytes[labelValues.count - 1]), Array(bytes[labelValues.count...]))
      if record % 1024 == 0 { try limits.checkProcessorTime(reader.place) }
      record += 1
    }
  }
}
