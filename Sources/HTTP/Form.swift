import HTTPTypes

/// The parts of a form, each in a file of its own (RFC 7578).
package struct Form: Sendable, Equatable {
  package struct Part: Sendable, Equatable {
    package let name: String
    /// As the client calls it: to be shown, never to be used as a path.
    package let fileName: String?
    package let contentType: String?
    /// A file of the handler's to move away before it answers; what is still there after the answer is removed.
    package let path: String
    package let count: Int
  }

  package let parts: [Part]

  /// The part of that name; there is at most one.
  package subscript(_ name: String) -> Part? { parts.first { $0.name == name } }
}

/// What parts a route takes.
package struct FormPolicy: Sendable, Equatable {
  /// Each at most once.
  package let names: [String]
  /// Parts of other names are read and dropped; else they are a fault.
  package let ignoresOthers: Bool

  package init(_ names: String..., ignoresOthers: Bool = false) {
    self.names = names
    self.ignoresOthers = ignoresOthers
  }
}

/// Where a form goes as it comes: each part that the route takes to a file.
struct FormSink {
  private struct OpenPart {
    let name: String
    let fileName: String?
    let contentType: String?
    /// Nil for a part that is dropped.
    let file: UploadFile?
    var count = 0
  }

  private var decoder: MultipartDecoder
  private let policy: FormPolicy
  private let folder: String
  private var current: OpenPart?
  private var parts: [Form.Part] = []
  private(set) var files: [UploadFile] = []

  init(_ policy: FormPolicy, folder: String, contentType: String, limits: ServerConfiguration.Limits) throws(HTTPFault) {
    decoder = try MultipartDecoder(contentType: contentType, limits: limits)
    self.policy = policy
    self.folder = folder
  }

  mutating func append(_ bytes: Span<UInt8>) throws(HTTPFault) {
    var index = 0
    while true {
      switch try decoder.next(bytes, from: index) {
      case .needsMoreBytes: return
      case .part(let fields, let next):
        current = try part(fields)
        index = next
      case .data(let range):
        try write(bytes.extracting(range))
        index = range.upperBound
      case .heldBack(let held, let next):
        try write(held.span)
        index = next
      case .partEnd(let next):
        endPart()
        index = next
      }
    }
  }

  /// The whole form; its body has ended.
  func finish() throws(HTTPFault) -> Form {
    guard decoder.isWhole else { throw .malformed("the form ends before its last boundary") }
    return Form(parts: parts)
  }

  /// RFC 7578 §4.2: every part names its field in `Content-Disposition: form-data`.
  private func part(_ fields: FieldTable) throws(HTTPFault) -> OpenPart {
    guard fields.count(of: .contentDisposition) == 1, let disposition = fields[.contentDisposition].flatMap(ParameterizedValue.init),
      disposition.value == "form-data", let name = disposition.parameters["name"]
    else { throw .malformed("a form's part does not name its field in one Content-Disposition: form-data; name=\"…\"") }
    // RFC 7578 §4.7: deprecated; what changes the bytes is not undone here.
    let coding = HTTPField.Name.contentTransferEncoding.flatMap { fields[$0] } ?? "binary"
    guard ["7bit", "8bit", "binary"].contains(coding.lowercased()) else {
      let what = "the form's part \(name.prefix(60)) is encoded as \(coding.prefix(30))"
      throw HTTPFault(.unsupportedMediaType, "\(what); only binary is read")
    }
    guard policy.names.contains(name) else {
      guard policy.ignoresOthers else {
        let known = policy.names.joined(separator: ", ")
        throw HTTPFault(.unprocessableContent, "the form has a part \"\(name.prefix(60))\"; it takes \(known) alone")
      }
      return OpenPart(name: name, fileName: nil, contentType: nil, file: nil)
    }
    guard !parts.contains(where: { $0.name == name }) else {
      throw HTTPFault(.unprocessableContent, "the form has more than one part \"\(name)\"")
    }
    return OpenPart(
      name: name, fileName: disposition.parameters["filename"], contentType: fields[.contentType],
      file: try BodySink.newFile(in: folder))
  }

  private mutating func write(_ bytes: Span<UInt8>) throws(HTTPFault) {
    guard let file = current?.file else { return }
    try BodySink.write(bytes, to: file)
    current?.count += bytes.count
  }

  private mutating func endPart() {
    defer { current = nil }
    guard let part = current, let file = part.file else { return }
    file.finishWriting()
    files.append(file)
    parts.append(
      Form.Part(name: part.name, fileName: part.fileName, contentType: part.contentType, path: file.path, count: part.count))
  }
}

extension HTTPField.Name {
  fileprivate static let contentTransferEncoding = HTTPField.Name("Content-Transfer-Encoding")
}
