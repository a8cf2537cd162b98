import CSystem
import Foundation

/// Where the bytes of a body go as they come, never past the route's limit.
struct BodySink {
  private enum Destination {
    case memory([UInt8])
    case dropped
    case file(UploadFile)
    case form(FormSink)
  }

  private var destination: Destination
  private let bytesMax: Int
  private(set) var count = 0

  init(_ policy: BodyPolicy, contentType: String?, limits: ServerConfiguration.Limits) throws(HTTPFault) {
    bytesMax = policy.bytesMax ?? 0
    switch policy {
    case .none, .memory: destination = .memory([])
    case .dropped: destination = .dropped
    case .file(_, let folder, let form?) where Self.isMultipart(contentType):
      destination = .form(try FormSink(form, folder: folder, contentType: contentType ?? "", limits: limits))
    case .file(_, let folder, _): destination = .file(try Self.newFile(in: folder))
    case .form(let form, _, let folder):
      destination = .form(try FormSink(form, folder: folder, contentType: contentType ?? "", limits: limits))
    }
  }

  /// The files that the bytes go to, where they go to any.
  var files: [UploadFile] {
    switch destination {
    case .memory, .dropped: []
    case .file(let file): [file]
    case .form(let sink): sink.files
    }
  }

  mutating func append(_ bytes: Span<UInt8>) throws(HTTPFault) {
    guard bytes.count <= bytesMax - count else { throw Self.tooLong(bytesMax) }
    count += bytes.count
    switch destination {
    case .memory(var held):
      destination = .memory([])
      held.append(contentsOf: bytes, in: 0..<bytes.count)
      destination = .memory(held)
    case .dropped: return
    case .file(let file):
      try Self.write(bytes, to: file)
    case .form(var sink):
      destination = .dropped
      try sink.append(bytes)
      destination = .form(sink)
    }
  }

  func finish() throws(HTTPFault) -> RequestBody {
    switch destination {
    case .memory(let bytes): return bytes.isEmpty ? .none : .bytes(bytes)
    case .dropped: return .dropped(count: count)
    case .file(let file):
      file.finishWriting()
      file.isWhole = true
      return .file(path: file.path, count: count)
    case .form(let sink): return .form(try sink.finish())
    }
  }

  static func newFile(in folder: String) throws(HTTPFault) -> UploadFile {
    do throws(SystemCallError) { return try UploadFile(in: folder) } catch { throw fault(for: error) }
  }

  static func write(_ bytes: Span<UInt8>, to file: UploadFile) throws(HTTPFault) {
    do throws(SystemCallError) { try file.append(bytes) } catch { throw fault(for: error) }
  }

  /// Any multipart body, so that one which is no form is told so.
  private static func isMultipart(_ contentType: String?) -> Bool {
    contentType?.prefix { $0 != "/" }.lowercased() == "multipart"
  }

  /// RFC 9110 §15.5.14.
  static func tooLong(_ bytesMax: Int) -> HTTPFault {
    HTTPFault(.contentTooLarge, bytesMax == 0 ? "a body is not taken here" : "the body is longer than \(bytesMax) bytes")
  }

  private static func fault(for error: SystemCallError) -> HTTPFault {
    switch error.code {
    case ENOSPC, EDQUOT: HTTPFault(.init(code: 507, reasonPhrase: "Insufficient Storage"), "the disk is full")
    case EROFS: HTTPFault(.init(code: 507, reasonPhrase: "Insufficient Storage"), "the server's disk can't be written: it is read-only")
    case EMFILE, ENFILE: HTTPFault(.serviceUnavailable, "too many files are open", headers: [.retryAfter: "1"])
    default: HTTPFault(.internalServerError, "the body could not be stored: \(error)")
    }
  }
}

/// A body on disk that is gone with the last reference, unless it was moved away before.
///
/// A class because it owns a descriptor and a name; written on its shard alone, and only held for its end elsewhere.
final class UploadFile: @unchecked Sendable {
  let path: String
  private var descriptor: Descriptor?
  private var count = 0
  /// Whether the body came to its end.
  fileprivate(set) var isWhole = false
  private var cutOff: (@Sendable (_ path: String, _ count: Int) -> Void)?

  private static let prefix = "upload-"
  private static let suffix = ".part"

  init(in folder: String) throws(SystemCallError) {
    path = folder + "/" + Self.prefix + String(UInt64.random(in: 0 ... .max), radix: 16) + Self.suffix
    descriptor = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
  }

  deinit {
    finishWriting()
    if !isWhole { cutOff?(path, count) }
    removeFile(path)
  }

  /// What is done with the file when the body has not come to its end, before it is removed.
  func whenCutOff(_ action: @escaping @Sendable (_ path: String, _ count: Int) -> Void) { cutOff = action }

  func append(_ bytes: Span<UInt8>) throws(SystemCallError) {
    try descriptor?.write(bytes)
    count += bytes.count
  }

  func finishWriting() {
    descriptor?.close()
    descriptor = nil
  }

  /// Makes the folder where it is missing, and removes what a killed server left in it.
  static func prepare(_ folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
      removeFile(folder + "/" + name)
    }
  }
}
