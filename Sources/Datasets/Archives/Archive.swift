import CArchive
import Glibc

/// The members of a ZIP or TAR one after another, or the bytes that xz or zstd made of a file, by libarchive.
///
/// A member's name is looked at and never becomes a path: nothing is unpacked to disk. A class, for it owns libarchive's state and is a
/// place in the archive; the bytes that it gives are those of the member that `next` found last.
@safe final class Archive: ByteSource {
  enum Contents {
    /// ZIP or TAR.
    case members
    /// One stream, compressed by a filter and nothing else.
    case stream
  }

  struct Member {
    let name: String
    let isFolder: Bool
  }

  private let archive: OpaquePointer
  private let input: ArchiveInput
  private let limits: DecodeLimits
  private var inflation: Inflation
  /// The name of the member that is being read, or what the stream is.
  private var subject: String

  init(_ source: any ByteSource, _ contents: Contents, named subject: String, _ limits: DecodeLimits) {
    guard Self.namesAreUTF8, let archive = unsafe archive_read_new() else { preconditionFailure("libarchive does not start") }
    unsafe self.archive = unsafe archive
    self.subject = subject
    self.limits = limits
    input = ArchiveInput(source)
    inflation = Inflation(limits)
    switch contents {
    case .members:
      unsafe archive_read_support_format_tar(archive)
      unsafe archive_read_support_format_zip(archive)
    case .stream:
      unsafe archive_read_support_filter_xz(archive)
      unsafe archive_read_support_filter_zstd(archive)
      unsafe archive_read_support_format_raw(archive)
      unsafe archive_read_support_format_empty(archive)
    }
    unsafe input.attach(to: archive)
  }

  deinit { unsafe archive_read_free(archive) }

  private static let namesAreUTF8 = fount_archive_use_utf8() == 1

  private var isOpen = false
  private var membersFound = 0

  /// The next member; nil at the end, which must be where the archive itself says that it ends. What is no file and no folder is refused,
  /// and so is a name that leads out of the archive.
  func next() throws(DecodeError) -> Member? {
    if !isOpen {
      guard unsafe archive_read_open1(archive) == ARCHIVE_OK else { throw fault() }
      isOpen = true
    }
    var entry: OpaquePointer?
    let code = unsafe archive_read_next_header(archive, &entry)
    if code == ARCHIVE_EOF, input.failure == nil {
      try checkEnd()
      return nil
    }
    // A warning is of something that is left aside, such as an attribute.
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry = unsafe entry else { throw fault() }
    guard let text = unsafe archive_entry_pathname_utf8(entry) else {
      throw DecodeError(.malformed, "the archive", "holds a name that is not UTF-8, after \(subject)")
    }
    let name = unsafe String(cString: text)
    membersFound += 1
    let isLink = unsafe archive_entry_hardlink(entry) != nil
    let (type, isEncrypted) = unsafe (archive_entry_filetype(entry), archive_entry_is_data_encrypted(entry) == 1)
    try Self.check(name, isPlain: !isLink && (type == fount_archive_file || type == fount_archive_folder), isEncrypted: isEncrypted)
    subject = Self.shown(name)
    return Member(name: name, isFolder: type == fount_archive_folder)
  }

  /// Libarchive takes what it finds of an archive that was cut off between two members; here that is an error.
  private func checkEnd() throws(DecodeError) {
    guard unsafe archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_ZIP else {
      // Two blocks of zeros (POSIX, pax, ustar format); one is enough, as for other programs.
      guard input.zerosAtEnd >= 512 else {
        throw DecodeError(.malformed, "the archive", "has no blocks of zeros at its end: it is cut off")
      }
      return
    }
    let told = try ZIPDirectory.memberCount(input.source)
    guard told == nil || told == membersFound else {
      throw DecodeError(.malformed, "the archive", "tells of \(told ?? 0) members, and \(membersFound) are there: it is damaged")
    }
  }

  /// Opens the one stream; false where it is empty.
  func nextStream() throws(DecodeError) -> Bool {
    guard unsafe archive_read_open1(archive) == ARCHIVE_OK else { throw fault() }
    var entry: OpaquePointer?
    let code = unsafe archive_read_next_header(archive, &entry)
    guard code == ARCHIVE_OK || code == ARCHIVE_EOF, input.failure == nil else { throw fault() }
    return code == ARCHIVE_OK
  }

  private static func check(_ name: String, isPlain: Bool, isEncrypted: Bool) throws(DecodeError) {
    let shown = shown(name)
    guard !name.isEmpty, name.utf8.count <= nameBytesMax else {
      throw DecodeError(.malformed, shown, "a name of \(name.utf8.count) bytes; 1 to \(nameBytesMax) are allowed")
    }
    guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
      throw DecodeError(.malformed, shown, "its name leads out of the archive")
    }
    guard isPlain else { throw DecodeError(.unsupported, shown, "is a link or a device; files and folders are allowed") }
    guard !isEncrypted else { throw DecodeError(.unsupported, shown, "is encrypted") }
  }

  /// The longest path that Linux takes.
  private static let nameBytesMax = 4096

  /// A name as errors tell it: in quotes, short, on one line.
  static func shown(_ name: String) -> String {
    let clean = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0) }.joined()
    return "\"\(clean.count > 120 ? "…" + clean.suffix(119) : clean)\""
  }

  func read(into bytes: inout [UInt8], from start: Int) throws(DecodeError) -> Int {
    precondition((0..<bytes.count).contains(start), "to \(start) of \(bytes.count) bytes")
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe archive_read_data(archive, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start)
    }
    guard count >= 0, input.failure == nil else { throw fault() }
    if let detail = inflation.fault(adding: count, from: input.bytesTaken) { throw DecodeError(.tooLarge, subject, detail) }
    return count
  }

  /// What a member's head says of its length may be a lie.
  let remainingBytes: Int? = nil

  /// What went wrong: with the bytes that libarchive was given, or with what it made of them.
  private func fault() -> DecodeError {
    if let failure = input.failure { return failure }
    let code = unsafe archive_errno(archive)
    if code == ENOMEM { return DecodeError(.tooLarge, subject, "takes more memory to decompress than is allowed") }
    guard let text = unsafe archive_error_string(archive) else { return DecodeError(.malformed, subject, "is damaged") }
    return DecodeError(.malformed, subject, unsafe "is damaged: \(String(cString: text))")
  }
}

/// What xz or zstd makes of a file.
final class FilteredSource: ByteSource {
  private let archive: Archive
  private var isOpen = false

  init(_ file: FileSource, _ name: String, _ limits: DecodeLimits) { archive = Archive(file, .stream, named: name, limits) }

  let remainingBytes: Int? = nil

  func read(into bytes: inout [UInt8], from start: Int) throws(DecodeError) -> Int {
    if !isOpen {
      guard try archive.nextStream() else { return 0 }
      isOpen = true
    }
    return try archive.read(into: &bytes, from: start)
  }
}
