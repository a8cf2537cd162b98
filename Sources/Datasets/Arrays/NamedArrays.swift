/// The arrays of an upload that holds several: which of them are the examples and which their labels.
struct NamedArrays {
  struct Entry {
    let name: String
    let dimensions: [Int]
    let type: NumberType
    let place: ArraySource.Place
  }

  let format: UploadFormat
  let entries: [Entry]

  /// The array that the option `array` names, or the only one of 2 to 4 dimensions.
  func examples(_ named: String?) throws(DecodeError) -> Entry {
    if let named { return try entry(named, "array") }
    let fitting = entries.filter { (2...4).contains($0.dimensions.count) }
    guard fitting.count == 1 else {
      let what = fitting.isEmpty ? "no array of 2 to 4 dimensions is there" : "\(fitting.count) arrays may be the examples"
      throw DecodeError(.unsupported, "the upload", "\(what); array=NAME says which is meant: \(shown)")
    }
    return fitting[0]
  }

  /// The array that the option `labels` names, or the only one of whole numbers that has one for every example and nothing more.
  func labels(_ named: String?, of examples: Entry) throws(DecodeError) -> Entry? {
    if let named { return try entry(named, "labels") }
    let fitting = entries.filter {
      $0.name != examples.name && $0.type.isInteger && $0.dimensions == [examples.dimensions.first ?? 0]
    }
    return fitting.count == 1 ? fitting[0] : nil
  }

  private func entry(_ name: String, _ option: String) throws(DecodeError) -> Entry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw DecodeError(.unsupported, "the upload", "\(option) says \(Archive.shown(name)), which is not there: \(shown)")
    }
    return entry
  }

  /// As in `"x" [60000, 28, 28] of uint8`.
  private var shown: String {
    let shown = entries.prefix(16).map { entry in
      "\(Archive.shown(entry.name)) [\(entry.dimensions.map(String.init).joined(separator: ", "))] of \(entry.type.rawValue)"
    }
    return shown.isEmpty ? "it holds no array" : "it holds " + shown.joined(separator: ", ") + (entries.count > 16 ? ", and more" : "")
  }
}

extension NamedArrays {
  /// The examples and their labels, decoded.
  func decode(_ upload: Upload, _ options: DecodeOptions, to path: String) throws(DecodeError) -> DatasetDescription {
    let examples = try examples(options.array)
    let labels = try labels(options.labels, of: examples).map { (entry) throws(DecodeError) in
      try ArrayLabels.read(ArraySource(upload: upload, place: entry.place), count: examples.dimensions.first ?? 0)
    }
    return try ArrayDecoder.decode(ArraySource(upload: upload, place: examples.place), as: format, labels: labels, to: path)
  }
}

/// Labels that an array of whole numbers holds.
enum ArrayLabels {
  /// - Parameter count: of the examples.
  static func read(_ source: ArraySource, count: Int) throws(DecodeError) -> Labels {
    let (reader, layout) = try source.open()
    guard layout.type.isInteger, layout.dimensions == [count] || layout.dimensions == [count, 1] else {
      throw reader.error(
        .unsupported, "the labels",
        "are \(layout.shown) of \(layout.type.rawValue); [\(count)] whole numbers are needed, one for each example")
    }
    try layout.checkLength(reader, count: count)
    var collector = LabelCollector()
    let width = layout.type.bytes
    var part = [UInt8](repeating: 0, count: partValues * width)
    for start in stride(from: 0, to: count, by: partValues) {
      let values = min(partValues, count - start)
      try reader.take(values * width, into: &part, "the labels")
      for (index, value) in Numbers.integers(part, count: values, layout.type, isBigEndian: layout.isBigEndian).enumerated() {
        if let fault = value.map({ collector.fault(adding: String($0)) }) ?? "is past 2^63" {
          throw reader.error(.unsupported, "label \(start + index)", fault, at: reader.offset - (values - index) * width)
        }
      }
      try source.upload.limits.checkProcessorTime(reader.place)
    }
    try layout.finish(reader)
    return collector.finish()
  }

  /// Chosen; nothing depends on it.
  private static let partValues = 1 << 15
}
