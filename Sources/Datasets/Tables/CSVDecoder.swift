/// A table of numbers in a CSV, one column of which may hold labels.
///
/// Two passes: the first tells the number of records, whether bytes hold every number, and the labels.
struct CSVDecoder {
  private let upload: Upload
  private var hasHeader = false
  private var labelColumn: Int?
  private var columns = 0
  private var count = 0
  private var element = Element.uint8
  private var collector = LabelCollector()

  static func decode(_ upload: Upload, _ options: DecodeOptions, to path: String) throws(DecodeError) -> DatasetDescription {
    var decoder = CSVDecoder(upload: upload)
    try decoder.readLayout(labels: options.labels)
    try decoder.survey()
    return try decoder.write(to: path)
  }

  private init(upload: Upload) { self.upload = upload }

  /// The first record is a header where it has words in a column in which the second has a number.
  private mutating func readLayout(labels named: String?) throws(DecodeError) {
    let rows = try CSVReader(try upload.reader())
    guard try rows.next() else { throw rows.reader.error(.malformed, "the upload", "is text without a record", at: 0) }
    let first = (0..<rows.fieldCount).map { (text: rows.text($0), isNumber: DecimalNumber.value(rows.field($0)) != nil) }
    var body = first.map(\.isNumber)
    if try rows.next() {
      guard rows.fieldCount == first.count else { throw Self.raggedness(rows, first.count) }
      let second = (0..<rows.fieldCount).map { DecimalNumber.value(rows.field($0)) != nil }
      hasHeader = zip(first, second).contains { !$0.isNumber && $1 } || !second.contains(true)
      if hasHeader { body = second }
    } else if first.contains(where: { !$0.isNumber }) {
      throw DecodeError(.unsupported, "the upload", "is text, and no table of numbers follows its first line")
    }
    columns = first.count
    labelColumn = try Self.labelColumn(named, header: hasHeader ? first.map(\.text) : nil, isNumber: body)
    guard columns - (labelColumn == nil ? 0 : 1) >= 1 else {
      throw DecodeError(.unsupported, "the upload", "has one column, which holds labels; numbers are needed beside them")
    }
  }

  /// The column that was named, by its header's name or its number from 1; or that is called `label`; or that alone has words.
  private static func labelColumn(_ named: String?, header: [String]?, isNumber: [Bool]) throws(DecodeError) -> Int? {
    if let named {
      if let column = header?.firstIndex(of: named) { return column }
      if let number = Int(named), (1...isNumber.count).contains(number) { return number - 1 }
      let known = header.map { $0.prefix(20).joined(separator: ", ") } ?? "1 to \(isNumber.count), there being no header"
      throw DecodeError(.unsupported, "the upload", "labels says \(Archive.shown(named)), which is no column; there are \(known)")
    }
    if let column = header?.firstIndex(where: { $0.lowercased() == "label" }) { return column }
    let words = isNumber.indices.filter { !isNumber[$0] }
    return words.count == 1 ? words[0] : nil
  }

  private static func raggedness(_ rows: CSVReader, _ columns: Int) -> DecodeError {
    rows.error(nil, "has \(rows.fieldCount) fields, and the first record has \(columns): all must have the same number")
  }

  private mutating func survey() throws(DecodeError) {
    let (labelColumn, limits) = (labelColumn, upload.limits)
    var (count, element, collector) = (0, Element.uint8, LabelCollector())
    try forEachRecord { (rows) throws(DecodeError) in
      for column in 0..<rows.fieldCount {
        if column == labelColumn {
          if let fault = collector.fault(adding: rows.text(column)) { throw rows.error(column, fault) }
          continue
        }
        let value = try Self.number(rows, column)
        if value < 0 || value > 255 || value != value.rounded() { element = .float32 }
      }
      count += 1
      if count % 256 == 0 { try limits.checkProcessorTime(rows.reader.place) }
    }
    (self.count, self.element, self.collector) = (count, element, collector)
  }

  private func write(to path: String) throws(DecodeError) -> DatasetDescription {
    let dims = columns - (labelColumn == nil ? 0 : 1)
    guard count <= DatasetDescription.countMax, let bytes = Sizes.product([count, dims, element.bytes]), bytes <= upload.limits.bytesMax,
      let shape = ExampleShape(sides: [dims])
    else { throw DecodeError(.tooLarge, "the upload", "\(count) records of \(dims) numbers are more than is allowed") }
    var examples = try ExampleFile(path, count: count, shape, element)
    let (element, labelColumn) = (element, labelColumn)
    var row: [UInt8] = []
    try forEachRecord { (rows) throws(DecodeError) in
      row.removeAll(keepingCapacity: true)
      var part = Statistics.Part()
      for column in 0..<rows.fieldCount where column != labelColumn {
        let value = Float(try Self.number(rows, column))
        part.add(value)
        switch element {
        case .uint8: row.append(UInt8(value))
        case .float32:
          for shift in stride(from: UInt32(0), to: 32, by: 8) { row.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift)) }
        }
      }
      examples.statistics.add(part)
      try examples.write(row.span)
    }
    return try examples.finish(format: .csv, labels: labelColumn == nil ? nil : collector.finish())
  }

  private func forEachRecord(_ body: (CSVReader) throws(DecodeError) -> Void) throws(DecodeError) {
    let rows = try CSVReader(try upload.reader())
    if hasHeader { _ = try rows.next() }
    while try rows.next() {
      guard rows.fieldCount == columns else { throw Self.raggedness(rows, columns) }
      try body(rows)
    }
  }

  private static func number(_ rows: CSVReader, _ column: Int) throws(DecodeError) -> Double {
    guard let value = DecimalNumber.value(rows.field(column)) else {
      let text = rows.text(column)
      throw rows.error(column, text.isEmpty ? "is empty; a number is needed" : "\(Archive.shown(text)) is no number")
    }
    guard Float(value).isFinite else { throw rows.error(column, NumberFault.detail(value)) }
    return value
  }
}
